"""What is done before a service starts: migrations and assets."""

from __future__ import annotations

from bundlevisor.manifest.check.view import Place, View, check_path, check_word
from bundlevisor.manifest.format.findings import Report


def check(view: View, report: Report) -> None:
    """Check every service's migrations and assets, without a look at the files."""
    for place in view.places:
        if place.service.migrations:
            _check_migrations(place, view, report)
        if place.service.assets:
            _check_assets(place, view, report)
    upgraded = [place for place in view.places if _is_upgraded(place)]
    put_back = [place for place in upgraded if _check_way_back(place, view, report)]
    if put_back and len(view.places) > 1:
        from bundlevisor.manifest.check import shared_data

        shared_data.check(put_back, view, report)


def _is_upgraded(place: Place) -> bool:
    return any(migration.run_on == "upgrade" for migration in place.service.migrations)


def _check_migrations(place: Place, view: View, report: Report) -> None:
    seen: set[str] = set()
    for index, migration in enumerate(place.service.migrations):
        path = f"{place.path}.migrations[{index}]"
        if migration.version in seen:
            sentence = (
                f"service '{place.id}': migration '{migration.version}' is listed twice, and a"
                " version runs once; rename one."
            )
            report.error("duplicate_migration", f"{path}.version", sentence, place.id)
        seen.add(migration.version)
        check_word(migration.command, f"{path}.command", view, report, place.id)


def _check_way_back(place: Place, view: View, report: Report) -> bool:
    """Return whether the data can be put back: all of it, or none."""
    from bundlevisor.manifest.format.reserved_paths import holds_own

    way_back = True
    for index, folder in enumerate(place.service.data_dirs):
        if holds_own(folder, view.manifest):
            sentence = (
                f"service '{place.id}': the folder '{folder}' also holds files of the runtime, so"
                " it is not copied before an upgrade; give the data a folder of its own."
            )
            path = f"{place.path}.data_dirs[{index}]"
            report.warning("snapshot_impossible", path, sentence, place.id)
            way_back = False
    return way_back


def _check_assets(place: Place, view: View, report: Report) -> None:
    from bundlevisor.manifest.plan.assets import is_checked, is_sha256

    for index, asset in enumerate(place.service.assets):
        path = f"{place.path}.assets[{index}]"
        check_path(asset.path, f"{path}.path", view, report, place.id)
        if is_checked(asset.sha256) and not is_sha256(asset.sha256):
            sentence = (
                f"service '{place.id}': the sha256 of {asset.path} is not 64 hexadecimal digits, so"
                " it is not checked; write 'pending' if it is not known yet."
            )
            report.warning("checksum_malformed", f"{path}.sha256", sentence, place.id)
