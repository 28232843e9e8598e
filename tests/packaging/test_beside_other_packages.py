"""Installed beside packages that are called as our folders are, neither side hurts the other."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.bundle_maker import bundle

ROOT = Path(__file__).parents[2]
NAMES = ("control", "manifest", "actors", "perf")
"""Our folders. The index has packages of the first two names; for others there are stand-ins."""
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
LIMIT_S = 90


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the tree as pip does."""
    tree, out = tmp_path_factory.mktemp("tree") / "bundlevisor", tmp_path_factory.mktemp("wheel")
    leave_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "tests")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=leave_out)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(tree))
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """For each name the wheel of the index, or one made here."""
    folder = tmp_path_factory.mktemp("theirs")
    for name in NAMES[:2]:
        words = ("download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), name)
        try:
            subprocess.run([*PIP, *words], capture_output=True, timeout=LIMIT_S, check=False)
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


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


class Environment:
    """A virtual environment that has what ours needs, and none of ours."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=os.name != "nt")
        scheme = "nt" if os.name == "nt" else "posix_prefix"
        places = sysconfig.get_paths(scheme, vars={"base": str(folder), "platbase": str(folder)})
        self.packages, self.scripts = Path(places["purelib"]), Path(places["scripts"])
        self.python = str(self.scripts / "python")
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            is_ours = "bundlevisor" in entry.name or entry.name.partition("-")[0] in NAMES
            if not is_ours and not (self.packages / entry.name).exists():
                (self.packages / entry.name).symlink_to(entry)

    def pip(self, *words: str) -> None:
        pip("--python", self.python, *words)

    def install(self, wheels: Iterable[Path]) -> None:
        self.pip("install", "--no-index", "--no-deps", *map(str, wheels))

    def run(self, command: str, *words: str, cwd: Path) -> str:
        program = self.python if command == "python" else str(self.scripts / command)
        done = subprocess.run(
            [program, *words],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def damaged(self, name: str) -> list[str]:
        """Return the files of an installed package that are not as its wheel had them."""
        (record,) = self.packages.glob(f"{name}-*.dist-info/RECORD")
        with record.open(newline="") as file:
            rows = [(self.packages / path, said) for path, said, _ in csv.reader(file) if said]
        assert rows
        return [
            str(path)
            for path, said in rows
            if not path.is_file() or said != f"sha256={digest(path.read_bytes())}"
        ]


def pip(*words: str) -> None:
    done = subprocess.run(
        [*PIP, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def project(folder: Path) -> Path:
    """Make a working directory with folders of these names, which must not be imported."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('the project’s {name}')\n")
    return folder


def starts(environment: Environment, cwd: Path) -> bool:
    """Whether a bundle runs by the installed command, from its start to its orderly end."""
    made = bundle(cwd / "made").service("db").write()
    where = ("--app-data", str(made.app_data))
    process = subprocess.Popen(
        [environment.scripts / "bundlevisor", "run", "--manifest", str(made.path), *where],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        environment.run("bundlevisor", "ready", "--wait", "60", *where, cwd=cwd)
        assert process.stdin is not None
        process.stdin.close()
        return process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_installed_in_either_order_both_work(
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
    assert starts(environment, cwd)
    code = "import actors, perf; print(actors.NAME, perf.NAME)"
    assert environment.run("python", "-c", code, cwd=tmp_path) == "actors perf\n"


def test_uninstalling_one_side_leaves_the_other(
    ours: Path, theirs: list[Path], tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "environment")
    environment.install([*theirs, ours])
    environment.pip("uninstall", "--yes", "bundlevisor")
    assert [environment.damaged(name) for name in NAMES] == [[], [], [], []]
    assert not (environment.packages / "bundlevisor").exists()
    assert not (environment.scripts / "bundlevisor").exists()
    environment.install([ours])
    environment.pip("uninstall", "--yes", *NAMES)
    assert environment.damaged("bundlevisor") == []
    assert "bundlevisor" in environment.run("bundlevisor", "--version", cwd=tmp_path)
