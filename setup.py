"""What pyproject.toml cannot say: each platform's way to start, bytecode for editable installs."""

from __future__ import annotations

import compileall
import os
import shutil
import sys

from setuptools import find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.editable_wheel import editable_wheel

WINDOWS = sys.platform == "win32"
ROOMS = ("manifest", "actors", "control", "perf")
COMMANDS = ("bundlevisor", "runtimectl")
HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = [
    "bundlevisor",
    "bundlevisor.testing",
    *(f"bundlevisor.{room}" for room in ROOMS),
    *(
        f"bundlevisor.{room}.{name}"
        for room in ROOMS
        for name in find_packages(os.path.join(HERE, room))
    ),
]


class EditableWithBytecode(editable_wheel):
    """A plain path file, and bytecode.

    The hook that setuptools would make of ``package-dir`` costs each start 10 ms. Compiles once:
    where PYTHONDONTWRITEBYTECODE is set, each start would compile anew.
    """

    def finalize_options(self) -> None:
        self.distribution.package_dir = {"": "."}
        self.distribution.packages = ["bundlevisor"]
        super().finalize_options()

    def run(self) -> None:
        super().run()
        for folder in ("bundlevisor", *ROOMS):
            compileall.compile_dir(os.path.join(HERE, folder), quiet=2)


class WheelOfItsPlatform(bdist_wheel):
    """Windows' wheel is tagged as Windows': it starts by an .exe, the others by a sh script.

    It has nothing of an earlier build, which setuptools would take for this one's.
    """

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = not WINDOWS

    def run(self) -> None:
        build = self.get_finalized_command("build")
        for folder in (build.build_lib, build.build_scripts):
            shutil.rmtree(folder, ignore_errors=True)
        super().run()

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(
    packages=PACKAGES,
    scripts=[] if WINDOWS else [f"packaging/{name}" for name in COMMANDS],
    # All of them here: a table of them in pyproject.toml takes the place of this one.
    entry_points={
        "console_scripts": [f"{name} = bundlevisor.control.__main__:main" for name in COMMANDS]
        if WINDOWS
        else [],
        "pytest11": ["bundlevisor = bundlevisor.pytest_plugin"],
    },
    data_files=[] if WINDOWS else [("share/man/man1", ["docs/bundlevisor.1"])],
    cmdclass={"editable_wheel": EditableWithBytecode, "bdist_wheel": WheelOfItsPlatform},
)
