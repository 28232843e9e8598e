"""``python -m tests.rewritten``: what pytest compiles in its own way, written once for all workers.

pytest rewrites the tests, whose ``assert`` it explains, and what has a plugin of it: Hypothesis.
Where the environment forbids bytecode, or nothing is there yet, each worker of
pytest-xdist would do so for itself: six seconds of processor time. What pytest finds in
``__pycache__`` it takes when its source has the hash that stands there. Hypothesis looks up which
characters there are, for two seconds, and keeps it in ``.hypothesis``.
"""

from __future__ import annotations

import ast
import gc
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.assertion import rewrite  # there is no public name for it: the lock fixes the version
from _pytest.assertion.rewrite import assertstate_key

from tests.plugins import SHARED

ROOT = Path(__file__).parent.parent


class Rewriter:
    """A plugin that writes bytecode in place of running tests."""

    def __init__(self) -> None:
        self.written = 0

    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Write what is missing or stale; of Hypothesis, a plugin, what a use of it takes."""
        importlib.import_module("tests.any_text").used()
        rewrite.traverse_node = placed
        state = config.stash[assertstate_key]
        for source in sources():
            folder = rewrite.get_cache_dir(source)
            compiled = folder / (source.stem + rewrite.PYC_TAIL)
            if rewrite._read_pyc(source, compiled) is None and rewrite.try_makedirs(folder):
                digest, code = rewrite._rewrite_test(source, config)
                self.written += rewrite._write_pyc(state, code, digest, compiled)
        return 0


def placed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that have a place in a source: to those that have none yet one is given.

    pytest's own yields all, each through the generators of all that are above: half of its time.
    """
    left: list[ast.AST] = [node]
    while left:
        node = left.pop()
        if node._attributes:
            yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [one for one in value if isinstance(one, ast.AST)]


def sources() -> Iterator[Path]:
    """Yield the files that pytest rewrites, Hypothesis' not among them."""
    for name in ("test_*.py", "conftest.py"):
        yield from (ROOT / "tests").rglob(name)


def main() -> int:
    """Write all; return the exit code."""
    sys.dont_write_bytecode = False
    gc.disable()  # it would look through millions of nodes for nothing
    rewriter = Rewriter()
    code = pytest.main(["-p", "no:cacheprovider", "--noconftest", *SHARED], [rewriter])
    print(f"{rewriter.written} files written")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
