"""An empty word on the command line is no default: a script meant something that was not set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.commands import Run


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("status", "--app-data", ""), "--app-data"),
        (("status", "--manifest="), "--manifest"),
        (("validate", "--bundle-root="), "--bundle-root"),
        (("config", "--overlay="), "--overlay"),
        (("support", "--output", ""), "--output"),
        (("logs", "--grep", ""), "--grep"),
        (("logs", "db", ""), "ID"),
        (("start", ""), "ID"),
        (("secrets", "set", ""), "ID"),
        (("init", ""), "DIR"),
        (("exec", "", "true"), "ID"),
    ],
)
def test_it_is_refused_and_named(run: Run, argv: tuple[str, ...], named: str) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert f"bundlevisor: {named} is empty; give it a value, or leave it out" in err


@pytest.mark.parametrize("words", [("--", "printf", ""), ("printf", "")])
def test_a_command_of_the_users_own_may_have_some(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, _, err = run("exec", "--app-data", str(tmp_path), "db", *words)
    assert (code, "is empty" in err) == (4, False)
