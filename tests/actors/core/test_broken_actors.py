"""Errors of ours in a service's actor: each is a failure of the service, and they are counted."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core.foreseen import inherited
from bundlevisor.actors.core.life import Life
from bundlevisor.actors.core.messages import CommandStart, Message, StartService
from bundlevisor.actors.core.report import AfterStop, Report, Stage, StopCause
from bundlevisor.actors.core.restart import History
from bundlevisor.manifest.format.policy import RestartPolicy
from bundlevisor.manifest.format.schema import Service
from tests.actors.core.scheduled import Scheduled
from tests.actors.core.scheduled_actor import Actor
from tests.manifests import manifest_of

INTENSITY = 3


class Breaking(Actor):
    """Each of its starts meets an error of ours, before there is a process or with it."""

    spawns = False

    def _receive(self, message: Message) -> None:
        starts = isinstance(message, StartService)
        if not starts or self.spawns:
            super()._receive(message)
        if starts:
            self._world.starts += 1
            self._world.break_actor(self.id)


class BreakingWithAProcess(Breaking):
    spawns = True


class Broken(Scheduled):
    starts = 0


@pytest.mark.parametrize("kind", [Breaking, BreakingWithAProcess])
def test_an_actor_that_breaks_at_each_start_is_given_up_as_a_service_that_crashes_is(
    kind: type[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "actor_type", kind)
    world = Broken(manifest_of(Service(id="api", restart=RestartPolicy(intensity=INTENSITY))))
    world.run(lambda _: 0)
    assert not world.steps()
    assert (world.stage("api"), world.starts) == (Stage.FAILED, 1 + INTENSITY)
    api = world.board.snapshot.services["api"]
    assert api.message.startswith("gave up: an error in the runtime")
    world.command(CommandStart("api"))
    world.run(lambda _: 0)
    assert (world.stage("api"), world.starts) == (Stage.FAILED, 2 * (1 + INTENSITY))


def test_what_a_broken_actors_successor_knows() -> None:
    report = Report(
        id="api",
        stage=Stage.STOPPING,
        heard=9,
        then=AfterStop.RETRY,
        stop_cause=StopCause.BROKEN,
        message="an error in the runtime",
        incarnation=4,
        pid=77,
        exit_code=1,
        output=("boom",),
    )
    history = History((1.0,), 2, 3)
    assert inherited(report, history) == Life(
        stage=Stage.STOPPING,
        incarnation=4,
        message="an error in the runtime",
        then=AfterStop.RETRY,
        stop_cause=StopCause.BROKEN,
        pid=77,
        exit_code=1,
        history=history,
        cause="an error in the runtime",
        output=("boom",),
    )
