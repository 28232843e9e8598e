from __future__ import annotations

import subprocess
import sys

import pytest

from bundlevisor.control.run.options import ClientCommand, Misuse, RunOptions, empty, parse


def test_run_starts_services_unless_told_otherwise() -> None:
    assert parse(["run"]) == RunOptions()
    assert parse(["run", "--dry-run"]) == RunOptions(dry_run=True)


@pytest.mark.parametrize("argv", [[], ["-dry-run"], ["--dry-run=tRue"], ["-dry-run=t"]])
def test_the_bare_form_is_a_dry_run_of_bundle_json(argv: list[str]) -> None:
    assert parse(argv) == RunOptions(manifest="bundle.json", dry_run=True)


@pytest.mark.parametrize("word", ["false", "0", "f", "F", "FALSE", "False"])
def test_the_bare_form_runs_for_real_with_dry_run_false(word: str) -> None:
    assert parse([f"-dry-run={word}"]) == RunOptions(dry_run=False)


@pytest.mark.parametrize(
    "argv",
    [
        ["-manifest", "m.json", "-app-data", "/d", "-bundle-root", "/b"],
        ["--manifest", "m.json", "--app-data", "/d", "--bundle-root", "/b"],
        ["--manifest=m.json", "-app-data=/d", "--bundle-root=/b"],
    ],
)
def test_flags_are_taken_as_the_go_runtime_takes_them(argv: list[str]) -> None:
    expected = RunOptions(manifest="m.json", app_data="/d", bundle_root="/b", dry_run=True)
    assert parse(argv) == expected
    assert parse(["run", *argv, "--dry-run"]) == expected


def test_a_value_may_begin_with_a_dash_or_hold_an_equals_sign() -> None:
    assert parse(["run", "--manifest", "-x"]) == RunOptions(manifest="-x")
    assert parse(["run", "--manifest=a=b"]) == RunOptions(manifest="a=b")


def test_the_last_of_a_repeated_flag_counts() -> None:
    assert parse(["run", "--manifest=a", "--manifest=b"]) == RunOptions(manifest="b")


def test_keep_running_and_verify_are_known() -> None:
    expected = RunOptions(keep_running=True, verify="full")
    assert parse(["run", "--keep-running", "--verify", "full"]) == expected


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-manfest", "x"], "unknown flag: -manfest (did you mean --manifest?)"),
        (["run", "--frob"], "unknown flag: --frob"),
        (["run", "bundle.json"], "unexpected argument: bundle.json (write --manifest bundle.json)"),
        (["run", "it"], "unexpected argument: it"),
        (
            ["--manifest", "x.json", "status"],
            (
                "unexpected argument: status (flags stand behind the command: bundlevisor status"
                " --manifest FILE)"
            ),
        ),
        (["run", "---manifest"], "unexpected argument: ---manifest"),
        (["run", "--manifest"], "--manifest needs a value"),
        (["run", "--manifest="], empty("--manifest")),
        (["run", "--manifest", ""], empty("--manifest")),
        (["run", "--app-data", ""], empty("--app-data")),
        (["run", "--bundle-root="], empty("--bundle-root")),
        (["run", "--overlay="], empty("--overlay")),
        (["run", "--verify="], empty("--verify")),
        (["-manifest="], empty("--manifest")),
        (["run", "--dry-run=perhaps"], "--dry-run is true or false, not perhaps"),
        (["run", "--verify", "twice"], "--verify is cached or full, not twice"),
        (["run", "-"], "unknown flag: -"),
    ],
)
def test_misuse_is_named(argv: list[str], said: str) -> None:
    assert parse(argv) == Misuse(said)


def test_what_the_go_runtime_took_empty_for_its_default_is_so_in_its_own_command() -> None:
    assert parse(["-app-data", "", "-bundle-root="]) == RunOptions(dry_run=True)


@pytest.mark.parametrize("argv", [["-h"], ["--help"], ["-help"], ["run", "--help"]])
def test_help_is_help_everywhere(argv: list[str]) -> None:
    assert parse(argv) == ClientCommand(("help",))


def test_other_commands_are_left_to_the_client() -> None:
    assert parse(["status", "--json"]) == ClientCommand(("status", "--json"))
    assert parse(["--version"]) == ClientCommand(("version",))


def test_reading_the_command_line_imports_nothing_heavy() -> None:
    heavy = "argparse json pathlib logging http.client falcon waitress psutil asyncio ssl inspect"
    program = (
        "import sys, msgspec; before = set(sys.modules); "
        "import bundlevisor.control.__main__, bundlevisor.control.wire.facade; "
        f"print(sorted((set(sys.modules) - before) & set('{heavy}'.split())))"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "[]\n"
