"""Which modules the programs can import: the closure of the import statements, and the audit.

Two sources, since neither sees everything. The statements are read from the source: in the
product's own packages all of them, also those in functions; in libraries those that run when a
module is imported. What a library imports only when a function is called, the audit has seen: it
runs what the product can do and notes each import (audit.py; its lists lie in ``imports/``).
"""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shipping import product
from shipping.targets import Target

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "imports")
START = os.path.join(LISTS, "start.txt")
ALWAYS = (
    "__future__",
    "encodings.ascii",
    "encodings.latin_1",
    "encodings.utf_8",
    "encodings.idna",
    "multiprocessing.spawn",
    "multiprocessing.resource_tracker",
)
"""What CPython itself imports, from C or from text that it gives to a child's ``-c``."""
ALWAYS_ON_WINDOWS = ("encodings.mbcs", "encodings.oem")
"""By which the user's own code page is read and written, whatever its number is."""
NOT_SHIPPED = frozenset({"test", "tests", "idlelib", "lib2to3", "turtledemo", "__pycache__"})
"""What is no part of any library: not even the audit has to look there."""
IMPORTS = b"__import__"
"""The function by which our own code imports what it has the name of."""


@dataclass
class Modules:
    """Modules by name: the path of their source, or of their extension module."""

    sources: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    builtin: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    """Names that were not found, and the module that first asked for them."""

    def __contains__(self, name: str) -> bool:
        return name in self.sources or name in self.extensions or name in self.builtin


class Closure:
    """Follows imports from the product's packages on."""

    def __init__(
        self,
        places: Iterable[str],
        builtin: Iterable[str],
        extensions: dict[str, str],
        system: str,
        frozen: Iterable[str] = (),
    ) -> None:
        self._places = list(places)
        self._builtin = frozenset(builtin)
        self._frozen = frozenset(frozen)
        self._extensions = extensions
        self._system = system
        self.modules = Modules()

    def add(self, name: str, asked_by: str) -> bool:
        """Add a module and what it imports; False when there is none of this name."""
        if name in self.modules:
            return True
        parent = name.rpartition(".")[0]
        if parent and not self.add(parent, asked_by):
            return False
        found = None if name in self._builtin else self._find(name)
        if found is None:
            if name in self._builtin or name in self._frozen:
                self.modules.builtin.add(name)
                return True
            self.modules.missing.setdefault(name, asked_by)
            return False
        path, is_package = found
        if path.endswith(".py"):
            return self._add_source(name, asked_by, path, is_package=is_package)
        self.modules.extensions[name] = path
        return True

    def _add_source(self, name: str, asked_by: str, path: str, *, is_package: bool) -> bool:
        with open(path, "rb") as file:
            source = file.read()
        tree = ast.parse(source, path)
        self.modules.sources[name] = path
        if is_package:
            self.modules.packages.add(name)
        own = name.partition(".")[0] == product.PACKAGE
        for wanted in self._imports(tree, name, is_package, own=own):
            self.add(wanted, name)
        for wanted in _named_in_calls(tree) if own and IMPORTS in source else ():
            self.add(wanted, name)
        if not own and self._wants_missing_c_module(tree):
            del self.modules.sources[name]
            self.modules.missing.setdefault(name, asked_by)
            return False
        if name in self._frozen:  # the interpreter has it; what it imports is needed
            del self.modules.sources[name]
            self.modules.builtin.add(name)
        return True

    def _wants_missing_c_module(self, tree: ast.Module) -> bool:
        """Return whether it imports, in any case, a C module that is not there (ssl: _ssl).

        Who imports such a module does without it, or stands something in for it.
        """
        plain = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {name for node in plain for name in self._names(node, "")}
        return any(name.startswith("_") and name not in self.modules for name in names)

    def add_everything(self, places: Iterable[str]) -> None:
        """Add all modules of some folders but tests: the audit sees which are used."""
        for name in (*self._builtin, *self._extensions):
            self.add(name, "everything")
        for place in places:
            for name in _all_in(place):
                self.add(name, "everything")

    def _find(self, name: str) -> tuple[str, bool] | None:
        if name in self._extensions:
            return self._extensions[name], False
        inside = name.replace(".", os.sep)
        for place in self._places:
            base = os.path.join(place, inside)
            package = os.path.join(base, "__init__.py")
            if os.path.isfile(package):
                return package, True
            extension = _extension(base, self._system)
            if extension is not None:
                return extension, False
            if os.path.isfile(f"{base}.py"):
                return f"{base}.py", False
        return None

    def _imports(
        self, tree: ast.Module, name: str, is_package: bool, *, own: bool
    ) -> Iterator[str]:
        package = name if is_package else name.rpartition(".")[0]
        for node in self._statements(tree.body, package, own=own):
            yield from self._names(node, package)

    def _names(self, node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            return
        base = _base(node, package)
        yield base
        for alias in node.names:
            if alias.name != "*" and self._find(f"{base}.{alias.name}") is not None:
                yield f"{base}.{alias.name}"

    def _statements(
        self, body: Iterable[ast.stmt], package: str, *, own: bool
    ) -> Iterator[ast.Import | ast.ImportFrom]:
        """Yield the import statements that can run on the system."""
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not own:
                continue
            for part in self._bodies(node, package):
                yield from self._statements(part, package, own=own)

    def _bodies(self, node: ast.stmt, package: str) -> Iterator[list[ast.stmt]]:
        if isinstance(node, ast.If):
            verdict = _verdict(node.test, self._system)
            if verdict is not False:
                yield node.body
            if verdict is not True:
                yield node.orelse
            return
        for name in ("body", "orelse", "finalbody"):
            part = getattr(node, name, None)
            if isinstance(part, list):
                yield part
        if not isinstance(node, ast.Try) or not self._succeeds(node, package):
            for handler in getattr(node, "handlers", ()):
                yield handler.body
        for case in getattr(node, "cases", ()):
            yield case.body

    def _succeeds(self, node: ast.Try, package: str) -> bool:
        """Return whether the node imports C modules that are there: no fallback is needed."""
        catches = {ast.unparse(one.type) for one in node.handlers if one.type is not None}
        imports = [one for one in node.body if isinstance(one, ast.Import | ast.ImportFrom)]
        if not catches & {"ImportError", "ModuleNotFoundError"} or not imports:
            return False
        names = [name for one in imports for name in self._names(one, package)]
        return all(name in self._builtin or self._is_extension(name) for name in names)

    def _is_extension(self, name: str) -> bool:
        found = self._find(name)
        return found is not None and not found[0].endswith(".py")


def _all_in(place: str) -> Iterator[str]:
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(f for f in folders if f.isidentifier() and f not in NOT_SHIPPED)
        inside = os.path.relpath(folder, place).replace(os.sep, ".")
        prefix = "" if inside == "." else f"{inside}."
        for file in sorted(files):
            if file.endswith(".py") and file[:-3].isidentifier():
                yield inside if file == "__init__.py" else prefix + file[:-3]


def _extension(base: str, system: str) -> str | None:
    folder, stem = os.path.split(base)
    ending = ".pyd" if system == "win32" else ".so"
    for entry in _binaries(folder, ending):
        if entry.startswith(f"{stem}."):
            return os.path.join(folder, entry)
    return None


@functools.cache
def _binaries(folder: str, ending: str) -> tuple[str, ...]:
    """Return the files in a folder that end so; none in one that is not there."""
    if not os.path.isdir(folder):
        return ()
    return tuple(entry for entry in sorted(os.listdir(folder)) if entry.endswith(ending))


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _named_in_calls(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported by ``__import__("name")``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == IMPORTS.decode():
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def _verdict(test: ast.expr, system: str) -> bool | None:
    """Return what a condition comes to; None where only a run can tell."""
    text = ast.unparse(test)
    if text in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"):
        return False
    if text in SYSTEMS:
        return system == SYSTEMS[text]
    for subject, value in (("sys.platform", system), ("os.name", _os_name(system))):
        if text.startswith((f"{subject} == ", f"{subject} != ")):
            same = ast.unparse(test).split(" ", 2)[2].strip("'") == value
            return same if " == " in text else not same
    return None


SYSTEMS = {"WINDOWS": "win32", "MACOS": "darwin", "OSX": "darwin", "LINUX": "linux", "BSD": "bsd"}
"""What psutil calls the systems in its conditions."""


def _os_name(system: str) -> str:
    return "nt" if system == "win32" else "posix"


def always(system: str) -> tuple[str, ...]:
    """Return what CPython itself imports on a system."""
    return ALWAYS + (ALWAYS_ON_WINDOWS if system == "win32" else ())


def audited(target: Target) -> tuple[list[str], bool]:
    """Return the modules that the audit has seen, and whether it was on the target's system.

    Where the target cannot be run, what was seen on Linux stands in; some of it is Linux' own.
    """
    own = os.path.exists(list_of(target))
    return read_list(list_of(target) if own else os.path.join(LISTS, "linux.txt")), own


def waited_for() -> list[str]:
    """Return the modules that a start imports before it is over, which somebody waits for.

    The server of a page is not among them: a process of its own that starts beside the services, it
    unpacks 2 MB in some milliseconds.
    """
    return read_list(START)


def read_list(path: str) -> list[str]:
    """Return the modules that a list has."""
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def list_of(target: Target) -> str:
    """Return where the audit's list for the target's system lies."""
    return os.path.join(LISTS, f"{target.system}.txt")
