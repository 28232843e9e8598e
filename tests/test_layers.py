"""Imports run one way: no folder imports a higher one, and neither folders nor files in a circle.

Every import counts, wherever it stands: in a function it is as much a dependency as at the top, and
one for the type checker says that this file knows what that one looks like.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
ORDER = """
actors/stand_ins actors/loop actors/files manifest/format
manifest/plan
manifest/check
manifest/read
actors/process actors/telemetry
actors/logs actors/probes actors/ports actors/gpu
actors/launch actors/guardian
actors/core
actors/secrets actors/prepare actors/ui_server
actors
actors/validation
control/boot
control/wire control/dashboard
control/api
control/http
control/watch
control/run
control/develop/starter control/develop/completion
control/develop control/support
control/cli/screen control/cli/parser
control/cli
control
bundlevisor perf
perf/questions
"""
"""From low to high. Folders of one line may import one another, as long as it is no circle."""
RANK = {folder: n for n, line in enumerate(ORDER.strip().splitlines()) for folder in line.split()}


def modules() -> dict[str, Path]:
    """Return every file of ours by the name of its module; a package is its ``__init__``."""
    found = {}
    for top in ("bundlevisor", "manifest", "actors", "control", "perf"):
        for path in (ROOT / top).rglob("*.py"):
            words = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(words).removesuffix(".__init__")
            found[name if top == "bundlevisor" else f"bundlevisor.{name}"] = path
    return found


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    return {name for node in ast.walk(tree_of(path)) for name in imports_of(node, known)}


def imports_of(node: ast.AST, known: dict[str, Path]) -> set[str]:
    found = set()
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            found.add(name if name in known else str(node.module))
    elif isinstance(node, ast.Import):
        found |= {alias.name for alias in node.names}
    return {name for name in found if name in known and name != "bundlevisor"}


KNOWN = modules()


@functools.cache
def edges_of_all() -> set[tuple[str, str]]:
    """Return who imports whom."""
    return {(name, to) for name, path in KNOWN.items() for to in imports(path, KNOWN) if to != name}


def folder(name: str) -> str:
    return KNOWN[name].parent.relative_to(ROOT).as_posix()


def rank(name: str) -> int:
    place = folder(name)
    while place not in RANK:
        place = place.rpartition("/")[0]
    return RANK[place]


def circle(edges: set[tuple[str, str]]) -> list[str]:
    graph: dict[str, set[str]] = {}
    for one, other in edges:
        if one != other:
            graph.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def faults(edges: set[tuple[str, str]]) -> list[str]:
    upward = [f"{one} > {other}" for one, other in sorted(edges) if rank(other) > rank(one)]
    folders = circle({(folder(one), folder(other)) for one, other in edges})
    files = circle(edges)
    circles = [f"a circle: {' < '.join(found)}" for found in (folders, files) if found]
    return upward + circles


LONGEST = 300
"""Lines of a file, at most. Most have one concept in 80 to 200."""


LONGEST_FUNCTION = 39
"""Lines of a function of ours, at most, its docstring included."""


def files_of(*folders: str) -> dict[str, Path]:
    others = (path for top in folders for path in (ROOT / top).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path for path in (*KNOWN.values(), *others)}


def test_no_file_is_long() -> None:
    lines = {
        name: path.read_text(encoding="utf-8").count("\n")
        for name, path in files_of("tests", "packaging").items()
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield them without a look into expressions, where there are none."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        if isinstance(node, ast.stmt):
            yield from functions_of(node)


def test_no_function_is_long() -> None:
    lines = {
        f"{name}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, path in files_of("packaging").items()
        for node in functions_of(tree_of(path))
    }
    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}


def test_imports_run_one_way() -> None:
    assert faults(edges_of_all()) == []


def test_nobody_imports_by_the_name_of_a_folder() -> None:
    """In a checkout that would work, and every module be there twice."""
    by_folder = re.compile(r"^ *(?:from|import) (?:manifest|actors|control|perf)\b", re.MULTILINE)
    elsewhere = ROOT / "tests" / "packaging" / "outside"  # another project, with such folders
    tests = (path for path in (ROOT / "tests").rglob("*.py") if elsewhere not in path.parents)
    files = (*KNOWN.values(), *tests)
    assert [p for p in files if by_folder.search(p.read_text(encoding="utf-8"))] == []


def test_modules_that_docstrings_name_are_there() -> None:
    ours = ("bundlevisor", "manifest", "actors", "control", "perf")
    missing = {
        (name, named)
        for name, path in KNOWN.items()
        for named in re.findall(r":mod:`~?([\w.]+)`", path.read_text(encoding="utf-8"))
        if named.partition(".")[0] in ours and named not in KNOWN
    }
    assert missing == set()


def test_the_table_of_the_architecture_is_in_this_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    place = {one: n for n, row in enumerate(rows) for one in re.findall(r"[\w/]+", row)}
    rooms = {"/".join(folder(name).split("/")[:2]) for name in KNOWN}
    outside = {"bundlevisor", "bundlevisor/testing", "control", "manifest", "perf/questions"}
    assert rooms - place.keys() <= outside
    down = {(folder(one), folder(other)) for one, other in edges_of_all()}
    assert [(a, b) for a, b in sorted(down) if place.get(a, 99) < place.get(b, 0)] == []
