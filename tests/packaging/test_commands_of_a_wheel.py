"""What a wheel says that an installation of it has: commands, and the plugin of pytest."""

from __future__ import annotations

import configparser
import functools
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlevisor import __version__
from tests.packaging.environment import ROOT, STALE

Wheels = Callable[[str], configparser.ConfigParser]
METADATA = """
import runpy, sys
from setuptools.command import bdist_wheel, dist_info, editable_wheel, egg_info
target, sys.platform = sys.argv[1:]
sys.argv = ["setup.py", "--quiet", "dist_info", "--output-dir", target]
runpy.run_path("setup.py", run_name="__main__")
"""
"""setup.py as it is run on a platform; setuptools is what it is on this one."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Return the entry points of a wheel that is built on a platform; each is built once."""
    return functools.cache(lambda name: entry_points(tmp_path_factory.mktemp(name), name))


def entry_points(folder: Path, platform: str) -> configparser.ConfigParser:
    done = subprocess.run(
        [sys.executable, "-c", METADATA, str(folder), platform],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = configparser.ConfigParser()
    (written,) = folder.glob("*.dist-info/entry_points.txt")
    read.read_string(written.read_text(encoding="utf-8"))
    return read


def test_on_windows_pip_makes_both_commands_of_entry_points(wheels: Wheels) -> None:
    commands = wheels("win32")["console_scripts"]
    main = "bundlevisor.control.__main__:main"
    assert dict(commands) == {"bundlevisor": main, "runtimectl": main}


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_elsewhere_the_commands_are_scripts_that_start_without_site(
    wheels: Wheels, platform: str
) -> None:
    assert "console_scripts" not in wheels(platform)


@pytest.mark.skipif(sys.platform == "win32", reason="pip makes the commands there")
def test_a_script_whose_python_is_gone_says_so(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "packaging" / "bundlevisor", tmp_path / "bundlevisor")
    (tmp_path / "python").symlink_to(tmp_path / "gone")
    done = subprocess.run([script, "version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    where = f"{tmp_path / 'python'} leads to no program that you may run"
    assert done.stderr == f"bundlevisor: {where}; install anew\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pip makes the commands there")
def test_a_script_in_a_folder_that_a_link_names_finds_its_environment(tmp_path: Path) -> None:
    venv.create(tmp_path / "environment")
    scripts = tmp_path / "environment" / "bin"
    script = shutil.copy(ROOT / "packaging" / "bundlevisor", scripts)
    (tmp_path / "bin").symlink_to(scripts)
    package = (
        Path(sysconfig.get_path("purelib", vars={"base": str(scripts.parent)})) / "bundlevisor"
    )
    (package / "control").mkdir(parents=True)
    (package / "control" / "__main__.py").write_text("def main():\n    print('found')\n")
    linked = tmp_path / "bin" / Path(script).name
    done = subprocess.run([linked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "found\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="pip makes the commands there")
def test_a_script_beside_no_python_is_run_by_the_one_that_has_the_package(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "packaging" / "bundlevisor", tmp_path / "bundlevisor")
    path = tmp_path / "path"
    path.mkdir()

    def ended() -> tuple[int, str, str]:
        done = subprocess.run(
            [script, "--version"],
            env={"PATH": str(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    (path / "python3").write_text('#!/bin/sh\necho "Unknown option: -P" >&2\nexit 2\n')
    (path / "python3").chmod(0o755)
    code, said, error = ended()
    assert (code, said) == (1, "")
    assert error.startswith("bundlevisor: no python3 on PATH has it; install it anew")
    (path / "python3.12").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (path / "python3.12").chmod(0o755)
    assert ended() == (0, f"bundlevisor {__version__}\n", "")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_pytest_finds_its_plugin_on_every_platform(wheels: Wheels, platform: str) -> None:
    plugins = wheels(platform)["pytest11"]
    assert dict(plugins) == {"bundlevisor": "bundlevisor.pytest_plugin"}


def test_a_wheel_has_nothing_of_an_earlier_build(ours: Path) -> None:
    with zipfile.ZipFile(ours) as wheel:
        assert [name for name in wheel.namelist() if name.endswith(STALE)] == []


def test_a_wheel_is_built_without_a_warning_and_with_the_files_that_are_no_code(
    tmp_path: Path,
) -> None:
    command = ["setup.py", "build_py", "--no-compile", "--build-lib", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "absent from" not in done.stderr
    files = (
        "control/dashboard/static/index.html",
        "perf/page.css",
        "perf/questions/budget.json",
    )
    for name in (*files, "testing/slow_sync.c"):
        assert (tmp_path / "bundlevisor" / name).is_file()
