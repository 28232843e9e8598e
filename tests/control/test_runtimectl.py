"""The client under the name, and with the flags, of the Go runtime's."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundlevisor.control.__main__ import main
from tests.control.commands import Cli
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api
from tests.installed import COMMAND


@pytest.fixture
def ctl(
    cli: Cli, api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., tuple[int, str]]:
    """``runtimectl`` with the Go runtime's flags."""
    token = str(cli.app_data / "runtime" / "auth-token")
    flags = ["--host", "127.0.0.1", "--port", str(api.port), "--token-file", token]

    def run(*argv: str) -> tuple[int, str]:
        code = main(["ctl", *flags, *argv])
        return code, capfdbinary.readouterr()[0].decode()

    return run


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["health"], {"status"}),
        (["ready"], {"ready", "details", "gpu"}),
        (["ports"], {"services"}),
        (["status"], {"app_name"}),
        (["secrets"], {"secrets"}),
        (["secrets", "list"], {"secrets"}),
        (["validate"], {"valid"}),
        (["telemetry"], {"path", "upload_url"}),
    ],
)
def test_runtimectl_prints_what_the_api_says(
    ctl: Callable[..., tuple[int, str]], argv: list[str], keys: set[str]
) -> None:
    code, out = ctl(*argv)
    assert code == 0
    assert keys <= json.loads(out).keys()


def test_runtimectl_takes_the_commands_of_the_go_runtime(
    ctl: Callable[..., tuple[int, str]], runtime: FakeRuntime
) -> None:
    runtime.logs.content["db"] = b"one\ntwo\n"
    assert ctl("port", "--service", "db", "--port-name", "sql") == (0, "47001\n")
    assert ctl("logs", "--service", "db", "--lines", "1") == (0, "two\n")
    assert ctl("port", "-service", "db", "-port-name=sql") == (0, "47001\n")
    assert ctl("logs", "-service=db", "-lines", "1") == (0, "two\n")
    assert ctl("--text", "health") == (0, "ok\n")
    assert ctl("-text", "health") == (0, "ok\n")
    assert ctl("shutdown") == (0, "stopping\n")
    assert runtime.shutdowns == ["api"]


def test_runtimectl_waits_for_an_instance_that_is_being_started(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["ctl", "--app-data", str(tmp_path), "ready", "--wait", "0.2"]) == 4
    assert b"waited 0.2 s for it" in capfdbinary.readouterr()[1]


def test_a_secret_is_given_to_the_runtime_at_the_port(
    ctl: Callable[..., tuple[int, str]], runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"k-1\n")))
    assert ctl("secrets", "set", "api_key", "--stdin") == (0, "api_key is set\n")
    assert runtime.stored["api_key"] == "k-1"


def test_runtimectl_finds_what_its_flags_leave_open(
    cli: Cli, api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = ["--app-data", str(cli.app_data)]
    assert main(["ctl", *folder, "--port", str(api.port), "health"]) == 0
    assert main(["ctl", "health", *folder]) == 0
    assert main(["ctl", *folder, "--token-file", str(cli.app_data / "none"), "health"]) == 4


def test_a_host_without_a_port_is_the_one_that_is_asked(
    cli: Cli, api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """At the port that the instance has, which listens on IPv4."""
    assert main(["ctl", "--app-data", str(cli.app_data), "--host", "::1", "health"]) == 5
    assert f"::1:{api.port}" in capfdbinary.readouterr()[1].decode()


@pytest.mark.parametrize("port", ["x", "-1", "²", "9" * 5000])
def test_a_port_that_is_none_is_misuse(
    port: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["ctl", "--port", port, "--token-file", "none", "health"]) == 2
    assert "--port is a number" in capfdbinary.readouterr()[1].decode()


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "0.0.0.0"])
def test_the_token_is_sent_to_no_other_machine(
    cli: Cli, host: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    token = str(cli.app_data / "runtime" / "auth-token")
    assert main(["ctl", "--host", host, "--port", "1", "--token-file", token, "health"]) == 2
    assert "--host is an address of this machine" in capfdbinary.readouterr()[1].decode()


class Agreeable(http.server.BaseHTTPRequestHandler):
    """A program that has a good answer to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of a program that is no runtime."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agreeable) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", ["health", "status", "shutdown", "start db", "logs", "logs -f"])
def test_another_program_is_not_taken_for_a_runtime(
    cli: Cli, stranger: int, command: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    token = str(cli.app_data / "runtime" / "auth-token")
    flags = ["--port", str(stranger), "--token-file", token]
    assert main(["ctl", *flags, *command.split()]) == 5
    out, err = capfdbinary.readouterr()
    assert (out, f"another program answers at 127.0.0.1:{stranger}" in err.decode()) == (b"", True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has an entry point of that name")
def test_the_command_runtimectl_is_installed(cli: Cli, api: Api, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(Path(COMMAND[0]).with_name("runtimectl"))
    for command in (str(link), str(link.readlink())):
        told = subprocess.run(
            [command, "--app-data", str(cli.app_data), "health"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert json.loads(told.stdout)["status"] == "ok"


def test_a_program_called_runtimectl_is_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bundle/runtime/linux-x64/runtimectl", "--frob"])
    assert main() == 2
    monkeypatch.setattr(sys, "argv", ["C:\\bundle\\runtimectl.EXE".replace("\\", os.sep), "-h"])
    assert main() == 0
