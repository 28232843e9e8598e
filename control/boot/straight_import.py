"""Imports modules of ours one after the other, each when all that it imports is there.

An import statement asks every finder in turn, imports the parent first, and holds a lock on the
module while all that it imports is looked for in the same way. For the 150 modules of a start that
takes twice as long as to run them. The file of bytecode (code_file.py) knows which modules a start
imports, and in which order their imports end. In this order no module has to look for another.

Nothing depends on it. A module that has changed is passed over, and is imported by the statement
that names it; so is everything where there is no such file. A package with code is imported as
usual, with all that it imports.
"""

from __future__ import annotations

import marshal
import sys

from bundlevisor.control.boot.code_file import MODULE, Use, bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from bundlevisor.control.boot.code_file import CodeFinder

PARTS = (
    ("multiprocessing.util", "bundlevisor.actors.guardian.link"),
    ("msgspec", "bundlevisor.control.run.runtime"),
    ("pykka", "bundlevisor.control.run.assembly"),
)
"""Of each part of a start: a library that is imported just before it, and its last module."""
GUARDIAN, OPENING, SERVICES = range(3)


def import_part(which: int) -> None:
    """Import what this part of a start imports, as far as it is known and as it was."""
    finder = Use.finder
    if finder is None:
        return
    modules = sys.modules
    for name in finder.runs.get(PARTS[which][1], ()):
        parent, _, last = name.rpartition(".")
        if parent not in modules:
            __import__(parent)
        if name not in modules:
            module = _imported(finder, name, parent)
            if module is not None:
                setattr(modules[parent], last, module)


def _imported(finder: CodeFinder, name: str, parent: str) -> ModuleType | None:
    entry = finder.entry(name)
    if entry is None:
        return None
    if entry[0] != MODULE:
        __import__(name)
        return sys.modules[name]
    try:
        code = marshal.loads(finder.code(*entry[3:]))  # noqa: S302 - as a .pyc
    except (OSError, ValueError, EOFError, TypeError):
        return None
    spec: Any = finder.spec(name, entry[1], b"", is_package=False)
    module = type(sys)(name)
    names: dict[str, Any] = vars(module)
    names.update(__package__=parent, __loader__=spec.loader, __spec__=spec)
    names.update(__file__=spec.origin, __cached__=spec.cached)
    with bootstrap._ModuleLockManager(name):  # another thread that imports it waits
        if name in sys.modules:
            return sys.modules[name]
        spec._initializing = True
        sys.modules[name] = module
        try:
            exec(code, names)  # noqa: S102 - this is what a loader does
        except BaseException:
            del sys.modules[name]
            raise
        finally:
            spec._initializing = False
        sys.modules[name] = sys.modules.pop(name)  # at the end, as importlib has it
    return module
