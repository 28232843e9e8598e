"""In which order a tree is asked to end, whichever news comes first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.probes import stop_request
from bundlevisor.actors.process import children
from bundlevisor.actors.tree_stop import TreeStop
from bundlevisor.manifest.format.policy import StopPolicy


class Child:
    """A leader that leaves others when it ends; notes who is asked."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.asked: list[str] = []

    def poll(self) -> int | None:
        return self.code

    def ask_to_stop(self, _: str, *, leader_only: bool = False) -> bool:
        self.asked.append("leader" if leader_only else "rest")
        return True


@pytest.fixture
def child() -> Child:
    return Child()


@pytest.fixture
def stop(child: Child, monkeypatch: pytest.MonkeyPatch) -> TreeStop:
    """A stop whose HTTP request is on its way."""
    monkeypatch.setattr(children, "LEADER_ALONE", True)
    monkeypatch.setattr(stop_request, "request_stop", lambda *_: None)
    spec: Any = SimpleNamespace(
        service=SimpleNamespace(stop=StopPolicy()), stop_address=lambda _: (1, "/stop")
    )
    process: Any = SimpleNamespace(child=child)
    loop: Any = None
    begun = TreeStop(spec, process, loop)
    ask(begun)
    assert child.asked == []
    return begun


def ask(stop: TreeStop) -> None:
    stop.ask(StartInputs({}), lambda: None)


def test_a_leader_that_refuses_is_asked_by_the_signal(child: Child, stop: TreeStop) -> None:
    stop.signal()
    assert child.asked == ["leader"]


def test_what_a_leader_leaves_is_asked_once_though_it_has_ended_without_an_answer(
    child: Child, stop: TreeStop
) -> None:
    child.code = 0
    ask(stop)
    stop.signal()
    assert child.asked == ["rest"]


def test_a_tree_that_is_killed_goes_on_being_killed_when_its_answer_never_comes(
    child: Child, stop: TreeStop
) -> None:
    stop.insist()
    child.code = -9
    stop.signal()
    assert stop.is_hopeless
    assert child.asked == []
