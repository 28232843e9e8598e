"""``python -m tests.mutants [--left] [NAMES]``: do the tests of the core notice when it is changed?

mutmut changes the core's functions one small thing at a time; the tests that reach each change are
run by :mod:`tests.mutant_session`. It works on a copy in ``build/mutants``, laid out as an
installation, with an environment of its own (mutmut brings a dozen packages). NAMES
(``bundlevisor.actors.core.life*``) are a part, ``--left`` what has not been judged yet or was not
noticed. Afterwards ``python -m tests.mutants --show`` prints the scores, and what was not noticed
though a test could (:mod:`tests.equivalent_mutants`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from difflib import unified_diff
from itertools import groupby
from pathlib import Path

from tests.equivalent_mutants import EQUIVALENT
from tests.pure_core import MODULES, ROOT, SLOW, TESTS
from tests.undecorated import undecorated

MUTMUT = "mutmut==3.8.1"
WORK = ROOT / "build" / "mutants"
TOOLS = WORK / "tools"
ROOMS = ("actors", "control", "manifest", "perf")
OF_THE_MANIFEST = "tests/manifest"
WIDE = (
    "test_a_bundle_with_one_part_replaced_by_anything_is_read_or_explained",
    "test_a_cycle_is_one_and_is_found_exactly_when_there_is_no_order",
    "test_a_service_with_very_many_ports_is_checked_by_looking_once_at_each",
    "test_every_order_respects_the_dependencies",
    "test_the_last_command_wins_at_every_moment_of_the_first",
    "test_the_choice_keeps_every_promise",
)
"""What they notice, tests that say the rule should; they would take most of the time."""
OF_THE_SOURCES = (
    "test_every_code_in_the_sources_is_explained",
    "test_openssl_is_not_loaded_for_that_sum",
)
"""Tests that read the code, or what it imports, which is another one here."""
SEED = "--hypothesis-seed=0"  # a mutant is noticed each time, or never


def main(arguments: list[str]) -> int:
    """Run mutmut on a copy, or show what an earlier run has left; return the exit code."""
    if arguments != ["--show"]:
        names = [word for word in arguments if word != "--left"]
        lay_out(tests_for(names))
        code = run("-P", "tests/mutant_session.py", *arguments).returncode
        if code:
            return code
    return show()


def tests_for(names: list[str]) -> list[str]:
    """Return the tests to be asked: those of the manifest reach nothing else, nor others it."""
    rooms = {name.removeprefix("bundlevisor.").split(".")[0] for name in names}
    if rooms == {"manifest"}:
        return [OF_THE_MANIFEST]
    if rooms and not rooms & {"*", "manifest"}:
        return [path for path in TESTS if path != OF_THE_MANIFEST]
    return list(TESTS)


def lay_out(tests: list[str]) -> None:
    """Copy the project as an installation has it; what mutmut knows already is kept."""
    if not TOOLS.exists():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "--target", str(TOOLS), MUTMUT], check=True)
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    package = WORK / "bundlevisor"
    for target in (package, WORK / "tests", WORK / "mutants" / "tests"):
        shutil.rmtree(target, ignore_errors=True)
    for copy in (WORK / "mutants" / "bundlevisor").rglob("*.py"):
        if not copy.with_name(f"{copy.name}.meta").exists():  # it may be changed from now on
            copy.unlink()
    shutil.copytree(
        ROOT / "bundlevisor", package, ignore=shutil.ignore_patterns("__pycache__", *ROOMS)
    )
    for room in ROOMS:
        shutil.copytree(ROOT / room, package / room, ignore=ignored)
    for copy in core(package):
        source = copy.read_text(encoding="utf-8")
        if (bare := undecorated(source)) != source:
            copy.write_text(bare, encoding="utf-8")
    shutil.copytree(ROOT / "tests", WORK / "tests", ignore=ignored)
    (WORK / "pyproject.toml").write_text(configuration(tests), encoding="utf-8")


def core(package: Path) -> list[Path]:
    """Return the files that are changed."""
    rooms = [package / name.removesuffix("*") for name in MODULES]
    return [path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else [room])]


def configuration(tests: list[str]) -> str:
    """Return the copy's pyproject.toml: pytest as here, and what is to be changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = project["tool"]["pytest"]["ini_options"]["markers"]
    chosen = [
        "-k",
        " and ".join(f"not {name}" for name in (*SLOW, *WIDE, *OF_THE_SOURCES)),
        "-m",
        "not permissions",
    ]
    return f"""
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = "--import-mode=importlib -p no:randomly"
timeout = 120
markers = {markers!r}

[tool.mutmut]
source_paths = ["bundlevisor"]
only_mutate = {[f"bundlevisor/{path}" for path in MODULES]!r}
pytest_add_cli_args_test_selection = {tests!r}
pytest_add_cli_args = {[*chosen, SEED, "-p", "no:cacheprovider"]!r}
use_setproctitle = false
track_dependencies = false
use_git_change_detection = false
"""


def run(*words: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, mutmut at hand; ``quiet``: what it says is returned."""
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *words]
    output = subprocess.PIPE if quiet else None
    return subprocess.run(command, cwd=WORK, env=environment, check=False, stdout=output, text=True)


def show() -> int:
    """Print each change not noticed and the scores; return 1 when a test could have noticed one."""
    lines = run("-m", "mutmut", "results", "--all", "true", quiet=True).stdout.splitlines()
    ran = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
    judged = {name: verdict for name, verdict in ran.items() if verdict != "not checked"}
    left = {name for name, verdict in judged.items() if verdict in ("survived", "no tests")}
    changed = {name: line_of(name) for name in sorted(left)}
    same = {name for name, line in changed.items() if (function_of(name), line) in EQUIVALENT}
    for name in sorted(left - same):
        print(f"{name}: {changed[name]}")
    for module, names in groupby(sorted(judged), key=module_of):
        here = set(names)
        noticed = f"{len(here - left)} of {len(here)} changes noticed"
        print(f"{module}: {noticed}" + f", {len(here & same)} change nothing" * bool(here & same))
    print(f"{len(judged) - len(left)} of {len(judged)} in all, {len(same)} change nothing")
    return 1 if left - same else 0


def module_of(name: str) -> str:
    """Return the module of a mutant: ``bundlevisor.actors.core.run_end.x_gone__mutmut_3``."""
    return name.removeprefix("bundlevisor.").rpartition(".")[0]


def function_of(name: str) -> str:
    """Return the module and the function of a mutant."""
    function = name.rpartition(".")[2].partition("__mutmut")[0].removeprefix("x_")
    return f"{module_of(name)}.{function}"


def line_of(name: str) -> str:
    """Return the line, or the lines, as the mutant has them."""
    module, _, function = name.rpartition(".")
    path = WORK / "mutants" / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    spans = json.loads(path.with_name(f"{path.name}.spans").read_text(encoding="utf-8"))["spans"]
    lines = path.read_text(encoding="utf-8").splitlines()
    original = f"{function.partition('__mutmut_')[0]}__mutmut_orig"
    before, after = (lines[first - 1 : last] for first, last in (spans[original], spans[function]))
    after = [line.replace(function, original) for line in after]
    compared = list(unified_diff(before, after, n=0, lineterm=""))[3:]
    return " ".join(line[1:].strip() for line in compared if line[0] == "+")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
