"""What needs no instance: help, versions, checks, and words that are wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.control.cli import runtimectl
from bundlevisor.control.cli.parser.arguments import parser
from bundlevisor.control.cli.parser.help_text import TOP
from bundlevisor.control.run import options
from bundlevisor.control.run.options import COMMANDS as NAMES
from bundlevisor.control.wire import exit_codes
from tests import absent
from tests.control.commands import Run
from tests.control.fake_runtime import BUNDLE
from tests.installed import COMMAND


def test_validate_needs_no_instance(run: Run, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_text("{")
    code, out, _ = run("validate", "--manifest", str(bundle))
    assert code == 2
    assert out.startswith("error: ")
    assert out.endswith("not valid: 1 error\n")
    code, out, _ = run("validate", "--manifest", str(bundle), "--json")
    assert (code, json.loads(out)["valid"]) == (2, False)
    assert json.loads(out)["errors"][0]["code"] == "truncated"


def test_validate_tells_warnings_from_errors(run: Run, tmp_path: Path) -> None:
    program = "bin/job.cmd" if os.name == "nt" else "bin/job"
    service = {
        "id": "job",
        "type": "worker",
        "binaries": {"universal": {"path": program}},
        "readiness": {"type": "dependencies_ready"},
        "hue": "blue",
    }
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(BUNDLE | {"services": [service], "swaps": [], "secrets": []}))
    (tmp_path / "bin").mkdir()
    (tmp_path / program).write_text("#!/bin/sh\n")
    (tmp_path / program).chmod(0o755)
    code, out, _ = run("validate", "--manifest", str(bundle))
    assert (code, "services[0].hue" in out, out.splitlines()[-1]) == (0, True, "valid: 1 warning")


def test_schema_is_json(run: Run) -> None:
    code, out, _ = run("schema")
    assert code == 0
    assert json.loads(out)["title"].startswith("Desktop bundle")


@pytest.mark.parametrize(
    "argv", [["--help"], ["help"], ["run", "--help"], ["-h"], ["help", "run"], ["help", "help"]]
)
def test_help_goes_to_stdout(run: Run, argv: list[str]) -> None:
    assert run(*argv) == (0, TOP, "")


@pytest.mark.parametrize("argv", [["logs"], ["secrets", "set"], ["version"]])
def test_help_of_a_command_is_what_the_command_says_of_itself(run: Run, argv: list[str]) -> None:
    code, out, err = run("help", *argv)
    assert (code, err, out) == (0, "", run(*argv, "--help")[1])
    assert out.startswith(f"usage: bundlevisor {' '.join(argv)} [-h]")


def test_help_names_every_flag_of_run() -> None:
    for flag in options.SWITCHES | options.VALUED:
        assert f"--{flag}" in TOP


def test_the_version_is_that_of_the_runtime(run: Run) -> None:
    code, out, _ = run("--version")
    assert (code, out.split()[0]) == (0, "bundlevisor")


@pytest.mark.parametrize(
    "argv",
    [
        ["--frob"],
        ["run", "frob"],
        ["frob"],
        ["status", "--frob"],
        ["ready", "--wait", "x"],
        ["port"],
        ["port", "a", "--service", "b"],
        ["logs", "db", "--lines", "many"],
        ["logs", "db", "--since", "soon"],
        ["secrets"],
        ["secrets", "set"],
        ["timeline", "--svg"],
        ["validate", "bundle.json"],
        ["ctl"],
        ["ctl", "--port", "x", "status"],
        ["ctl", "schema"],
        ["help", "frob"],
        ["version", "frob"],
    ],
)
def test_misuse_is_2_with_usage_on_stderr(run: Run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith(("usage: bundlevisor", "usage: runtimectl"))
    assert err.splitlines()[-1].startswith("bundlevisor: ")


@pytest.mark.parametrize(
    ("argv", "usage", "said"),
    [
        (
            ["strat", "db"],
            "bundlevisor run",
            "no command 'strat' (did you mean 'start'?); there are",
        ),
        (["satus"], "bundlevisor run", "there are run, status, top, health"),
        (
            ["status", "--jsno"],
            "bundlevisor status",
            "unknown option: --jsno (did you mean '--json'",
        ),
        (["run", "--app-dat", "x"], "bundlevisor run", "--app-dat (did you mean --app-data?)"),
        (["port"], "bundlevisor port", "say which service: bundlevisor port ID"),
        (["ctl", "helth"], "runtimectl", "no command 'helth' (did you mean 'health'?)"),
        (["help", "strat"], "bundlevisor run", "no command 'strat' (did you mean 'start'?)"),
        (
            ["secrets", "lst"],
            "bundlevisor secrets",
            "list|set: there is no 'lst' (did you mean 'list'?); there are list, set;",
        ),
        (
            ["init", "--language", "pyton"],
            "bundlevisor init",
            "--language: there is no 'pyton' (did you mean 'python'?); there are python, node;",
        ),
        (["logs", "--since"], "bundlevisor logs", "bundlevisor: --since needs a value;"),
        (["logs", "-n", "-3"], "bundlevisor logs", "--lines/-n: not a whole number: -3;"),
        (["status", "--json=1"], "bundlevisor status", ": --json takes no value;"),
        (["start"], "bundlevisor start", ": ID is missing;"),
        (["exec", "db"], "bundlevisor exec", "say what to run: bundlevisor exec ID -- COMMAND;"),
    ],
)
def test_what_was_probably_meant_is_named_with_the_usage_of_the_command(
    run: Run, argv: list[str], usage: str, said: str
) -> None:
    _, _, err = run(*argv)
    assert err.startswith(f"usage: {usage}")
    assert said in err


def test_help_names_every_command_and_every_exit_code() -> None:
    for name in NAMES:
        assert re.search(rf"^  (\w+, )*{name}\b|^{name}$", TOP, re.MULTILINE), name
    codes = [code for name, code in vars(exit_codes).items() if name.isupper()]
    for code in codes:
        assert re.search(rf"(^|  ){code} \w", TOP.partition("exit codes")[2]), code
    served = next(one for one in parser()._actions if one.dest == "command")
    assert served.choices is not None
    assert {*served.choices} | {"run"} == set(NAMES)


def test_runtimectl_has_every_command_that_asks_an_instance() -> None:
    served = next(one for one in parser(asks=True)._actions if one.dest == "command")
    assert served.choices is not None
    assert {*served.choices} == set(runtimectl.COMMANDS)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the stream")
@pytest.mark.parametrize(
    ("words", "code"),
    [("version >&-", 0), ("schema >&-", 0), ("frob 2>&-", 2), ("secrets set x --stdin <&-", 2)],
)
def test_who_closes_a_stream_hears_nothing_and_has_the_code(words: str, code: int) -> None:
    line = f"{shlex.join(COMMAND)} {words}"
    done = subprocess.run(line, shell=True, capture_output=True, check=False)
    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr


@absent.unless(os.path.exists("/dev/full"), "/dev/full")
@pytest.mark.parametrize("words", ["frob", "status --frob", "ctl frob"])
def test_the_code_of_a_wrong_command_line_comes_also_where_nothing_can_be_said(words: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, *words.split()], stderr=full, check=False)
    assert done.returncode == 2
