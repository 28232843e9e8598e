"""What is demanded of the pure core is demanded of all of it, and what is left out is named."""

from __future__ import annotations

import ast
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests import mutants
from tests.outside_core import OUTSIDE
from tests.pure_core import MODULES, ROOT
from tests.test_layers import KNOWN, imports
from tests.undecorated import undecorated

TOUCHING_NOTHING = {
    "__future__", "abc", "base64", "bisect", "bundlevisor", "collections", "datetime", "enum",
    "fnmatch", "functools", "graphlib", "hashlib", "heapq", "ipaddress", "itertools", "json",
    "math", "msgspec", "operator", "re", "statistics", "string", "types", "typing", "unicodedata",
    "urllib",
}  # fmt: skip
"""What a decision may import."""


def tops(path: Path) -> set[str]:
    """Return the packages that a module imports from, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


def decides(path: Path) -> bool:
    """Whether a module does this or that."""
    branches = (ast.If, ast.IfExp, ast.BoolOp, ast.Compare)
    return any(isinstance(n, branches) for n in ast.walk(ast.parse(path.read_text("utf-8"))))


def in_core(name: str) -> bool:
    place = KNOWN[name].relative_to(ROOT).as_posix()
    return any(fnmatch(place, pattern) for pattern in MODULES)


def test_whatever_decides_and_touches_nothing_is_of_the_core_or_named_with_a_reason() -> None:
    core = {name for name in KNOWN if in_core(name)}
    touching_nothing = {name for name, path in KNOWN.items() if tops(path) <= TOUCHING_NOTHING}
    needed = {name: imports(KNOWN[name], KNOWN) for name in touching_nothing}
    before: set[str] = set()
    while before != touching_nothing:
        before = touching_nothing
        touching_nothing = {name for name in before if needed[name] <= core | before}
    outside = {name for name in touching_nothing - core if decides(KNOWN[name])}
    named = [f"bundlevisor.{name}" for names in OUTSIDE.values() for name in names]
    assert sorted(outside) == sorted(named)


def test_what_decides_on_services_touches_nothing() -> None:
    """No clock, no thread, no file: the edges are given what was decided."""
    core = {name: path for name, path in KNOWN.items() if ".actors.core" in name}
    assert {name: tops(path) - TOUCHING_NOTHING for name, path in core.items()} == {
        name: set() for name in core
    }


def test_mutants_are_made_of_every_module_of_the_core() -> None:
    changed = {path.relative_to(ROOT) for path in mutants.core(ROOT)}
    assert changed == {KNOWN[name].relative_to(ROOT) for name in KNOWN if in_core(name)}
    patterns = tomllib.loads(mutants.configuration([]))["tool"]["mutmut"]["only_mutate"]
    for path in changed:
        place = f"bundlevisor/{path.as_posix()}"
        assert any(fnmatch(place, pattern) for pattern in patterns), place


BEFORE = """
import functools

class A:
    @property
    def b(self) -> int:
        \"\"\"Say it.\"\"\"
        return 1

    @functools.cached_property
    def c(self) -> int:
        return 2  # always

    @classmethod
    def d(cls) -> int:
        return 3

@functools.cache
def e(f: int) -> int:
    return f

@lru_cache(
    maxsize=8,
)
def g() -> int:
    return 4
"""
AFTER = """
import functools

class A:
    def b(self) -> int:
        \"\"\"Say it.\"\"\"
        return 1
    b = property(b)

    def c(self) -> int:
        return 2  # always
    c = functools.cached_property(c)

    @classmethod
    def d(cls) -> int:
        return 3

def e(f: int) -> int:
    return f
e = functools.cache(e)

def g() -> int:
    return 4
g = lru_cache(maxsize=8)(g)
"""


def test_what_is_decorated_is_bare_where_mutants_are_made_and_the_same() -> None:
    assert undecorated(BEFORE) == AFTER
    assert undecorated(AFTER) == AFTER
