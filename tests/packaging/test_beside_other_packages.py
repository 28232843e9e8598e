"""Installed beside packages that are called as our folders are, neither side hurts the other."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundlevisor.control.boot.code_file import MAGIC, PYC
from tests.bundle_maker import bundle
from tests.packaging.environment import LIMIT_S, NAMES, PIP, Environment, digest
from tests.waiting import wait_until

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
# Of these folders of ours the index has packages of the first two names; here are stand-ins.


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """For each name the wheel of the index, or one made here."""
    folder = tmp_path_factory.mktemp("theirs")
    for name in NAMES[:2]:
        words = ("download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), name)
        try:
            subprocess.run(
                [sys.executable, *PIP, *words], capture_output=True, timeout=90, check=False
            )
        except subprocess.TimeoutExpired:
            continue
    for name in NAMES:
        if not any(folder.glob(f"{name}-*.whl")):
            stand_in(folder, name)
    return sorted(folder.glob("*.whl"))


def stand_in(folder: Path, name: str) -> None:
    files = {f"{name}/__init__.py": f"NAME = {name!r}\n", f"{name}/__main__.py": "print(1)\n"}
    info = f"{name}-1.0.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = [f"{path},sha256={digest(text.encode())},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def project(folder: Path) -> Path:
    """Make a working directory with folders of these names, which must not be imported."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('the project’s {name}')\n")
    return folder


def starts(environment: Environment, cwd: Path) -> bool:
    """Whether a bundle runs by the installed command, from its start to its orderly end.

    It ends when there is the file from which the next start imports: a part of what is uninstalled.
    """
    source = environment.packages / "bundlevisor" / "control" / "boot" / "start_code.py"
    code = Path(importlib.util.cache_from_source(str(source)))
    made = bundle(cwd / "made").service("db").write()
    where = ("--app-data", str(made.app_data))
    process = subprocess.Popen(
        [environment.scripts / "bundlevisor", "run", "--manifest", str(made.path), *where],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != NO_BYTECODE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        environment.run("bundlevisor", "ready", "--wait", "60", *where, cwd=cwd)
        wait_until(lambda: code.read_bytes().startswith(MAGIC, PYC), what="the file of bytecode")
        assert process.stdin is not None
        process.stdin.close()
        return process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_installed_in_either_order_both_work_and_the_first_leaves_the_other_whole(
    first: str, ours: Path, theirs: list[Path], tmp_path: Path
) -> None:
    environment, cwd = Environment(tmp_path / "environment"), project(tmp_path / "project")
    for wheels in ([ours], theirs) if first == "ours" else (theirs, [ours]):
        environment.install(wheels)
    assert {name: environment.damaged(name) for name in (*NAMES, "bundlevisor")} == {
        name: [] for name in (*NAMES, "bundlevisor")
    }
    version = environment.run("bundlevisor", "--version", cwd=cwd)
    assert version == environment.run("python", "-m", "bundlevisor", "--version", cwd=cwd)
    code = "import bundlevisor; print('bundlevisor', bundlevisor.__version__)"
    assert version == environment.run("python", "-c", code, cwd=cwd)
    words = ("-m", "bundlevisor.perf", "startup", "--help")
    assert "--runs" in environment.run("python", *words, cwd=cwd)
    assert (environment.packages / "bundlevisor" / "py.typed").is_file()
    manual = environment.scripts.parent / "share" / "man" / "man1" / "bundlevisor.1"
    assert manual.is_file() or os.name == "nt"
    assert starts(environment, cwd)
    code = "import actors, perf; print(actors.NAME, perf.NAME)"
    assert environment.run("python", "-c", code, cwd=tmp_path) == "actors perf\n"
    if first == "ours":
        environment.pip("uninstall", "--yes", "bundlevisor")
        assert [environment.damaged(name) for name in NAMES] == [[], [], [], []]
        assert not (environment.packages / "bundlevisor").exists()
        assert not (environment.scripts / "bundlevisor").exists()
    else:
        environment.pip("uninstall", "--yes", *NAMES)
        assert environment.damaged("bundlevisor") == []
        assert version == environment.run("bundlevisor", "--version", cwd=tmp_path)
