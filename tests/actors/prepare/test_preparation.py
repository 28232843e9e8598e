"""Preparations of an actor that breaks meanwhile: cut short, waited for, and all of them ended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from pykka import ActorDeadError

from bundlevisor.actors.background_work import BackgroundWork
from bundlevisor.actors.core.messages import LaunchFailed, Message, Prepared
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import BundleSite, CannotLaunch, LaunchSpec
from bundlevisor.actors.launch.tracked_process import TrackedProcess
from bundlevisor.actors.loop.loop_actor import Teller
from bundlevisor.actors.ports.reservations import PortReservations
from bundlevisor.actors.prepare import installation, migration_runner
from bundlevisor.actors.prepare.means import Means, Task
from bundlevisor.actors.prepare.migration_runner import Migrator
from bundlevisor.actors.prepare.preparation import Preparation
from bundlevisor.actors.process import children
from bundlevisor.actors.service_effects import ServiceEffects
from bundlevisor.manifest.format.schema import Migration, Service
from tests.waiting import WITHIN, wait_until

ANY: Any = None


def nobody(*_: object, **__: object) -> None:
    """Is told."""


def means() -> Means:
    return Means(
        loop=ANY,
        log=ANY,
        guardian=ANY,
        emit=nobody,
        mark=nobody,
        fault=nobody,
        alone=threading.Lock(),
        installs=False,
        secret_files=lambda: ANY,
        stores=lambda: ANY,
        log_paths=list,
        closed_logs=lambda: ANY,
    )


def spec_of(secret_files: Callable[[object], list[object]]) -> Any:
    return SimpleNamespace(
        service=SimpleNamespace(id="db"),
        secret_files=secret_files,
        reads_secret_files=True,
        keep_log_inside=nobody,
    )


def test_of_one_service_one_is_under_way_at_a_time() -> None:
    go_on, both = threading.Event(), threading.Event()
    under_way: list[int] = []
    told: list[Message] = []

    def prepare(_: object) -> list[object]:
        under_way.append(1)
        if len(under_way) > 1:
            both.set()
        go_on.wait(WITHIN)
        under_way.pop()
        return []

    shared, spec = means(), spec_of(prepare)
    for number in (1, 2):
        Preparation(Task(spec, shared, StartInputs({}), number, told.append)).start()
    wait_until(lambda: bool(under_way), what="one has begun")
    assert not both.wait(0.2)
    go_on.set()
    wait_until(lambda: len(told) == 2, what="both have ended")
    assert {*told} == {Prepared(1), Prepared(2)}


@pytest.mark.parametrize("fatal", [False, True])
def test_folders_that_cannot_be_made_fail_this_start_alone(
    monkeypatch: pytest.MonkeyPatch, fatal: bool
) -> None:
    """A disk may have room again when the service is restarted; a path that leads out stays so."""

    class Full:
        def __init__(self, _task: Task) -> None:
            """Install nothing."""

        def put_back(self) -> str:
            return ""

        def run(self) -> str:
            raise CannotLaunch("no room", fatal=fatal)

    monkeypatch.setattr(installation, "Installation", Full)
    told: list[Message] = []
    installs = msgspec.structs.replace(means(), installs=True, secret_files=Mock)
    Preparation(Task(spec_of(lambda _: []), installs, StartInputs({}), 1, told.append)).start()
    wait_until(lambda: bool(told), what="it has ended")
    assert told == [LaunchFailed(1, "no room", fatal)]


def test_the_end_of_one_whose_actor_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[object] = []
    threads: list[int] = []

    class Gone:
        def tell(self, _message: Message) -> None:
            threads.append(threading.get_ident())
            raise ActorDeadError("service 'db' not found")

    monkeypatch.setattr(sys, "unraisablehook", errors.append)
    context: Any = SimpleNamespace(means=lambda _: means(), installs=lambda _: False)
    gone: Any = Gone()
    work = BackgroundWork(spec_of(lambda _: []), context, Teller(gone).tell)
    assert work.prepare(StartInputs({}), 1) == ()
    wait_until(lambda: bool(threads), what="it has ended")
    wait_until(lambda: threads[0] not in sys._current_frames(), what="its thread has ended")
    assert not errors


def test_what_an_actor_lets_go_of_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[BackgroundWork] = []

    def cut_short(work: BackgroundWork) -> bool:
        cut.append(work)
        return True

    monkeypatch.setattr(BackgroundWork, "cut_short", cut_short)
    spec: Any = SimpleNamespace(service=Service(id="db"))
    context: Any = SimpleNamespace(reserved=PortReservations(), loop=ANY)
    actor: Any = SimpleNamespace(tell=nobody)
    ServiceEffects(spec, context, ANY, actor).let_go()
    assert len(cut) == 1


def test_a_migration_does_not_outlive_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Tracked:
        def __init__(self, *_: object) -> None:
            pass

        def on_exit(self, _: object) -> None:
            pass

        def poll(self) -> None:
            return None

        def end(self, *_: object) -> None:
            done.append("ended")

        def close(self, read: Callable[[], object]) -> None:
            done.append("let go")
            read()

    def fail(_: float) -> None:
        raise LookupError("nobody hears of it")

    monkeypatch.setattr(migration_runner, "TrackedProcess", Tracked)
    monkeypatch.setattr(migration_runner, "TICK", 0.0)
    monkeypatch.setattr(Migrator, "_start", nobody)
    spec: Any = SimpleNamespace(instance=lambda number: f"db-{number}")
    migrator = Migrator(Task(spec, means(), StartInputs({}), 1, nobody))
    with pytest.raises(LookupError):
        migrator.run(Migration(version="1", command=["bin/migrate"], run_on="always"), fail)
    assert done == ["ended", "let go"]


@pytest.mark.parametrize("code", children.SHORTAGES)
@pytest.mark.parametrize("where", ["pipe", "spawn"])
def test_a_migration_that_nothing_is_left_to_begin_by_fails_this_start_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, where: str
) -> None:
    """As the program of a service, which is tried again with its pauses."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    def start(_self: object, _guarded: object, _redactor: object, spawn: Any, **_: object) -> None:
        if where == "pipe":
            refuse()
        spawn(1)

    monkeypatch.setattr(children, "spawn", refuse)
    monkeypatch.setattr(TrackedProcess, "start", start)
    monkeypatch.setattr(Migrator, "_guarded", nobody)
    (tmp_path / "migrate").touch(0o755)
    site = BundleSite(str(tmp_path), str(tmp_path), {}, "instance")
    spec = LaunchSpec(Service(id="db"), None, site, "db.log")
    migrator = Migrator(Task(spec, means(), StartInputs({}), 1, nobody))
    migration = Migration(version="7", command=["migrate"])
    with pytest.raises(CannotLaunch, match="service 'db': migration 7 cannot be started: ") as told:
        migrator.run(migration, nobody)
    assert not told.value.fatal


def test_a_migration_is_not_ended_for_time_that_the_machine_slept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = iter([None, None, 0, 0])
    clock = [100.0]

    def sleep(_self: Migrator, _seconds: float) -> bool:
        clock[0] += 3600.0
        return False

    def tracked(*_: object) -> Any:
        return SimpleNamespace(
            on_exit=nobody, poll=lambda: next(ends), end=nobody, close=lambda read: read()
        )

    taken: list[float] = []
    monkeypatch.setattr(migration_runner, "TrackedProcess", tracked)
    monkeypatch.setattr(Migrator, "_start", nobody)
    monkeypatch.setattr(Migrator, "_pause", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    spec: Any = SimpleNamespace(instance=lambda number: f"db-{number}")
    log: Any = SimpleNamespace(tail=lambda _: b"")
    migrator = Migrator(
        Task(spec, msgspec.structs.replace(means(), log=log), StartInputs({}), 1, nobody)
    )
    migration = Migration(version="1", command=["bin/migrate"], timeout_ms=20_000)
    assert migrator.run(migration, taken.append) == migration_runner.Result()
    assert max(taken) < 20
