"""Which tests each process of pytest-xdist begins with: the long ones, and no two with a browser.

``--dist worksteal`` gives each an equal part of the tests as they stand, and who is done takes from
the end of another's. What takes long and stands at the end of a part would be what all wait for in
the end; and where several take tests with a browser, each starts its own: three seconds of
processor time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

Item = TypeVar("Item")

LONG = ("electron", "packaging", "model", "faults")
"""Folders of ``tests/``, each for another process to begin with: what takes longest first."""


@pytest.hookimpl(trylast=True)  # of those that are run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in order where several processes share them: all of them do it alike."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count > 1:
        shown = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
        groups: list[Callable[[pytest.Item], bool]] = [lambda item: item.path in shown]
        groups += [in_folder(name) for name in LONG]
        items[:] = arranged(items, groups, count)


def in_folder(name: str) -> Callable[[pytest.Item], bool]:
    """Return whether a test stands in this folder."""
    return lambda item: item.path.parent.name == name


def arranged(
    items: Sequence[Item], groups: Sequence[Callable[[Item], bool]], count: int
) -> list[Item]:
    """Return the items so that of ``count`` equal parts each begins with groups of its own."""
    heads: list[list[Item]] = [[] for _ in range(count)]
    rest: list[Item] = []
    for item in items:
        chosen = next((at for at, is_of in enumerate(groups) if is_of(item)), None)
        (rest if chosen is None else heads[chosen % count]).append(item)
    rest.reverse()
    out: list[Item] = []
    for part, head in enumerate(heads):
        out += head
        end = len(items) * (part + 1) // count
        while rest and len(out) < end:
            out.append(rest.pop())
    return out + rest[::-1]
