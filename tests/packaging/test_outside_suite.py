"""A project that has the wheel, the documentation of the kit, and folders called as ours are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environment import ROOT, Environment

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUITE = Path(__file__).with_name("outside") / "suite.py"
STORY = "what happened in the runtime"


@pytest.fixture(scope="module")
def environment(ours: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("fresh") / "environment")
    made.install([ours])
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("control", "perf"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f'NAME = "the project\'s {name}"\n')
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return folder


def pytest_says(environment: Environment, project: Path, *words: str) -> tuple[int, str]:
    """Run the project's pytest as its author would, in the activated environment."""
    path = f"{environment.scripts}{os.pathsep}{os.environ['PATH']}"
    home = str(environment.scripts.parent)
    done = subprocess.run(
        [environment.python, "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider", *words],
        cwd=project,
        env={**os.environ, "PATH": path, "VIRTUAL_ENV": home, "BUNDLEVISOR": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_suite_written_from_the_documentation_runs(
    environment: Environment, project: Path
) -> None:
    shutil.copy(SUITE, project / "test_application.py")
    code, said = pytest_says(environment, project)
    failed = re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", said, re.MULTILINE)
    assert (code, failed) == (1, ["test_that_fails"]), said
    told = said.partition(STORY)[2]
    assert "service_ready db" in told
    assert "1 failed, 9 passed in" in said

    only = ("-m", "bundlevisor_fault", "--collect-only", "-q")
    code, said = pytest_says(environment, project, *only)
    assert (code, "6/10 tests collected" in said) == (0, True), said


def test_the_examples_of_the_documentation_run_as_they_stand(
    environment: Environment, project: Path
) -> None:
    examples = BLOCK.findall((ROOT / "docs" / "testing.md").read_text(encoding="utf-8"))
    assert len(examples) >= 2
    for number, example in enumerate(examples):
        (project / f"test_example_{number}.py").write_text(example, encoding="utf-8")
    code, said = pytest_says(environment, project)
    assert code == 0, said
    assert f"{len(examples)} passed" in said
