"""Errors of ours in a turn of the supervisor's: what it had not come to is done in the next."""

from __future__ import annotations

import pytest

from bundlevisor.actors.collaborators import NoSecrets
from bundlevisor.actors.core.messages import CommandStart, CommandStop
from bundlevisor.actors.core.report import Stage
from tests.actors.core.scheduled import Scheduled
from tests.manifests import needing


class Shut(NoSecrets):
    """A vault that cannot be asked as long as it is ``shut``."""

    shut = False

    def values_for(self, service_id: str) -> dict[str, str]:
        if self.shut:
            raise OSError("no more descriptors")
        return super().values_for(service_id)


def world_of(vault: Shut) -> Scheduled:
    return Scheduled(needing(db="", api="db", web="db"), vault=vault)


def test_all_whose_start_was_broken_off_are_started() -> None:
    vault = Shut()
    world = world_of(vault)
    vault.shut = True
    with pytest.raises(OSError, match="no more descriptors"):
        world.run(lambda _: 0)
    world.faults.clear()
    assert {world.stage(id_) for id_ in ("api", "web")} == {Stage.WAITING}
    vault.shut = False
    world.command(CommandStart("api"))
    world.run(lambda _: 0)
    assert {world.stage(id_) for id_ in ("db", "api", "web")} == {Stage.READY}


def test_one_whose_stop_was_broken_off_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def instruct(*_: object) -> None:
        raise OSError("no more descriptors")

    world = world_of(Shut())
    world.run(lambda _: 0)
    with monkeypatch.context() as broken:
        broken.setattr(world._supervisor._actors, "instruct", instruct)
        with pytest.raises(OSError, match="no more descriptors"):
            world.command(CommandStop("api"))
    world.faults.clear()
    world.command(CommandStart("web"))
    world.run(lambda _: 0)
    assert {id_: world.stage(id_) for id_ in ("db", "api", "web")} == {
        "db": Stage.READY,
        "api": Stage.STOPPED,
        "web": Stage.READY,
    }
