"""What looks after the lock goes on looking, whatever keeps one look from being made."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.control.run import edges

KEEPER = "bundlevisor.control.run.lock_keeper"


class Lock:
    """Its file has been removed, until it is taken again."""

    def __init__(self) -> None:
        self.is_there = False

    def stands(self) -> bool:
        return self.is_there

    def take_again(self) -> bool:
        self.is_there = True
        return True


def test_a_look_for_which_there_is_no_descriptor_is_made_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    opened: Any = SimpleNamespace(
        lock=Lock(),
        endpoint=SimpleNamespace(write=lambda: None),
        bundle=SimpleNamespace(app_data="/data"),
        console=SimpleNamespace(warn=told.append),
        ending=SimpleNamespace(ask=lambda *_: None),
    )
    announcer: Any = SimpleNamespace(emit=lambda event, *_, **__: told.append(event))
    look = edges._looking_after(opened, announcer)
    with monkeypatch.context() as none_left:
        none_left.setitem(sys.modules, KEEPER, None)
        assert look() is False
    assert look() is True
    assert told == ["app_data_removed"]
