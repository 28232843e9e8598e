"""What is typed in another encoding than UTF-8 is refused in a sentence, as any other word."""

from __future__ import annotations

import getpass
import io
import os
import sys

import pytest

from bundlevisor.control.cli import secret_commands
from tests.control.commands import Cli
from tests.control.fake_runtime import FakeRuntime


@pytest.mark.parametrize(
    ("argv", "expected", "said"),
    [
        (("stop", "d\udce9"), 1, "there is no service"),
        (("logs", "d\udce9"), 1, "there is no service"),
        (("logs", "--grep", "d\udce9"), 2, "no valid Unicode"),
    ],
)
def test_a_word(cli: Cli, argv: tuple[str, ...], expected: int, said: str) -> None:
    code, out, err = cli(*argv)
    assert (code, out, said in err) == (expected, "", True)


def test_a_secret_is_not_shown(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hid\xe9den")))
    code, out, err = cli("secrets", "set", "api_key", "--stdin")
    assert (code, out, "base64" in err, "hid" in err) == (2, "", True, False)
    assert "api_key" not in runtime.stored


def test_a_secret_that_is_typed_where_there_is_only_stdin_is_not_shown(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_commands, "is_terminal", lambda _stream: True)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: "hid\udce9den")
    with open(os.devnull, encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        code, out, err = cli("secrets", "set", "api_key")
    assert (code, out, "base64" in err, "hid" in err) == (2, "", True, False)
    assert "api_key" not in runtime.stored
