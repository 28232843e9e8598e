"""Words that come often: the newest counts, and not too many are passed on."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.loop.paced import EVERY, Paced


class Scene:
    """A clock and a loop that stand until they are moved on."""

    def __init__(self) -> None:
        self.now = 50.0
        self.told: list[int] = []
        self._due: list[tuple[float, Callable[[], object]]] = []
        self.paced: Paced[int] = Paced(self, self.told.append, lambda: self.now)

    def call_at(self, when: float, callback: Callable[[], object]) -> None:
        self._due.append((when, callback))

    def pass_on(self, seconds: float) -> None:
        self.now += seconds
        due, self._due = self._due, []
        for when, callback in due:
            if when <= self.now:
                callback()
            else:
                self._due.append((when, callback))


def test_the_first_is_passed_on_at_once_and_of_the_others_the_newest() -> None:
    scene = Scene()
    for number in range(100):
        scene.paced.put(number)
    assert scene.told == [0]
    scene.pass_on(EVERY)
    assert scene.told == [0, 99]
    scene.pass_on(EVERY)
    assert scene.told == [0, 99], "nothing is told twice"


def test_a_flood_is_passed_on_at_its_pace() -> None:
    scene = Scene()
    for number in range(1000):
        scene.paced.put(number)
        scene.pass_on(EVERY / 100)
    scene.pass_on(EVERY)
    assert scene.told[-1] == 999
    assert scene.told == sorted(scene.told)
    assert len(scene.told) <= 12


def test_who_speaks_seldom_is_heard_at_once() -> None:
    scene = Scene()
    for number in range(3):
        scene.paced.put(number)
        assert scene.told[-1] == number
        scene.pass_on(EVERY * 2)
