"""What a shipped folder keeps unpacked, for a start to read as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.packaging.environment import ROOT
from tests.test_layers import KNOWN, imports_of, tree_of

START = ROOT / "packaging" / "shipping" / "imports" / "start.txt"


def test_what_a_start_imports_is_unpacked_with_all_that_it_imports_on_every_system() -> None:
    """The list is made on Linux, and not at each change."""
    unpacked = set(START.read_text().splitlines())
    lacking = {
        wanted
        for name in unpacked & KNOWN.keys()
        for node in at_import(tree_of(KNOWN[name]).body)
        for wanted in imports_of(node, KNOWN) - unpacked
    }
    assert sorted(lacking) == [], f"add them to {START}"


def at_import(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that are run when a module is imported, on any system."""
    for node in body:
        if isinstance(node, ast.If):
            if ast.unparse(node.test) != "TYPE_CHECKING":
                yield from at_import([*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.With):
            yield from at_import(node.body)
        else:
            yield node
