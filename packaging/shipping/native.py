"""Compiles the folder's programs: the interpreter, and the ones that a shell starts."""

from __future__ import annotations

import os
import tempfile

from shipping import product
from shipping.interpreter import Interpreter
from shipping.targets import Target
from shipping.tools import run, zig, zig_environment

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "native")
MUSL = {"x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl"}


def build(target: Target, interpreter: Interpreter, frozen: str, folder: str) -> None:
    """Put the programs into the folder; ``frozen`` is C (see bytecode.py)."""
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "frozen.h"), "w", encoding="utf-8") as file:
            file.write(frozen)
        if target.system == "win32":
            for role in (*product.ROLES, "python"):
                path = os.path.join(folder, f"{role}.exe")
                _interpreter(target, interpreter, work, path, f'-DROLE=L"{role}"', "-municode")
            return
        python = os.path.join(folder, "lib", "python")
        _interpreter(target, interpreter, work, python)
        # The launcher on Linux needs no library at all: it is gone again after a fifth of a ms.
        triple = MUSL[target.machine] if target.system == "linux" else target.zig
        still = ("-static",) if target.system == "linux" else ()
        for role in product.ROLES:
            path = os.path.join(folder, role)
            source = os.path.join(SOURCES, "launcher.c")
            _compile(triple, path, f'-DROLE="{role}"', *still, source)


def _interpreter(
    target: Target, interpreter: Interpreter, work: str, path: str, *flags: str
) -> None:
    headers = [f"-I{place}" for place in (work, *interpreter.headers)]
    source = os.path.join(SOURCES, "interpreter.c")
    _compile(interpreter.zig or target.zig, path, *flags, *headers, source, *interpreter.link)


def _compile(triple: str, path: str, *words: str) -> None:
    flags = ("-O2", "-g0", "-s", "-Wall", f"-ffile-prefix-map={SOURCES}=.")
    run(zig(), "cc", "-target", triple, *flags, "-o", path, *words, env=zig_environment())
