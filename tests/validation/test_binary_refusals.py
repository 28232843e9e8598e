"""What the system's refusal to run a file means in words."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.process.binary import (
    APP_ALIAS,
    Unusable,
    examine,
    locate,
    missing_interpreter,
    why_refused,
)
from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.schema import Binary
from bundlevisor.manifest.plan.launch import plan_service
from bundlevisor.manifest.plan.template import Scope
from tests.bundle_maker import bundle
from tests.validation.foreign import FOREIGN
from tests.validation.looking import look, runnable


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOENT, "interpreter_missing", "interpreter that it names"),
        (errno.EACCES, "binary_not_executable", "permission denied"),
        (errno.ENOEXEC, "binary_wrong_architecture", "it is built for linux-riscv64"),
        (86, "binary_wrong_architecture", "this machine is linux-x64"),
        (errno.EAGAIN, "binary_not_executable", "no more processes (see ulimit -u)"),
        (errno.ENOMEM, "binary_not_executable", os.strerror(errno.ENOMEM)),
    ],
)
def test_a_refusal_is_explained(tmp_path: Path, number: int, code: str, words: str) -> None:
    file = tmp_path / "api"
    file.write_bytes(FOREIGN)
    found = why_refused(str(file), OSError(number, os.strerror(number)), "linux-x64")
    assert found.code == code
    assert words in str(found)


class OfWindows(OSError):
    winerror = 32


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES])
def test_a_refusal_of_windows_is_told_in_its_own_words(number: int) -> None:
    found = why_refused("C:\\app\\api.exe", OfWindows(number, "It is used."), "win-x64")
    assert str(found) == (
        "cannot run C:\\app\\api.exe: It is used."
        " An antivirus program or a policy of this machine may keep it from being run."
    )


@pytest.mark.parametrize("number", [errno.ENOEXEC, errno.ENOENT])
def test_a_file_that_is_gone_by_then_is_still_explained(tmp_path: Path, number: int) -> None:
    found = why_refused(str(tmp_path / "gone"), OSError(number, "no"), "linux-x64")
    assert "gone" in str(found)


@pytest.mark.parametrize(
    ("line", "words"),
    [(b"#!/no/such/ruby\n", "'/no/such/ruby'"), (b"#!/bin/no-sh\r\n", "save it with LF")],
)
def test_the_interpreter_that_is_not_there_is_named(
    tmp_path: Path, line: bytes, words: str
) -> None:
    script = tmp_path / "api"
    script.write_bytes(line)
    found = why_refused(str(script), OSError(errno.ENOENT, "no"), "linux-x64")
    assert found.code == "interpreter_missing"
    assert words in str(found)


@pytest.mark.parametrize("content", [b"", b"echo hello\n", b"PK\x03\x04"])
def test_what_no_system_runs_is_no_program(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "api"
    file.write_bytes(content)
    for platform in ("linux-x64", "darwin-arm64", "win-x64"):
        with pytest.raises(Unusable, match="no program for this machine"):
            examine(str(file), platform)


def test_windows_runs_the_command_of_an_app_that_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = tmp_path / "python.exe"
    alias.touch()
    with pytest.raises(Unusable):
        examine(str(alias), "win-x64")
    status = SimpleNamespace(st_reparse_tag=APP_ALIAS)
    monkeypatch.setattr(os, "lstat", lambda _path: status)
    examine(str(alias), "win-x64")


def test_windows_runs_batch_files_and_no_scripts(tmp_path: Path) -> None:
    (tmp_path / "tool.cmd").write_text("@echo off\r\n")
    for name in ("tool", "script"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        examine(str(tmp_path / name), "linux-x64")
    examine(str(tmp_path / "tool.cmd"), "win-x64")
    examine(str(tmp_path / "tool"), "win-x64")
    with pytest.raises(Unusable, match="no program"):
        examine(str(tmp_path / "script"), "win-x64")


@pytest.mark.skipif(os.name == "nt", reason="Windows does not read the first line")
@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("#!/bin/sh -u", ""),
        ("#!/usr/bin/env sh", ""),
        ("#!/usr/bin/env -S sh -e", ""),
        ("#!/usr/bin/env A=1 sh", ""),
        ("#!/usr/bin/env ./below-its-cwd", ""),
        ("#!/usr/bin/env sh -e", "'sh -e', which" if sys.platform == "linux" else ""),
        ("#!bin/below-its-cwd", ""),
        ("#!/no/such/python3", "/no/such/python3"),
        ("#!/usr/bin/env no-such-python", "no-such-python"),
        ("#!/bin/sh\r", "save it with LF"),
        ("no script", ""),
    ],
)
def test_a_scripts_interpreter_is_looked_for(tmp_path: Path, line: str, missing: str) -> None:
    file = tmp_path / "job"
    file.write_bytes(line.encode() + b"\n")
    trouble = missing_interpreter(str(file), os.environ["PATH"].split(os.pathsep))
    assert bool(trouble) is bool(missing)
    assert missing in trouble


@pytest.mark.skipif(os.name == "nt", reason="Windows does not read the first line")
@pytest.mark.parametrize("tools", ["below its cwd", "named by a migration", "in its data"])
def test_an_interpreter_is_looked_for_where_the_script_is_run(tmp_path: Path, tools: str) -> None:
    made = bundle(tmp_path)
    if tools == "named by a migration":
        env = {"PATH": "${bundle}/run/tools"}
        made.service("api", migrations=[{"version": "1", "command": ["bin/a"], "env": env}])
    else:
        path = "tools" if tools == "below its cwd" else "${data}/tools"
        own = {"path": "bin/a", "cwd": "run", "env": {"PATH": path}}
        made.service("api", binaries={current_key(): own})
    for name in ("run/tools/ours", "bin/a"):
        runnable(made, name, b"#!/usr/bin/env ours\n")
    assert look(made) == Findings()


@pytest.mark.skipif(os.name == "nt", reason="a program of POSIX")
def test_a_name_that_only_path_has_is_told_why(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    environment = {"PATH": f"relative:{program.parent}"}

    def refusal(word: str) -> str:
        scope = Scope(data=str(tmp_path / "data"), bundle=str(tmp_path))
        plan = plan_service(Binary(path=word), scope, environment)
        with pytest.raises(Unusable) as caught:
            locate(plan, str(tmp_path))
        assert caught.value.code == "binary_missing"
        return str(caught.value)

    assert refusal("tool") == (
        "binary not found: tool (looked in BUNDLE/tool, and not on PATH, though there is"
        f" {program}: the program comes with the bundle); is the bundle complete?"
    )
    assert refusal("none") == (
        "binary not found: none (looked in BUNDLE/none, nor is it on PATH, where only an overlay's"
        " program is looked for); is the bundle complete?"
    )
    assert refusal("bin/none") == (
        "binary not found: bin/none (looked in BUNDLE/bin/none); is the bundle complete?"
    )


@pytest.mark.parametrize(
    ("number", "do"),
    [
        (errno.ESTALE, "put that disk right"),
        (errno.EIO, "put that disk right"),
        (errno.EACCES, "give this user the right to look into its folder"),
    ],
)
def test_a_binary_that_nobody_can_look_at_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, do: str
) -> None:
    scope = Scope(data=str(tmp_path / "data"), bundle=str(tmp_path))
    plan = plan_service(Binary(path="bin/api"), scope, {})

    program = tmp_path / "bin" / "api"
    usual = os.stat

    def refused(path: str, **how: Any) -> os.stat_result:
        if path == str(program):
            raise OSError(number, os.strerror(number), path)
        return usual(path, **how)

    monkeypatch.setattr(os, "stat", refused)
    with pytest.raises(Unusable) as caught:
        locate(plan, str(tmp_path))
    assert caught.value.code == "binary_not_executable"
    assert str(caught.value) == (
        f"binary cannot be read: bin/api ({program}): {os.strerror(number)}; {do}"
    )
