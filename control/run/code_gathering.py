"""Makes the file of bytecode that the next start imports from (control/boot/code_file.py).

At the end of a start, since only then is known what one imports, and from where; and of what Python
has compiled already, which takes some 50 ms. To compile all of it without docstrings (``-OO``)
would take a second of a core and gain 4 % of the next start's processor time.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from bundlevisor.actors.files import atomic
from bundlevisor.actors.guardian.code_collection import bytecode, names_in
from bundlevisor.control.boot import code_file
from bundlevisor.control.boot.code_file import MACHINE_CODE, MODULE, PACKAGE, external

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundlevisor.control.boot.code_file import Entry

    Found = dict[str, tuple[int, str]]
    """Kind and path, by module."""

OWN = ("bundlevisor.manifest", "bundlevisor.actors", "bundlevisor.control")
BREATH = 0.0002
"""Seconds between two files: nobody waits for this."""


def gather() -> None:
    """Make the file anew where a start has imported what is not in it, or is not as it was.

    Nothing is done for what is no plain installation, nor where no bytecode is to be written.
    OSError where it cannot be: then there is no such file.
    """
    spec: Any = code_file.__spec__
    plain = isinstance(spec.loader, external.SourceFileLoader)
    if not plain or sys.dont_write_bytecode or not is_wanted():
        return
    path = code_file.path()
    atomic.remove_half_written(os.path.dirname(path))  # by a runtime that was killed
    atomic.write_into(path, contents(everything()), 0o644)


def is_wanted() -> bool:
    """Whether something that is to be in the file is not, as it is now."""
    finder = code_file.Use.finder
    return finder is None or not all(map(finder.has, everything()))


def loaded() -> Found:
    """Return the modules of files that this process has imported, in their order."""
    kinds = {external.SourceFileLoader: MODULE, external.ExtensionFileLoader: MACHINE_CODE}
    kinds[code_file.CodeLoader] = MODULE
    found = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        kind = kinds.get(type(getattr(spec, "loader", None)))
        if kind is None or spec is None or spec.name != name or name in code_file.Use.before:
            continue
        if spec.origin and os.path.isabs(spec.origin):
            package = kind == MODULE and spec.submodule_search_locations is not None
            found[name] = (PACKAGE if package else kind, spec.origin)
    return found


def everything() -> Found:
    """Return what is to be in the file: that, all that is ours, and what was in it before."""
    found = loaded()
    for package in OWN:
        __import__(package)
        for folder in sys.modules[package].__path__:
            for name, one in ours(package, folder):
                found.setdefault(name, one)
    finder = code_file.Use.finder
    if finder is not None:
        for name, (kind, source, *_) in finder.entries.items():
            if finder.has(name):
                found.setdefault(name, (kind, source))
    for name in (*code_file.Use.before, code_file.NAMESAKE):
        found.pop(name, None)
    return found


def ours(package: str, folder: str) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield what is in a folder of ours."""
    for name in names_in(folder):
        inner = os.path.join(folder, name)
        if os.path.isdir(inner):
            yield f"{package}.{name}", (PACKAGE, os.path.join(inner, "__init__.py"))
            yield from ours(f"{package}.{name}", inner)
        else:
            yield f"{package}.{name}", (MODULE, f"{inner}.py")


def contents(found: Found) -> bytes:
    """Return the file; a module that changes meanwhile, or cannot be compiled, is left out."""
    parts = [b""]
    entries: dict[str, Entry] = {}
    at = code_file.HEADER
    for name, (kind, source) in found.items():
        try:
            stamp = code_file.stamp(source)
            code = b"" if kind == MACHINE_CODE else code_file.mark(name) + compiled(name, source)
            if code_file.stamp(source) != stamp:
                continue
        except (OSError, ImportError, SyntaxError, ValueError):
            continue
        entries[name] = (kind, source, stamp, at, max(0, len(code) - code_file.MARK))
        parts.append(code)
        at += len(code)
        time.sleep(BREATH)
    index = marshal.dumps((sys.path, entries))
    place = at.to_bytes(8, "little") + len(index).to_bytes(8, "little")
    parts[0] = code_file.MAGIC + external.MAGIC_NUMBER + os.urandom(8) + place
    return b"".join((*parts, index))


def compiled(name: str, source: str) -> bytes:
    """Return the bytecode of a source, as Python keeps it or compiled anew."""
    loader = external.SourceFileLoader(name, source)
    return bytecode(external.spec_from_file_location(name, source, loader=loader))
