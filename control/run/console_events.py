"""What happens is written as telemetry, and told a person at the terminal in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bundlevisor.control.run.console import Console
from bundlevisor.manifest.format.schema import UI_BUNDLE

if TYPE_CHECKING:
    from bundlevisor.actors.board import Board
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.prepare.migration_record import Migrations
    from bundlevisor.actors.telemetry.writer import Telemetry

Say = Callable[[str, Mapping[str, object]], str]


def _of_chromium(id_: str, details: Mapping[str, object]) -> str:
    """Say nothing where all is well: a service that names no browser and gets Electron's."""
    missing, path, there = (details.get(name) for name in ("missing", "path", "there"))
    if there and not missing:
        return ""
    trouble = f"its Chromium {missing} is not there" if missing else "it names no Chromium"
    neither = "" if there else ", which is not there either" if missing else ", which is not there"
    return f"{id_}: {trouble}; it gets {path}{neither}"


def _of_files(id_: str, details: Mapping[str, object]) -> str:
    files, count = _names(details.get("files")), details.get("count")
    more = (
        f" and {count - len(files)} more" if isinstance(count, int) and count > len(files) else ""
    )
    affected = _names(details.get("affected"))
    beside = f", and {', '.join(affected)} with it" if affected else ""
    return f"{', '.join(files)}{more} changed: {id_} is restarted{beside}"


def _of_bundle(_id: str, details: Mapping[str, object]) -> str:
    if errors := _names(details.get("errors")):
        return f"the bundle was changed and could not be started now: {' '.join(errors)}"
    if changes := _names(details.get("changes")):
        return (
            f"the bundle was changed: {', '.join(changes)}; end this run and start it again to"
            " have that"
        )
    return "the bundle is again what this run was started with"


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


PLAIN: dict[str, Say] = {
    "files_changed": _of_files,
    "service_ready": lambda id_, _: f"{id_} is ready",
    "service_exit": lambda id_, d: f"{id_} ended: {d.get('error')}",
    "service_blocked": lambda id_, d: f"{id_} is {d.get('reason')}",
    "runtime_start": lambda _, d: (
        f"{d.get('app')} {d.get('version')}: starting {_counted(d.get('services'))}"
    ),
    "port_assigned": lambda id_, d: f"{id_} gets port {d.get('port')} ('{d.get('name')}')",
    "gpu_fallback_cpu": lambda _, d: str(d.get("message")),
    "ready": lambda _, d: str(d.get("summary")),
    "runtime_shutdown": lambda _, d: f"stopped ({d.get('reason')})",
}
TROUBLE: dict[str, Say] = {
    "bundle_changed": _of_bundle,
    "service_start_failed": lambda _, d: str(d.get("error")),
    "service_not_ready": lambda id_, d: f"{id_}: {d.get('error')}",
    "service_killed": lambda id_, d: (
        f"{id_} did not stop within {d.get('timeout_ms')} ms; killing it"
    ),
    "unhealthy": lambda id_, d: f"{id_} is unhealthy: {d.get('error')}",
    "secrets_missing": lambda id_, d: f"{id_} waits for secrets: {_listed(d.get('secrets'))}",
    "backoff": lambda id_, d: f"{id_} restarts in {d.get('delay_ms')} ms: {d.get('reason')}",
    "gave_up": lambda id_, d: f"{id_} has failed: {d.get('reason')}",
    "playwright_chromium_fallback": _of_chromium,
    "log_match_given_up": lambda id_, d: f"{id_}: {d.get('reason')}",
    "app_downgraded": lambda _, d: (
        f"the app is older than its data: {d.get('to')} is started, {d.get('from')} was used last"
    ),
    "migration_rolled_back": lambda id_, d: (
        f"{id_}: its data is what it was before the upgrade: {d.get('reason')}"
    ),
    "migration_snapshot_skipped": lambda id_, d: (
        f"{id_}: the upgrade has no way back: {d.get('reason')}"
    ),
    "state_set_aside": lambda _, d: str(d.get("reason")),
    "port_answered_by_other": lambda id_, d: (
        f"{id_}: its port {d.get('port')} ('{d.get('name')}') is listened on by {d.get('program')} "
        f"(pid {d.get('pid')}), which is none of its processes; it may not be {id_} that is ready"
    ),
    "app_data_removed": lambda _, d: (
        f"{d.get('folder')} was removed while this instance runs: its lock and the files by which"
        " it is found are made again; what services had there is gone"
    ),
    "ipc_port_reassigned": lambda _, d: (
        f"port {d.get('previous')} of the control API is taken or reserved by the system; it"
        f" listens on {d.get('port')}, as runtime/ipc_port says"
    ),
    "port_reassigned": lambda id_, d: (
        f"{id_}: port {d.get('previous')} ('{d.get('name')}') is taken or reserved by the system;"
        f" it gets {d.get('port')}"
    ),
}


def _counted(services: object) -> str:
    return "1 service" if services == 1 else f"{services} services"


def _listed(ids: object) -> str:
    return ", ".join(ids) if isinstance(ids, list) else ""


class Announcer:
    """Tells every event of a run; any thread."""

    def __init__(
        self,
        console: Console,
        telemetry: Telemetry,
        board: Board,
        specs: Mapping[str, LaunchSpec],
    ) -> None:
        self._console = console
        self._telemetry = telemetry
        self._board = board
        self._specs = specs

    def emit(self, event: str, service_id: str | None = None, **details: object) -> None:
        """Write a telemetry event, and say on the console what a person wants to know of it."""
        self._telemetry.emit(event, service_id, **details)
        self._announce(event, service_id or "", details)
        if event == "service_ready" and service_id:
            self._tell_page(service_id)

    def _tell_page(self, service_id: str) -> None:
        """Say where a page is, served by the runtime or by a program of its own."""
        ports = self._board.snapshot.services[service_id].ports
        if ports and self._specs[service_id].service.type == UI_BUNDLE:
            self._console.info(f"open http://127.0.0.1:{next(iter(ports.values()))}/", service_id)

    def set_aside(self, reason: str) -> None:
        """Tell of a file that was of no use."""
        self.emit("state_set_aside", None, reason=reason)

    def tell_slow_turn(self, what: str, seconds: float) -> None:
        """Tell of a turn of the events loop that held up all others."""
        self.emit("slow_turn", None, what=what, ms=round(seconds * 1000))

    def tell_news(self, migrations: Migrations) -> None:
        """Tell what the record of migrations found when it was opened."""
        for event, details in migrations.news():
            self.emit(event, None, **details)

    def _announce(self, event: str, service_id: str, details: Mapping[str, object]) -> None:
        if event in PLAIN:
            self._console.info(PLAIN[event](service_id, details), service_id)
        elif event in TROUBLE and (sentence := TROUBLE[event](service_id, details)):
            self._console.warn(sentence, service_id)
