"""Imports modules of ours one after the other, each when all that it imports is there.

An import statement asks every finder in turn, looks after the parent, and guards the module while
what it imports is looked for in the same way: for the 150 modules of a start twice what their own
statements take. Which modules these are, and in which order their imports end, the file of bytecode
knows from the start that made it (code_file.py); in this order nothing is left to be looked for.

Nothing depends on it: a module that has changed is passed over and comes with the statement that
imports it, and so does everything where there is no such file. A package with code comes as ever,
with what it imports.
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
