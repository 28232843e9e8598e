"""Compiles modules and writes them into one file (see finder.py for its format).

Two builds are the same bytes: the compiler runs in a process of its own with a fixed hash seed,
over the modules in order of their names, and code objects carry no path of the building machine.
Docstrings (but of our classes, see compiling.py) and asserts are left out (``-OO``), and so are
columns, which only a trace with source text can show.
"""

from __future__ import annotations

import json
import marshal
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Container, Mapping

from shipping.closure import Modules
from shipping.tools import CannotBuild, run

HERE = os.path.dirname(os.path.abspath(__file__))
FROZEN = (
    "encodings",
    "encodings.aliases",
    "encodings.utf_8",
    "encodings.ascii",
    "encodings.latin_1",
    "__future__",
    "bundlevisor_finder",
)
"""What has to be had before the file can be read: frozen into the interpreter."""
FINDER = FROZEN[-1]


def python_of(minor: tuple[int, int]) -> str:
    """Return a Python on this machine that compiles for the interpreter's version."""
    if sys.version_info[:2] == minor:
        return sys.executable
    name = f"python{minor[0]}.{minor[1]}"
    path = shutil.which(name)
    if path is None:
        raise CannotBuild(f"{name} is not on PATH; it compiles the modules for this interpreter")
    return path


def compiled(sources: Mapping[str, tuple[str, str]], minor: tuple[int, int]) -> dict[str, bytes]:
    """Return the marshalled code of modules, given as (path of the source, name to show)."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, result = os.path.join(folder, "wanted"), os.path.join(folder, "result")
        with open(wanted, "w", encoding="utf-8") as file:
            json.dump(sorted((name, *place) for name, place in sources.items()), file)
        run(
            python_of(minor),
            "-S",
            "-s",
            "-B",
            os.path.join(HERE, "compiling.py"),
            wanted,
            result,
            env={"PYTHONHASHSEED": "0", "PYTHONNODEBUGRANGES": "1"},
        )
        with open(result, "rb") as done:
            found: dict[str, bytes] = marshal.load(done)
    return found


def magic(minor: tuple[int, int]) -> bytes:
    """Return the version mark of the interpreter's bytecode."""
    question = "import importlib.util as u; print(u.MAGIC_NUMBER.hex())"
    return bytes.fromhex(run(python_of(minor), "-I", "-c", question).strip())


def frozen_in(minor: tuple[int, int]) -> frozenset[str]:
    """Return the modules of the standard library that the interpreter has frozen in it."""
    question = "import _imp; print(*_imp._frozen_module_names())"
    names = run(python_of(minor), "-I", "-c", question).split()
    return frozenset(name for name in names if "hello" not in name)


def write(
    path: str,
    code: Mapping[str, bytes],
    modules: Modules,
    extensions: Mapping[str, str],
    plain: Container[str],
    bytecode_magic: bytes,
) -> None:
    """Write the file of bytecode.

    ``extensions`` are the places of extension modules in lib/; all code but that of ``plain`` is
    packed, which makes it a third as large.
    """
    from shipping import finder

    index: dict[str, tuple[int, int | str, int]] = {}
    with open(path, "wb") as file:
        file.write(bytes(finder.HEADER))
        for name in sorted(code):
            kind, content = finder.MODULE, code[name]
            if name in modules.packages:
                kind = finder.PACKAGE
            if name not in plain:
                kind, content = kind + finder.PACKED, zlib.compress(content, 9)
            index[name] = (kind, file.tell(), len(content))
            file.write(finder.mark_of(name) + content)
        index.update((name, (finder.EXTENSION, extensions[name], 0)) for name in sorted(extensions))
        start, packed = file.tell(), marshal.dumps(index, 2)
        file.write(packed)
        file.seek(0)
        numbers = start.to_bytes(4, "little") + len(packed).to_bytes(4, "little")
        file.write(finder.MAGIC + bytecode_magic + numbers)


def frozen_header(
    code: Mapping[str, bytes], packages: frozenset[str] = frozenset({"encodings"})
) -> str:
    """Return C that defines the frozen modules and the finder's name."""
    lines = [f'#define FINDER_BYTES "{FINDER}"', f'#define FINDER L"{FINDER}"']
    rows = []
    for number, name in enumerate(FROZEN):
        content = ",".join(map(str, code[name]))
        lines.append(f"static const unsigned char frozen_{number}[] = {{{content}}};")
        size = len(code[name])
        package = int(name in packages)
        rows.append(f'    {{"{name}", frozen_{number}, {size}, .is_package = {package}}},')
    return "\n".join(
        [*lines, "static const struct _frozen frozen_modules[] = {", *rows, "    {0},", "};", ""]
    )
