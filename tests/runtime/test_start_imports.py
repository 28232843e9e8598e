"""What is imported before the first spawn: a list, so that nobody adds to it unknowing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.control.boot.folders import FOLDERS
from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.test_layers import KNOWN
from tests.waiting import WITHIN

RUNNER = """
import os, sys
sys.path += {path!r}
def made():
    for module in ("signal", "socket"):
        for name, one in vars(sys.modules[module]).items():
            if type(one).__name__ == "EnumType" and one.__module__ == module:
                yield module + "." + name
def hear(event, arguments):
    start = sys.modules.get("bundlevisor.control.run.bundle_start")
    if start:
        start.LAUNCHING = 3600  # its imports wait however long the machine takes to launch
    for place, (what, which) in list(wanted.items()):
        if event == what and arguments[0] == (which or arguments[0]):
            del wanted[place]
            with open(place + ".new", "w") as file:
                file.write("\\n".join(sorted([*sys.modules, *made()])))
            os.rename(place + ".new", place)
wanted = {wanted!r}
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
main({argv!r})
"""
LIBRARIES = {"msgspec", "pykka"}
"""The only ones that a service actor needs before it can spawn."""
SLOW = {
    *("argparse", "asyncio", "ctypes", "dataclasses", "email", "falcon", "hashlib", "http"),
    *("inspect", "json", "logging", "pathlib", "platform", "psutil", "random", "re2", "secrets"),
    *("shutil", "ssl", "subprocess", "tempfile", "typing_extensions", "urllib", "waitress", "xml"),
    "aiohttp",
}
OPENING = """
manifest: check
actors: board
actors.core: report snapshot
actors.files: atomic endpoint files_posix instance instance_lock json_text lock_posix own_file
actors.guardian: channel channel_posix guarded guardian_process in_the_making link owned_file
actors.guardian: roster starting wire
actors.launch: places
actors.loop: clock reactor timers wall_time
actors.process: exit_reason own_children plain_signals tree
actors.process.table: found linux own_process rlimit_mark
actors.telemetry: milestones
control.api: bundle_health
control.boot: code_file early_socket first_signals folders ipc_socket straight_import
actors.stand_ins: for_run late late_enum
control.http: early_health health_words response
control.run: admission background_writer bundle console endpoint_files opening options
 resource_limits runtime shutdown_requests
control.wire: exchange exit_codes health origin version
manifest.format: app_data document findings loopback paths platform policy probe reserved_paths
 schema secret suggest variables
manifest.plan: claims command environment graph launch ports template template_uses
manifest.read: duplicates load source
"""
SERVICES = """
actors: background_work bundle_state collaborators context getting_ready incarnation picture
 ports_in_force service service_actors service_effects service_probes service_report service_timers
 supervisor tree_stop
actors.core: commanded dependencies desired effects foreseen life lifecycle messages
 restart run_end views
actors.files: rotating_file tail time_index
actors.gpu: linux presence
actors.launch: ahead inputs page spec tracked_process
actors.logs: calls_put_off followers intake match path pipe_copy pipes pipes_posix sink stream
actors.loop: loop_actor
actors.ports: allocator port_locks reallocation remembered reservations service_ports
actors.probes: checks listen_watch probing schedule
actors.process: binary child_posix children exit_event_posix fork_exec parent_watch
 spawn_request
actors.process.table: control_group
actors.telemetry: event event_file writer
control.run: assembly bundle_start console_events edges gpu instance_record launch_specs
 parts secret_supply
manifest.plan: readiness
"""


Modules = frozenset[str]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Modules, Modules]:
    """What is imported when the first half of a start is over, and at the first spawn.

    As ``signal.Signals`` the enumerations that have been made are listed, too.
    """
    folder = tmp_path_factory.mktemp("imports")
    made = bundle(folder).service("db").write()
    opened, spawned = folder / "opened", folder / "spawned"
    run_until(made, spawned, {opened: ("import", "pykka"), spawned: ("subprocess.Popen", "")})
    return frozenset(opened.read_text().split()), frozenset(spawned.read_text().split())


def run_until(made: Bundle, last: Path, wanted: dict[Path, tuple[str, str]]) -> None:
    """Run a bundle until ``last`` is there, one of the files with what is imported at an event.

    An event is that of an audit hook with its first argument, or with any.
    """
    root = str(Path(__file__).parents[2])
    path = [*(p for p in sys.path if p.endswith("site-packages")), root]
    argv = ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]
    places = {str(place): event for place, event in wanted.items()}
    code = RUNNER.format(path=path, wanted=places, argv=argv)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(last.exists, what="the spawn")
        process.terminate()
        process.wait(WITHIN)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_api_waits_for_what_is_launched_together(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for name in ("one", "two", "three", "four"):
        made.service(name)
    made.write()
    spawned = tmp_path / "spawned"
    event = ("subprocess.Popen", str(made.root / "bin" / "four"))
    run_until(made, spawned, {spawned: event})
    assert not {"waitress", "bundlevisor.control.run.api_host"} & set(spawned.read_text().split())


def ours(modules: Modules) -> set[str]:
    """Return ours but for packages that are nothing but a folder, which are made all at once."""
    folders = {f"bundlevisor.{name}" for name in FOLDERS.split()}
    return {name for name in modules if name.partition(".")[0] == "bundlevisor"} - folders


@pytest.mark.skipif(sys.platform != "linux", reason="the list is Linux's")
def test_only_what_is_listed_is_imported_before_the_first_spawn(
    imported: tuple[Modules, Modules],
) -> None:
    modules = imported[1]
    tops = {name.partition(".")[0] for name in modules}
    assert sorted(SLOW & (tops | modules)) == []
    outside = {name for name in tops if name not in sys.stdlib_module_names}
    assert outside - {"__main__", "__mp_main__"} == {"bundlevisor", *LIBRARIES}
    assert sorted(ours(modules) - _listed(OPENING + SERVICES)) == []


def test_no_enumeration_of_signals_or_sockets_is_made_before_the_first_spawn(
    imported: tuple[Modules, Modules],
) -> None:
    made = {name for name in imported[1] if name.startswith(("signal.", "socket."))}
    assert made == set()


@pytest.mark.skipif(sys.platform != "linux", reason="the list is Linux's")
def test_nothing_of_services_is_imported_before_a_shell_is_answered(
    imported: tuple[Modules, Modules],
) -> None:
    modules = imported[0]
    assert sorted({"pykka", "re"} & modules) == []
    assert sorted(ours(modules) - _listed(OPENING)) == []


UNPACKED = Path(__file__).parents[2] / "packaging" / "shipping" / "imports" / "start.txt"
"""What a shipped folder has unpacked; ``packaging/audit.py`` renews it, or a hand adds a line."""


@pytest.mark.skipif(sys.platform != "linux", reason="the list is Linux's")
def test_a_folder_has_unpacked_what_a_start_imports(imported: tuple[Modules, Modules]) -> None:
    unpacked = set(UNPACKED.read_text().split("\n")[1:])
    assert sorted(ours(imported[1]) - unpacked) == [], f"add them to {UNPACKED}"
    gone = {name for name in unpacked - KNOWN.keys() if name.startswith("bundlevisor.")}
    assert sorted(gone) == []


def _listed(rooms: str) -> set[str]:
    listed = set()
    for paragraph in rooms.strip().replace("\n ", " ").splitlines():
        room, _, names = paragraph.partition(":")
        parents = ["bundlevisor", *room.split(".")]
        listed |= {".".join(parents[: n + 1]) for n in range(len(parents))}
        listed |= {f"bundlevisor.{room}.{name}" for name in names.split()}
    checks = [name for name in listed if name == "bundlevisor.manifest.check"]
    parts = (
        "dependencies",
        "header",
        "names",
        "places",
        "ports",
        "preparation",
        "probes",
        "secrets",
        "services",
    )
    for check in checks:
        listed |= {f"{check}.{part}" for part in (*parts, "texts", "view")}
    return listed | {"bundlevisor.control.__main__"}


PLAIN = ("/readyz?strict=1", "/ports", "/telemetry", "/secrets")
LATE = ("falcon", "logging", "bundlevisor.actors.secrets.vault")
"""What a bundle without secrets needs for nothing that a shell asks in every run."""
WATCHER = """
import sys
sys.path[:0] = {path!r}
def hear(event, arguments):
    found = ""
    if event == "import" and arguments[0] in {late!r}:
        found = arguments[0]
    elif event == "compile" and arguments[1] == "<string>":
        source = arguments[0].decode()
        if not source.startswith("lambda"):  # collections.namedtuple's, which go to eval()
            found = "compile " + source
    if found:
        with open({out!r}, "a") as file:
            file.write(found + "\\n")
sys.addaudithook(hear)
from bundlevisor.control.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_falcon_and_logging_are_imported_when_a_request_needs_them(tmp_path: Path) -> None:
    """Until then no annotation is compiled, either: the types of syntax trees take 200 KiB."""
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    out = tmp_path / "imported"
    with starting(made, command=watched(out)) as run:
        run.await_listening()
        assert run.get("/healthz", token=None).status == 200
        assert run.until_ready()["ready"]
        answered = {query: run.get(query).status for query in PLAIN}
        assert set(answered.values()) == {200}
        assert run.get("/readyz?wait=soon").status == 400
        assert run.get("/status", token="wrong").status == 401
        assert run.get("/readyz", headers={"Host": "example.org"}).status == 403
        wait_until(lambda: has_started(run), what="the end of the start")
        assert run.get("/status").status == 200
        assert not out.exists()
        assert run.get("/timeline").status == 200
        assert "falcon" in out.read_text().splitlines()  # which has its own use for logging


def test_the_end_is_asked_for_without_falcon(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    out = tmp_path / "imported"
    with starting(made, command=watched(out)) as run:
        run.await_listening()
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
    assert "falcon" not in (out.read_text().splitlines() if out.exists() else ())


def watched(out: Path) -> list[str]:
    """Return a command that writes down when one of ``LATE`` is imported, or text compiled."""
    root = str(Path(__file__).parents[2])
    path = [root, *(p for p in sys.path if p.endswith("site-packages"))]
    return [sys.executable, "-I", "-S", "-c", WATCHER.format(path=path, out=str(out), late=LATE)]


def has_started(run: Run) -> bool:
    """Whether all is done that a start does, its record included."""
    return any(event["event"] == "ready" for event in run.telemetry())
