"""Which modules the programs can import: the closure of the import statements, and the audit.

Two sources, since neither sees everything. The statements are read from the source: in the
product's own packages all of them, also those in functions, and the codecs that it names; in
libraries those that run when a module is imported. What a library imports only when a function is
called, the audit has seen: it runs what the product can do and notes each import (audited.py).
"""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shipping import product
from shipping.import_statements import (
    IMPORTS,
    base_of,
    codecs_in_calls,
    named_in_calls,
    verdict_of,
)

NOT_SHIPPED = frozenset({"test", "tests", "idlelib", "lib2to3", "turtledemo", "__pycache__"})
"""What is no part of any library: not even the audit has to look there."""


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
        for wanted in named_in_calls(tree) if own and IMPORTS in source else ():
            self.add(wanted, name)
        for wanted in codecs_in_calls(tree) if own else ():
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
        base = base_of(node, package)
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
            verdict = verdict_of(node.test, self._system)
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
