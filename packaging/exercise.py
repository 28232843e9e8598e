#!/usr/bin/env python3
"""Does everything that the product can do with a built folder: ``exercise.py FOLDER --work DIR``.

For the audit of imports, for the tests, and for a folder of another machine: words after ``--with``
stand before each command (``qemu-aarch64-static``, ``wine``). The folder is run with an empty
environment. ``--root DIR`` runs it in a root of its own, where FOLDER and the work folder lie.
Prints a line for each thing done; the exit code is that of the first that went wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from shipping.targets import TARGETS, Target
from shipping.tools import run as run_tool, zig, zig_environment

PROGRAM = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "shipping", "native", "service.c"
)
DEADLINE = 60.0
"""Seconds that any one thing may take; emulators are slow."""


class Wrong(Exception):
    """Something did not go as it has to."""


class Place:
    """Where the folder and its bundle lie, as the tried programs see it and as we do."""

    def __init__(self, folder: str, work: str, root: str, before: list[str]) -> None:
        self.folder, self.work, self.root = folder, work, root
        self._before = [
            *([shutil.which("chroot") or "/usr/sbin/chroot", root] if root else []),
            *before,
        ]

    def outside(self, *parts: str) -> str:
        """Return the path by which we reach a file of the work folder."""
        inside = os.path.join(self.work, *parts)
        return os.path.join(self.root, inside.lstrip("/")) if self.root else inside

    def command(self, program: str, *words: str) -> list[str]:
        """Return the command line of one of the folder's programs."""
        exe = ".exe" if os.path.exists(f"{self.folder}/runtime.exe") else ""
        return [*self._before, os.path.join(self.folder, program + exe), *words]

    @property
    def manifest(self) -> str:
        """The bundle's manifest."""
        return os.path.join(self.work, "bundle", "bundle.json")

    @property
    def app_data(self) -> str:
        """The application's data."""
        return os.path.join(self.work, "app data")


def main() -> int:
    """Try everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--target", default="linux-x64", choices=sorted(TARGETS))
    parser.add_argument("--work", required=True, metavar="DIR", help="made anew")
    parser.add_argument("--root", default="", metavar="DIR")
    parser.add_argument(
        "--loopback", action="store_true", help="set the loopback up: a new network"
    )
    parser.add_argument(
        "--only-start", action="store_true", help="a start without a page, and a stop"
    )
    parser.add_argument("--with", dest="before", nargs=argparse.REMAINDER, default=[])
    asked = parser.parse_args()
    if asked.loopback:
        set_loopback_up()
    place = Place(asked.folder, asked.work, asked.root, asked.before)
    try:
        make_bundle(place, TARGETS[asked.target])
        if asked.only_start:
            start_and_stop(place)
            return 0
        without_an_instance(place)
        with_an_instance(place, TARGETS[asked.target])
    except Wrong as wrong:
        print(f"WRONG: {wrong}")
        return 1
    return 0


def make_bundle(place: Place, target: Target) -> None:
    """Make a bundle that has one of everything."""
    shutil.rmtree(place.outside(), ignore_errors=True)
    for folder in ("bundle/bin", "bundle/web"):
        os.makedirs(place.outside(folder))
    program = place.outside("bundle", "bin", "program")
    linux = {"x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl"}
    triple = linux[target.machine] if target.system == "linux" else target.zig
    libraries = ("-lws2_32",) if target.system == "win32" else ("-static",)
    run_tool(
        zig(),
        "cc",
        "-target",
        triple,
        "-O2",
        "-s",
        "-o",
        program + target.exe,
        PROGRAM,
        *libraries,
        env=zig_environment(),
    )
    with open(place.outside("bundle", "web", "index.html"), "w", encoding="utf-8") as file:
        file.write("<!doctype html><title>page</title>\n" + "<p>words</p>\n" * 400)
    with open(place.outside("bundle", "bundle.json"), "w", encoding="utf-8") as file:
        json.dump(_manifest(target), file)
    with open(place.outside("bundle", "wrong.json"), "w", encoding="utf-8") as file:
        file.write('{"schema_version": "v0.1", "services": [{"id": 3}]}')


def _manifest(target: Target) -> dict[str, Any]:
    binary = f"bin/program{target.exe}"

    def service(id_: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": id_,
            "type": "api-binary",
            "binaries": {"universal": {"path": binary}},
            "ports": {"requested": [{"name": "http"}]},
            "health": {"type": "http", "path": "/", "port_name": "http", "interval_ms": 200},
            "readiness": {"type": "health_success", "port_name": "http"},
            "stop": {"timeout_ms": 2000},
            **fields,
        }

    random = {"type": "random", "length": 32, "charset": "hex"}
    target_env = {"type": "env", "name": "SECRET"}
    return {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": "Exercise", "version": "1.0.0"},
        "ipc": {
            "mode": "loopback-http",
            "host": "127.0.0.1",
            "port": 0,
            "auth_token_path": "runtime/auth-token",
        },
        "telemetry": {"file": "telemetry/events.jsonl"},
        "ports": {"default_range": {"min": 22000, "max": 22999}},
        "secrets": [
            {
                "id": "made",
                "class": "per_install_generated",
                "format": "^[0-9a-f]{32}$",
                "generator": random,
                "target": target_env,
            },
            {"id": "asked", "class": "user_prompt", "format": "^[a-z]+$", "target": target_env},
            {
                "id": "file",
                "class": "per_install_generated",
                "target": {"type": "file", "name": "secret.txt"},
            },
        ],
        "services": [
            service(
                "api",
                secrets=["made", "file"],
                data_dirs=["api"],
                migrations=[{"version": "1.0.0", "command": [binary, "migrate"]}],
                assets=[{"path": binary}],
                gpu={"requirement": "optional"},
            ),
            service("asks", secrets=["asked"], dependencies=["api"], critical=False),
            service(
                "matched",
                dependencies=["api"],
                health={"type": "command", "command": [binary, "check"]},
                readiness={"type": "log_match", "pattern": "listening on [0-9]+"},
            ),
            service(
                "tcp",
                health={"type": "tcp", "port_name": "http"},
                readiness={"type": "port_open", "port_name": "http"},
            ),
            service("playwright-driver", readiness={"type": "dependencies_ready"}),
            service("later", metadata={"run_mode": "on_demand"}),
            {
                "id": "web",
                "type": "ui-bundle",
                "binaries": {"universal": {"path": "web"}},
                "dependencies": ["api"],
                "ports": {"requested": [{"name": "http"}]},
                "health": {"type": "http", "path": "/", "port_name": "http"},
                "readiness": {"type": "port_open", "port_name": "http"},
            },
        ],
    }


def without_an_instance(place: Place) -> None:
    """Do what needs no running instance."""
    data = ("--app-data", place.app_data)
    ask(place, 0, "--version")
    ask(place, 0, "--help")
    ask(place, 0, "schema")
    ask(place, 0, "validate", "--manifest", place.manifest, *data)
    ask(
        place,
        1,
        "validate",
        "--manifest",
        os.path.join(place.work, "bundle", "wrong.json"),
        *data,
        accept=(1, 2),
    )
    ask(place, 2, "run", "--manifest", os.path.join(place.work, "bundle", "wrong.json"), *data)
    ask(place, 2, "run", "--manifest", os.path.join(place.work, "nothing.json"), *data)
    ask(place, 2, "no-such-command")
    ask(place, 4, "status", *data)
    done("validate, schema, help, version, wrong manifests, wrong words, no instance")
    developing(place, data)


def developing(place: Place, data: tuple[str, str]) -> None:
    """Make a bundle, and look at one, in every way that there is."""
    overlay = os.path.join(place.work, "bundle", "dev.json")
    with open(place.outside("bundle", "dev.json"), "w", encoding="utf-8") as file:
        json.dump({"services": {"api": {"env": {"LEVEL": "debug"}}, "later": None}}, file)
    given = ("--manifest", place.manifest, "--overlay", overlay)
    for language in ("python", "node"):
        ask(place, 0, "init", os.path.join(place.work, language), "--language", language)
    ask(place, 1, "init", os.path.join(place.work, "node"))
    for words in (("config",), ("config", "--json"), ("config", "api")):
        ask(place, 0, *words, *given, *data)
    for flags in ((), ("--mermaid",), ("--dot",)):
        ask(place, 0, "graph", *given, *flags)
    for shell in ("bash", "zsh", "fish", "powershell"):
        ask(place, 0, "completion", shell)
    ask(place, 0, "completion", "services", "--manifest", place.manifest)
    done("init, overlays, config, graph, completion")


def start_and_stop(place: Place) -> None:
    """Start, wait until all is ready, and stop, as a shell does."""
    _leave_out_the_page(place)
    words = ("run", "--manifest", place.manifest, "--app-data", place.app_data)
    with running(place, *words) as process:
        api = Api(place)
        expect(200, "a secret", api.post("/secrets", {"secrets": {"asked": "word"}}))
        expect(200, "readiness", api.get("/readyz?wait=40"))
        expect(200, "the state", api.get("/status"))
        api.stream("/events?after=0", "text/event-stream", b"data:")
        api.post("/shutdown", {})
        process.wait(DEADLINE)
    done("a start and a stop")


def _leave_out_the_page(place: Place) -> None:
    path = place.outside("bundle", "bundle.json")
    with open(path, encoding="utf-8") as file:
        manifest = json.load(file)
    manifest["services"] = [one for one in manifest["services"] if one["type"] != "ui-bundle"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(manifest, file)


def with_an_instance(place: Place, target: Target) -> None:
    """Do everything with a running instance, and stop it."""
    words = ("run", "--watch", "--manifest", place.manifest, "--app-data", place.app_data)
    with running(place, *words) as process:
        asking_by_command(place)
        api = Api(place)
        asking_by_http(api)
        a_page(api)
        services(place, api)
        if target.system == "linux":
            a_killed_guardian(api)
        ask(place, 3, *words)
        done("a second instance is refused")
        left = api.children()
        ask(place, 0, "shutdown", "--app-data", place.app_data, "--wait", "30")
        code = process.wait(DEADLINE)
        if code != 0:
            raise Wrong(f"the runtime ended with {code}")
        until("everything is gone", lambda: not any(map(_alive, left)))
    done("shutdown")
    with running(place, *words):
        ask(place, 0, "ready", "--app-data", place.app_data, "--wait", "30", accept=(0, 1))
        ask(place, 0, "timeline", "--app-data", place.app_data, "--compare", accept=(0, 1, 2))
        ask(place, 0, "shutdown", "--app-data", place.app_data, "--wait", "30")
    done("a second start")


def asking_by_command(place: Place) -> None:
    """Use every command of the client."""
    data = ("--app-data", place.app_data)
    api = Api(place)
    until("all but what waits for a secret is ready", lambda: api.states("asks") <= {"ready"})
    ask(place, 0, "secrets", "set", "asked", *data, "--stdin", text="word")
    ask(place, 1, "secrets", "set", "asked", *data, "--stdin", text="NOT A WORD", accept=(1, 2))
    ask(place, 0, "ready", *data, "--wait", "40")
    for words in (
        ("status",),
        ("status", "--json"),
        ("health",),
        ("ports",),
        ("ready",),
        ("port", "--service", "api"),
        ("logs", "--service", "api", "--lines", "5"),
        ("logs", "--timestamps", "--since", "1h"),
        ("logs", "api", "tcp", "--json"),
        ("secrets", "list"),
        ("telemetry",),
        ("events", "--lines", "5"),
        ("events", "--service", "api", "--json"),
        ("timeline",),
        ("timeline", "--svg", os.path.join(place.work, "timeline.svg")),
        ("dashboard", "--no-open"),
        ("restart", "tcp", "--wait", "20"),
        ("stop", "tcp", "--wait", "20"),
        ("start", "tcp", "--wait", "20"),
        ("status", "--manifest", place.manifest),
    ):
        ask(place, 0, *words, *(data if "--manifest" not in words else ()), accept=(0, 4))
    suffix = ".exe" if os.path.exists(place.outside("bundle", "bin", "program.exe")) else ""
    ask(place, 0, "exec", "api", *data, "--", f"bin/program{suffix}", "check")
    token = os.path.join(place.app_data, "runtime", "auth-token")
    for command in ("health", "status", "ports"):
        there = ("--port", str(api.port), "--token-file", token)
        ask(place, 0, *there, command, program="runtimectl")
    if not os.path.exists(place.outside("app data", "migrated")):
        raise Wrong("the migration did not run")
    done("every command, secrets by command, a migration")


def asking_by_http(api: Api) -> None:
    """Ask every endpoint, also wrongly."""
    if api.get("/healthz", bearer=False)[0] != 200 or api.get("/status", bearer=False)[0] != 401:
        raise Wrong("only /healthz is answered without a token")
    for path in (
        "/readyz?wait=1",
        "/ports",
        "/status",
        "/validate",
        "/secrets",
        "/telemetry",
        "/logs/tail?serviceId=api",
        "/logs/tail?serviceId=api&lines=3",
        "/logs/lines?services=api,tcp&lines=3&since=60",
        "/metrics",
        "/timeline",
        "/openapi.json",
        "/events?after=0&limit=5",
        "/readyz?strict=1",
        "/ui/",
        "/ui/main.js",
    ):
        expect(200, path, api.get(path))
    expect(200, "the picture", api.get("/timeline", accept="image/svg+xml"))
    expect(404, "an unknown service", api.get("/logs/tail?serviceId=nobody"))
    expect(404, "an unknown path", api.get("/nothing"))
    expect(400, "a wrong number", api.get("/logs/tail?serviceId=api&lines=x"))
    expect(200, "secrets", api.post("/secrets", {"secrets": {"asked": "another"}}))
    expect(400, "a wrong secret", api.post("/secrets", {"secrets": {"asked": "NO"}}))
    expect(400, "no JSON", api.post("/secrets", None))
    expect(202, "a restart", api.post("/services/tcp/restart?wait=10", {}))
    expect(202, "on demand", api.post("/services/later/start?wait=10", {}))
    api.stream("/events?after=0", "text/event-stream", b"data:")
    api.stream("/logs/follow?serviceId=api", "text/plain", b"")
    done("every endpoint, both streams")


def a_page(api: Api) -> None:
    """Use a page: all, a part, not modified, compressed, fallback, missing, the API behind."""
    port = api.json("/ports")["services"]["web"]["http"]
    status, headers, body = fetch(port, "/")
    expect(200, "the page", (status, body))
    expect(206, "a part", fetch(port, "/index.html", Range="bytes=0-9")[::2])
    expect(304, "not modified", fetch(port, "/", **{"If-None-Match": headers["ETag"]})[::2])
    expect(200, "compressed", fetch(port, "/", **{"Accept-Encoding": "gzip, br"})[::2])
    expect(200, "a route of the page", fetch(port, "/some/route")[::2])
    expect(404, "a missing file", fetch(port, "/missing.js")[::2])
    expect(200, "the API behind the page", fetch(port, "/api/x")[::2])
    done("a page and the API behind it")


def services(place: Place, api: Api) -> None:
    """Let a service crash, and see it replaced."""
    port = api.json("/ports")["services"]["api"]["http"]
    before = api.json("/readyz")["details"]["api"]["restarts"]
    with contextlib.suppress(OSError, http.client.HTTPException):
        fetch(port, "/crash")
    until(
        "the crashed service is there again",
        lambda: api.json("/readyz")["details"]["api"]["restarts"] > before,
    )
    ask(place, 0, "ready", "--app-data", place.app_data, "--wait", "40")
    done("a crash and a restart")


def a_killed_guardian(api: Api) -> None:
    """Kill the guardian, and see the next one, which is a new interpreter."""
    (guardian,) = api.guardians()
    os.kill(guardian, signal.SIGKILL)
    until("there is another guardian", lambda: bool(api.guardians() - {guardian}))
    expect(200, "the API afterwards", api.get("/readyz"))
    done("a killed guardian is replaced")


class Api:
    """The control API of the running instance."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.port = int(_wait_for_file(place, "app data", "runtime", "ipc_port"))
        self._token = _wait_for_file(place, "app data", "runtime", "auth-token")

    def get(
        self, path: str, *, bearer: bool = True, accept: str = "application/json"
    ) -> tuple[int, bytes]:
        """GET a path."""
        return self._ask("GET", path, bearer, {"Accept": accept}, None)

    def post(self, path: str, document: object) -> tuple[int, bytes]:
        """POST JSON."""
        body = b"{wrong" if document is None else json.dumps(document).encode()
        return self._ask("POST", path, True, {"Content-Type": "application/json"}, body)

    def json(self, path: str) -> Any:
        """GET JSON."""
        return json.loads(self.get(path)[1])

    def stream(self, path: str, accept: str, wanted: bytes) -> None:
        """Read a stream until something stands in it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            expect(200, path, (answer.status, b""))
            while wanted and wanted not in answer.read1(2000):
                continue

    def states(self, *but: str) -> set[str]:
        """Return the states of the services that are not skipped, but some."""
        details = self.json("/readyz")["details"]
        return {
            one["state"]
            for id_, one in details.items()
            if id_ not in but and not one.get("skipped")
        }

    def children(self) -> set[int]:
        """Return the runtime's children; none where there is no /proc to tell."""
        pid = self.json("/status")["pid"]
        found = set()
        for task in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else ():
            with (
                contextlib.suppress(FileNotFoundError, ProcessLookupError),  # a thread that ended
                open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file,
            ):
                found |= {int(word) for word in file.read().split()}
        return found

    def guardians(self) -> set[int]:
        """Return the children that are no services, and alive."""
        details = self.json("/readyz")["details"].values()
        theirs = {one.get("pid") for one in details}
        return {pid for pid in self.children() - theirs if _alive(pid)}

    def _ask(
        self, method: str, path: str, bearer: bool, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        if bearer:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


def fetch(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """GET from a service."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def ask(
    place: Place,
    code: int,
    *words: str,
    accept: tuple[int, ...] = (),
    text: str | None = None,
    program: str = "runtime",
) -> None:
    """Run a command of the folder; :class:`Wrong` unless it ends with the exit code."""
    command = place.command(program, *words)
    ended = subprocess.run(
        command,
        env=_environment(place),
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE * 2,
        check=False,
    )
    said = f"{ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    if ended.returncode not in (accept or (code,)) or "Traceback" in said:
        raise Wrong(f"'{' '.join(words)}' ended with {ended.returncode}, not {code}:\n{said}")


@contextlib.contextmanager
def running(place: Place, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the runtime as long as the block lasts."""
    log = place.outside("runtime.log")
    with open(log, "ab") as output:  # through a pipe: in Wine no file of ours can be written to
        copying = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=output)
    assert copying.stdin is not None
    with copying.stdin as pipe:
        process = subprocess.Popen(
            place.command("runtime", *words),
            env=_environment(place),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
        )
    try:
        yield process
    except Exception as error:
        with open(log, encoding="utf-8", errors="replace") as said:
            text = said.read()[-3000:]
        raise Wrong(f"{error}\nthe runtime said:\n{text}") from error
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
        process.wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            copying.wait(20)
        copying.kill()
        copying.wait()
    with open(log, encoding="utf-8", errors="replace") as said:
        text = said.read()
    if "Traceback" in text or "Error:" in text:
        raise Wrong(f"the runtime said:\n{text[-3000:]}")


def _environment(place: Place) -> dict[str, str]:
    """Return what wine and qemu need; nothing where the folder runs by itself."""
    wanted = ("WINEPREFIX", "WINEDEBUG", "HOME", "QEMU_LD_PREFIX") if place.command("x")[1:] else ()
    return {name: os.environ[name] for name in wanted if name in os.environ}


def _wait_for_file(place: Place, *parts: str) -> str:
    path = place.outside(*parts)
    until(f"{parts[-1]} is written", lambda: os.path.exists(path) and os.path.getsize(path) > 0)
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def until(what: str, true: Callable[[], bool]) -> None:
    """Wait until something is true; :class:`Wrong` after the deadline."""
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            raise Wrong(f"in {DEADLINE:.0f} seconds it did not come true that {what}")
        time.sleep(0.02)


def expect(status: int, what: str, answer: tuple[int, bytes]) -> None:
    """Raise :class:`Wrong` unless an answer has the status."""
    if answer[0] != status:
        raise Wrong(f"{what}: {answer[0]}, not {status}: {answer[1][:500]!r}")


def done(what: str) -> None:
    """Say what was done."""
    print(f"ok: {what}", flush=True)


def set_loopback_up() -> None:
    """Set the loopback interface up, in a network of our own."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("16sh14x", b"lo", 1)  # IFF_UP
        fcntl.ioctl(asking, 0x8914, request)  # SIOCSIFFLAGS


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
