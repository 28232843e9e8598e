"""Which migrations run when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest

from bundlevisor.manifest.format.schema import Manifest, Migration, Service
from bundlevisor.manifest.plan.migrations import (
    InstallPhase,
    MigrationPlan,
    MigrationRecord,
    applied,
    bundle_phase,
    is_older,
    pending,
    phase,
    plan,
    rolled_back,
    settled,
    started,
)

RunOn = Literal["always", "first_install", "install", "upgrade"]


def migration(version: str, run_on: RunOn) -> Migration:
    return Migration(version=version, command=["m"], run_on=run_on)


SERVICE = Service(
    id="db",
    migrations=[
        migration("u2", "upgrade"),
        migration("f1", "first_install"),
        migration("a", "always"),
        migration("i1", "install"),
        migration("u1", "upgrade"),
    ],
)


@pytest.mark.parametrize(
    ("current", "done", "versions"),
    [
        (InstallPhase.FIRST_INSTALL, [], ["f1", "a", "i1"]),
        (InstallPhase.FIRST_INSTALL, ["f1"], ["a", "i1"]),
        (InstallPhase.UPGRADE, [], ["u2", "a", "u1"]),
        (InstallPhase.UPGRADE, ["u2", "a"], ["a", "u1"]),
        (InstallPhase.SAME, [], ["a"]),
        (InstallPhase.DOWNGRADE, [], ["a"]),
    ],
)
def test_a_phase_has_its_migrations_in_the_manifests_order(
    current: InstallPhase, done: list[str], versions: list[str]
) -> None:
    assert [item.version for item in pending(SERVICE, done, current)] == versions


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("", "1.0.0", InstallPhase.FIRST_INSTALL),
        ("1.0.0", "1.0.0", InstallPhase.SAME),
        ("1.0.0", "1.0.1", InstallPhase.UPGRADE),
        ("1.9.0", "1.10.0", InstallPhase.UPGRADE),
        ("1.10.0", "1.9.0", InstallPhase.DOWNGRADE),
        ("2.0.0", "2.0.0-rc.1", InstallPhase.DOWNGRADE),
        ("2.0.0-rc.1", "2.0.0", InstallPhase.UPGRADE),
        ("2.0.0-rc.2", "2.0.0-rc.10", InstallPhase.UPGRADE),
        ("1.0", "1.0.0", InstallPhase.UPGRADE),
        ("v1.2", "1.3", InstallPhase.UPGRADE),
        ("nightly-5", "nightly-6", InstallPhase.UPGRADE),
        ("1.0.0+a", "1.0.0+b", InstallPhase.UPGRADE),
    ],
)
def test_a_start_is_what_the_versions_say(before: str, now: str, expected: InstallPhase) -> None:
    assert phase(before, now) is expected


def test_order_of_versions() -> None:
    ordered = [
        *("0.9", "1.0.0-9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta"),
        *("1.0.0", "1.0.1", "1.2", "1.10", f"1.{'8' * 5000}", f"1.{'9' * 5000}"),
    ]
    for place, version in enumerate(ordered):
        assert not is_older(version, version)
        assert all(is_older(version, later) for later in ordered[place + 1 :])
        assert not any(is_older(later, version) for later in ordered[place + 1 :])


@pytest.mark.parametrize("other", ["1", "1.0.0", "1.00", "01.0", "v1.0", "1.0.0+1.2", " 1.0 "])
def test_versions_that_are_one(other: str) -> None:
    assert not is_older("1.0", other)
    assert not is_older(other, "1.0")


def bundle_at(manifest_of: Callable[..., Manifest], version: str) -> Manifest:
    migrations: list[dict[str, Any]] = [
        {"version": "f", "command": ["m"], "run_on": "first_install"},
        {"version": "u", "command": ["m"], "run_on": "upgrade"},
    ]
    services = ({"id": name, "migrations": migrations} for name in ("one", "two", "three"))
    return manifest_of(*services, app={"name": "a", "version": version})


def versions(manifest: Manifest, record: MigrationRecord) -> dict[str, list[str]]:
    return {
        name: [item.version for item in plan_.pending]
        for name, plan_ in plan(manifest, record).items()
    }


def done(record: MigrationRecord, manifest: Manifest, *services: str) -> MigrationRecord:
    plans = plan(manifest, record)
    for service in services:
        for item in plans[service].pending:
            record = applied(record, service, item.version)
        record = settled(record, plans, service, manifest.app.version)
    return record


def test_what_was_run_on_data_that_is_put_back_is_due_again_for_this_service_alone(
    manifest_of: Callable[..., Manifest],
) -> None:
    second = bundle_at(manifest_of, "2")
    record = MigrationRecord("1", {"one": ["f", "u"], "two": ["f", "u"]})
    assert versions(second, record) == {"one": [], "two": [], "three": ["u"]}
    back = rolled_back(record, "one", ("f",))
    assert back.applied == {"one": ["f"], "two": ["f", "u"]}
    assert versions(second, back) == {"one": ["u"], "two": [], "three": ["u"]}


def test_every_service_sees_the_first_install_not_only_the_first(
    manifest_of: Callable[..., Manifest],
) -> None:
    first = bundle_at(manifest_of, "1")
    record = MigrationRecord()
    assert bundle_phase(first, record) is InstallPhase.FIRST_INSTALL
    record = done(record, first, "one")
    assert versions(first, record) == {"one": [], "two": ["f"], "three": ["f"]}
    record = done(record, first, "two", "three")
    assert versions(first, record) == {"one": [], "two": [], "three": []}


def test_a_service_that_failed_or_never_started_keeps_its_phase(
    manifest_of: Callable[..., Manifest],
) -> None:
    first, second = bundle_at(manifest_of, "1"), bundle_at(manifest_of, "2")
    record = done(MigrationRecord(), first, "one", "two")
    assert versions(second, record) == {"one": ["u"], "two": ["u"], "three": ["f"]}
    record = done(record, second, "one")
    assert versions(second, record) == {"one": [], "two": ["u"], "three": ["f"]}
    assert bundle_phase(second, record) is InstallPhase.SAME


def test_the_record_of_the_go_runtime_is_understood(manifest_of: Callable[..., Manifest]) -> None:
    text = b'{"app_version": "1", "applied": {"one": ["f", "u"]}, "other": 1}'
    record = msgspec.json.decode(text, type=MigrationRecord)
    assert versions(bundle_at(manifest_of, "1"), record) == {"one": [], "two": [], "three": []}
    assert versions(bundle_at(manifest_of, "2"), record) == {
        "one": [],
        "two": ["u"],
        "three": ["u"],
    }


def test_a_downgrade_runs_nothing_and_is_told(manifest_of: Callable[..., Manifest]) -> None:
    record = done(MigrationRecord(), bundle_at(manifest_of, "2"), "one", "two", "three")
    older = bundle_at(manifest_of, "1")
    assert versions(older, record) == {"one": [], "two": [], "three": []}
    assert bundle_phase(older, record) is InstallPhase.DOWNGRADE
    assert plan(older, record)["one"] == MigrationPlan(InstallPhase.DOWNGRADE, "2", ())


def test_recording_twice_changes_nothing() -> None:
    record = applied(MigrationRecord(), "one", "f")
    assert applied(record, "one", "f") is record
    assert applied(record, "one", "u").applied == {"one": ["f", "u"]}


def test_a_start_records_services_without_migrations_and_the_version_once_all_are_through(
    manifest_of: Callable[..., Manifest],
) -> None:
    upgrade = {"version": "u", "command": ["m"], "run_on": "upgrade"}
    services = ({"id": "db", "migrations": [upgrade]}, {"id": "api"})
    made = manifest_of(*services, app={"name": "a", "version": "2"})
    record = started(MigrationRecord("1"), made)
    assert record == MigrationRecord("1", seen={"api": "2"})
    through = started(done(record, made, "db"), made)
    assert through == MigrationRecord("2", {"db": ["u"]}, {"db": "2", "api": "2"})


@pytest.mark.parametrize("others", [(), ("other",)], ids=["alone", "beside one that is through"])
def test_the_first_migration_of_a_service_finds_an_upgrade_though_another_was_never_through(
    manifest_of: Callable[..., Manifest], others: tuple[str, ...]
) -> None:
    """As one on demand, or one that waits for a secret."""
    listed = {"migrations": [{"version": "u", "command": ["m"], "run_on": "upgrade"}]}
    never = [{"id": name, **listed} for name in ("never", *others)]
    first = manifest_of({"id": "api"}, *never, app={"name": "a", "version": "1"})
    record = started(done(MigrationRecord(), first, *others), first)
    second = manifest_of({"id": "api", **listed}, *never, app={"name": "a", "version": "2"})
    due = versions(second, record)
    assert (due["api"], due["never"]) == (["u"], [])
