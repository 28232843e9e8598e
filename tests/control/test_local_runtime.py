"""What the API's facade asks of the runtime that it is in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from bundlevisor.actors.core.messages import Outcome
from bundlevisor.actors.logs.timed_lines import MAX_BYTES
from bundlevisor.control.run.local_runtime import LocalRuntime, ServiceLogs
from bundlevisor.control.run.shutdown_requests import ShutdownRequests
from bundlevisor.control.wire.bounds import LONGEST_KEEPING_S


def test_who_asks_for_the_end_is_told_without_what_the_end_does_not_need() -> None:
    """Once all is ready the installed files may be gone, by which facts are made."""
    told: list[tuple[Any, ...]] = []

    def gone() -> NoReturn:
        raise ModuleNotFoundError

    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    context = SimpleNamespace(
        emit=lambda *what, **details: told.append((*what, details["request"]))
    )
    runtime = LocalRuntime(**given | {"port": 1, "make_facts": gone, "context": context})
    runtime.tell_asked("POST /shutdown", "curl", 2)
    assert told == [("api_request", None, "POST /shutdown")]


def test_however_many_logs_are_looked_at_it_is_no_more_of_them_all(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"0123456\n" * 10_000)
    specs: dict[str, Any] = {"a": SimpleNamespace(log_path=str(log))}
    logs = ServiceLogs(specs, cast(Any, None))
    found = logs.lines("a", 10_000, 0.0, 500)
    assert 0 < len(found) * 8 <= MAX_BYTES // 500


def test_a_command_is_refused_once_the_end_has_been_asked_for() -> None:
    """What it starts would be stopped: the supervisor hears of the end a moment later only."""
    asked: list[Any] = []

    def ask(message: object, **_: object) -> Outcome:
        asked.append(message)
        return Outcome()

    supervisor = SimpleNamespace(ask=ask)
    ending = ShutdownRequests()
    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    runtime = LocalRuntime(**given | {"port": 1, "supervisor": supervisor, "ending": ending})
    assert not runtime.command("db", "restart", 1.0).conflict
    ending.ask("asked to by the api")
    assert runtime.command("db", "restart", 1.0).conflict == "the runtime is stopping"
    assert len(asked) == 1


def test_a_value_waits_for_those_that_a_start_is_storing() -> None:
    """On a slow disk, or where a user has to unlock the key store for them."""
    waits: list[float] = []

    def store(_values: object, timeout: float) -> frozenset[str]:
        waits.append(timeout)
        return frozenset()

    vault = SimpleNamespace(refused=lambda _: (), store=store)
    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    runtime = LocalRuntime(**given | {"port": 1, "open_vault": lambda: vault})
    assert runtime.set_secrets({"api_key": "k-1"}, 5.0) == ()
    assert waits == [LONGEST_KEEPING_S]


def test_a_value_that_another_write_holds_up_for_too_long_is_not_stored_and_it_is_said() -> None:
    """It is none of the supervisor's, of whose commands some are carried out a little later."""

    def store(_values: object, _timeout: float) -> NoReturn:
        raise TimeoutError("the secrets are being written")

    vault = SimpleNamespace(refused=lambda _: (), store=store)
    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    runtime = LocalRuntime(**given | {"port": 1, "open_vault": lambda: vault})
    with pytest.raises(OSError, match=r"^the secrets are being written$") as raised:
        runtime.set_secrets({"api_key": "k-1"}, 5.0)
    assert not isinstance(raised.value, TimeoutError)


def test_a_command_at_which_the_supervisor_fails_is_not_said_to_follow() -> None:
    supervisor = SimpleNamespace(ask=lambda *_, **__: None)
    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    given |= {"port": 1, "supervisor": supervisor, "ending": ShutdownRequests()}
    with pytest.raises(RuntimeError, match="could not carry the command out"):
        LocalRuntime(**given).command("db", "stop", 1.0)
