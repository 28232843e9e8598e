"""What is imported before the first spawn: a list, so that nobody adds to it unknowing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, wait_until

RUNNER = """
import sys
sys.path[:0] = {path!r}
def hear(event, arguments):
    if event == "subprocess.Popen" and not heard:
        heard.append(event)
        with open({out!r} + ".new", "w") as file:
            file.write("\\n".join(sorted(sys.modules)))
        import os
        os.rename({out!r} + ".new", {out!r})
heard = []
sys.addaudithook(hear)
from control.__main__ import main
main({argv!r})
"""
LIBRARIES = {"msgspec", "pykka"}
"""The only ones that a service actor needs before it can spawn."""
SLOW = {
    *("argparse", "asyncio", "ctypes", "dataclasses", "email", "falcon", "hashlib", "http"),
    *("inspect", "json", "logging", "pathlib", "platform", "psutil", "random", "re2", "secrets"),
    *("shutil", "ssl", "tempfile", "typing_extensions", "urllib", "waitress", "xml", "aiohttp"),
}
OWN = """
actors: binary blueprint collaborators commanded concealed desired effects gpu incarnation
 lifecycle messages milestones order page places readiness report restart service service_ports
 snapshot supervisor world
actors.edges: checks clock held_ports listening log_file log_follow log_intake log_match log_passage
 log_path log_sink logs loop loop_actor parent pipes pipes_posix probe probing stop_request tail
 timers
actors.gpu: linux
actors.guardian: belongings channel channel_posix charge deaf launch link roster sentry wire
actors.process: launch own_children own_files posix posix_exit table tree upkeep
actors.state: atomic endpoint event event_file instance instance_lock lock_posix own_file ports
 files_posix telemetry
actors.table: brand found linux own_process
control: announce background_writer bundle console courtesy early_socket ending gpu ipc_socket
 lean_imports options port_book register runtime secret_supply
manifest: check claims command duplicates environment findings graph launch load loopback own_files
 paths plan_ports platform schema source suggest template texts
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the list is Linux's")
def test_only_what_is_listed_is_imported_before_the_first_spawn(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    out = tmp_path / "modules"
    root = str(Path(__file__).parents[2])
    path = [root, *(p for p in sys.path if p.endswith("site-packages"))]
    argv = ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]
    code = RUNNER.format(path=path, out=str(out), argv=argv)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(out.exists, what="the first spawn")
        process.terminate()
        process.wait(15)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    modules = out.read_text().split()
    tops = {name.partition(".")[0] for name in modules}
    assert sorted(SLOW & (tops | set(modules))) == []
    outside = {name for name in tops if name not in sys.stdlib_module_names}
    assert outside - {"__main__", "__mp_main__"} == {"manifest", "actors", "control", *LIBRARIES}
    ours = {name for name in modules if name.partition(".")[0] in ("manifest", "actors", "control")}
    assert sorted(ours - _listed()) == []


def _listed() -> set[str]:
    listed = set()
    for paragraph in OWN.strip().replace("\n ", " ").splitlines():
        room, _, names = paragraph.partition(":")
        parents = room.split(".")
        listed |= {".".join(parents[: n + 1]) for n in range(len(parents))}
        listed |= {f"{room}.{name}" for name in names.split()}
    checks = [name for name in listed if name == "manifest.check"]
    parts = (
        "dependencies",
        "header",
        "places",
        "ports",
        "preparation",
        "probes",
        "secrets",
        "services",
    )
    for check in checks:
        listed |= {f"{check}.{part}" for part in (*parts, "texts", "view")}
    return listed | {"control.__main__"}


def test_the_server_answers_before_falcon_is_imported() -> None:
    code = "import sys, control.server; print('falcon' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
