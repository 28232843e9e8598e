"""What concerns several services at once: the restarts of a group, and a machine that has slept."""

from __future__ import annotations

from bundlevisor.actors.core.messages import SystemResumed
from bundlevisor.actors.core.report import Stage
from bundlevisor.manifest.format.policy import RestartPolicy, Supervision
from bundlevisor.manifest.format.schema import Service
from tests.actors.core.scheduled import Scheduled
from tests.manifests import manifest_of

OFTEN = RestartPolicy(intensity=100)
GROUP = Supervision(strategy="one_for_all", intensity=2, period_ms=60_000)


def two() -> Scheduled:
    services = (Service(id="db", restart=OFTEN), Service(id="api", restart=OFTEN))
    world = Scheduled(manifest_of(*services, supervision=GROUP))
    world.run(lambda _: 0)
    return world


def crash(world: Scheduled) -> Stage:
    world.actors["db"].crash()
    world.run(lambda _: 0)
    return world.stage("db")


def test_a_group_is_restarted_so_often_within_a_period_and_no_more() -> None:
    world = two()
    assert [crash(world) for _ in range(2)] == [Stage.READY] * 2
    world.clock += 61
    assert [crash(world) for _ in range(3)] == [Stage.READY] * 2 + [Stage.FAILED]
    message = world.board.snapshot.services["db"].message
    assert message.startswith("gave up: ")
    assert message.endswith("its group was restarted 2 times within 60 s")


def test_each_service_hears_that_the_machine_has_slept() -> None:
    world = two()
    slept = SystemResumed(3600.0)
    world.command(slept)
    assert [slept in actor.inbox for actor in world.actors.values()] == [True, True]
