"""Compiles the folder's programs: the interpreter, and the ones that a shell starts."""

from __future__ import annotations

import os
import shutil
import tempfile

from shipping import nameless, product
from shipping.interpreter import Interpreter
from shipping.targets import Target
from shipping.tools import run, zig, zig_environment

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "native")
MUSL = {"x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl"}
LINKED = {
    "linux": {"musl": "lib/libc/musl/COPYRIGHT"},
    "win32": {"MinGW-w64": "lib/libc/mingw/COPYING"},
    "darwin": {},
}
"""For each system the texts, in the compiler's folder, of what its programs have of a C library."""


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


def licences(target: Target) -> dict[str, list[str]]:
    """Return the texts of what the compiler puts into the programs."""
    texts = {"Zig's runtime": "LICENSE", **LINKED[target.system]}
    return {name: [os.path.join(os.path.dirname(zig()), text)] for name, text in texts.items()}


def _interpreter(
    target: Target, interpreter: Interpreter, work: str, path: str, *flags: str
) -> None:
    headers = [f"-I{place}" for place in (work, *interpreter.headers)]
    sources = [os.path.join(SOURCES, "interpreter.c")]
    link = list(interpreter.link)
    if target.system == "linux" and nameless.MODULE in interpreter.builtin:
        ours = nameless.source(interpreter, work)
        sources += ours
        link = [_slimmed(one, work, without=nameless.MODULE if ours else "") for one in link]
    _compile(interpreter.zig or target.zig, path, *flags, *headers, *sources, *link)


def build_unicodedata(target: Target, interpreter: Interpreter, path: str) -> None:
    """Put our own unicodedata in the place of the interpreter's, where that is a file."""
    with tempfile.TemporaryDirectory() as work:
        source = nameless.source(interpreter, work)
        if not source:
            return
        link = interpreter.link if target.system == "win32" else ("-Wl,-undefined,dynamic_lookup",)
        _compile(interpreter.zig or target.zig, path, "-shared", *source, *link)


def _slimmed(library: str, work: str, *, without: str) -> str:
    """Return a copy of a static library without a module, and without the tables that unwind C.

    Nobody throws there. Other files are returned as they are.
    """
    if not os.path.basename(library).startswith("libpython") or not library.endswith(".a"):
        return library
    copy = os.path.join(work, os.path.basename(library))
    shutil.copy(library, copy)
    if without:
        run(zig(), "ar", "d", copy, f"{without}.o", env=zig_environment())
    tool = shutil.which("llvm-objcopy")
    if tool is not None:
        run(tool, "-D", "--remove-section=.eh_frame", "--remove-section=.rela.eh_frame", copy)
    return copy


def _compile(triple: str, path: str, *words: str) -> None:
    flags = ("-O2", "-g0", "-s", "-Wall", f"-ffile-prefix-map={SOURCES}=.")
    run(zig(), "cc", "-target", triple, *flags, "-o", path, *words, env=zig_environment())
