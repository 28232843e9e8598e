"""Who is blocked says so, however deep the failure and whatever happened in which order."""

from __future__ import annotations

from bundlevisor.actors.core.messages import CommandStart, CommandStop
from bundlevisor.actors.core.report import Stage
from bundlevisor.actors.core.snapshot import State
from bundlevisor.manifest.format.policy import RestartPolicy
from bundlevisor.manifest.format.schema import Service
from tests.actors.core.scheduled import Scheduled
from tests.manifests import manifest_of

CHAIN = ("a", "b", "c", "d")


def chain_of_four() -> Scheduled:
    services = [
        Service(
            id=id_,
            dependencies=list(CHAIN[:place][-1:]),
            restart=RestartPolicy(policy="never") if id_ == "b" else RestartPolicy(),
        )
        for place, id_ in enumerate(CHAIN)
    ]
    return Scheduled(manifest_of(*services))


def until(world: Scheduled, id_: str, stage: Stage) -> None:
    """Let the first of what may happen happen, until a service is that far."""
    while world.stage(id_) is not stage:
        world.steps()[0]()


def blocked(world: Scheduled) -> dict[str, str]:
    views = world.board.snapshot.services
    return {id_: view.message for id_, view in views.items() if view.blocked}


def test_a_failure_is_known_two_levels_up_although_the_one_between_failed_first() -> None:
    world = chain_of_four()
    until(world, "c", Stage.STARTING)
    world.actors["c"].crash()
    world.actors["b"].crash()
    world.run(lambda _: 0)
    why = "blocked: b failed (exit 1)"
    assert blocked(world) == {"c": why, "d": why}
    assert world.board.snapshot.services["d"].waiting_for == ("c",)
    world.command(CommandStart("b"))
    assert not blocked(world)
    world.run(lambda _: 0)
    assert world.board.snapshot.ready


def test_a_stop_blocks_what_is_above_and_a_pause_between_says_nothing_else() -> None:
    world = chain_of_four()
    until(world, "c", Stage.STARTING)
    world.actors["c"].crash()
    until(world, "c", Stage.BACKOFF)
    world.command(CommandStop("a"))
    views = world.board.snapshot.services
    assert views["d"].message == "blocked: a is stopped"
    world.run(lambda _: 0)
    assert blocked(world) == dict.fromkeys("bcd", "blocked: a is stopped")
    assert world.board.snapshot.services["a"].state is State.STOPPED
