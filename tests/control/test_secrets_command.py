"""``secrets list`` and ``secrets set``: a value is typed unseen or piped, and never shown."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from bundlevisor.control.http.server import ControlServer
from tests.control.commands import Cli, record
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import TOKEN
from tests.installed import COMMAND


def feed(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_secrets_are_listed_and_set_unseen(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = cli("secrets", "list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["api_key", "user_prompt", "missing"],
        ["session", "per_install_generated", "set"],
    ]
    feed(monkeypatch, b"k-1 \xc3\xa9\n")
    assert cli("secrets", "set", "api_key", "--stdin") == (0, "api_key is set\n", "")
    assert runtime.stored["api_key"] == "k-1 é"
    feed(monkeypatch, b"")
    code, _, err = cli("secrets", "set", "api_key")
    assert (code, "--stdin" in err) == (2, True)
    code, _, err = cli("secrets", "set", "nobody", "--stdin")
    assert (code, "there is no secret 'nobody'" in err) == (1, True)


def at_the_prompt(
    cli: Cli, keys: bytes, until: bytes, *, before_typing: Callable[[], object] = lambda: None
) -> tuple[int, bytes]:
    """Type at the question for a secret; return the exit code, and what is shown."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        command = [*COMMAND, "secrets", "set", "api_key"]
        os.execv(command[0], [*command, "--app-data", str(cli.app_data)])
    shown = b""
    while b"Key: " not in shown:
        shown += os.read(terminal, 1000)
    before_typing()
    os.write(terminal, keys)
    while until not in shown:
        shown += os.read(terminal, 1000)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code, shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_secret_is_typed_without_echo(cli: Cli, runtime: FakeRuntime) -> None:
    code, shown = at_the_prompt(cli, b"k-hidden\n", until=b"is set")
    assert code == 0
    assert runtime.stored["api_key"] == "k-hidden"
    assert b"hidden" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_secret_goes_to_the_runtime_that_was_started_while_it_was_typed(
    cli: Cli, runtime: FakeRuntime
) -> None:
    later, token = FakeRuntime(), "b" * len(TOKEN)
    listener = socket.create_server(("127.0.0.1", 0))
    control = ControlServer(later, token, listener)
    control.start()
    before = dict(runtime.stored)
    try:
        code, _ = at_the_prompt(
            cli,
            b"k-hidden\n",
            until=b"is set",
            before_typing=lambda: record(cli.app_data, listener.getsockname()[1], token=token),
        )
    finally:
        control.stop(2)
    assert (code, later.stored["api_key"], runtime.stored) == (0, "k-hidden", before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_end_of_input_in_place_of_a_secret_is_a_sentence(
    cli: Cli, runtime: FakeRuntime
) -> None:
    before = dict(runtime.stored)
    code, shown = at_the_prompt(cli, b"\x04", until=b"nothing is stored\r\n")
    assert code == 2
    assert shown.endswith(b"Key: \r\nbundlevisor: nothing was typed, and nothing is stored\r\n")
    assert runtime.stored == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_at_the_question_ends_its_line(cli: Cli, runtime: FakeRuntime) -> None:
    before = dict(runtime.stored)
    assert at_the_prompt(cli, b"\x03", until=b"Key: \r\n")[0] == 130
    assert runtime.stored == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGQUIT"])
def test_who_is_killed_at_the_question_leaves_a_terminal_that_echoes(
    cli: Cli, runtime: FakeRuntime, name: str
) -> None:
    import pty
    import termios

    before = dict(runtime.stored)
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    command = [*COMMAND, "secrets", "set", "api_key", "--app-data", str(cli.app_data)]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as asking:
        shown = b""
        while b"Key: " not in shown:
            shown += os.read(ours, 1000)
        asking.send_signal(signal.Signals[name])
        assert asking.wait(60) == 130
    assert termios.tcgetattr(theirs) == mode
    assert runtime.stored == before
    os.close(ours)
    os.close(theirs)


def test_a_refused_secret_is_a_no_without_the_value(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bundlevisor.manifest.plan.secrets import Rejection

    problem = Rejection(id="api_key", message="does not have the format ^k-[0-9]+$")
    runtime.set_secrets = lambda values, timeout_s: (problem,)  # type: ignore[method-assign]
    feed(monkeypatch, b"hidden\n")
    code, out, err = cli("secrets", "set", "api_key", "--stdin")
    assert (code, out) == (1, "")
    assert err == "bundlevisor: api_key: does not have the format ^k-[0-9]+$\n"
