"""What is written down of an instance, and when."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from bundlevisor.actors.files import instance
from bundlevisor.actors.files.instance import Instance
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.control.run import instance_record
from bundlevisor.control.run.instance_record import InstanceRecord
from tests.waiting import wait_until


class Told:
    """A guardian to which the runtime says what it is about to start."""

    def __init__(self, app_data: Path) -> None:
        self.found: list[Instance | None] = []
        self.takes_charge = True
        self.owned: list[str] = []
        """What it would remove at the moment, if the runtime died."""
        self.reserve = (12, 2.0)
        self._app_data = str(app_data)

    def in_order(self) -> tuple[tuple[int, float], tuple[int, float]]:
        return (11, 1.0), self.reserve

    def await_charge(self, _timeout: float) -> bool:
        return self.takes_charge

    def own(self, path: str, *, last: bool, named: bool) -> None:
        assert (last, named) == (True, True)
        assert path not in self.owned
        self.owned.append(path)

    def disown(self, path: str) -> None:
        self.owned.remove(path)

    def expect(self, _guarded: GuardedProcess, _read_fd: int = -1) -> None:
        self.found.append(instance.peek(self._app_data))


def of(
    told: Told,
    app_data: Path,
    warn: Callable[[str], None] = lambda _: None,
    look: Callable[[], bool] = lambda: False,
) -> InstanceRecord:
    mine = Instance(
        instance_id="id", pid=1, created=1.0, host="", port=1, token_path="", manifest="",
        started_at=0.0,
    )  # fmt: skip
    return InstanceRecord(cast("Guardian", told), str(app_data), mine, warn, look)


def test_nothing_is_started_before_there_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If runtime and guardians die at once, the next start finds what was started by it alone."""
    write, goes_on = instance.write, threading.Event()

    def late(app_data: str, record: Instance, making: Callable[[str], object]) -> None:
        assert goes_on.wait(30)
        write(app_data, record, making)

    monkeypatch.setattr(instance, "write", late)
    monkeypatch.setattr(instance_record, "FIRST_S", threading.TIMEOUT_MAX)
    told = Told(tmp_path)
    record = of(told, tmp_path)
    starter = threading.Thread(target=record.expect, args=[GuardedProcess("api", "id-api-1")])
    starter.start()
    goes_on.set()
    starter.join(30)
    record.close()
    (found,) = told.found
    assert found is not None
    assert (found.guardian_pid, found.reserve_pid) == (11, 12)
    assert told.owned == []


def test_a_disk_that_hangs_holds_up_one_start_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(instance, "write", lambda *_: goes_on.wait(30))
    monkeypatch.setattr(instance_record, "FIRST_S", 0.01)
    told = Told(tmp_path)
    record = of(told, tmp_path)
    record.expect(GuardedProcess("api", "id-api-1"))
    monkeypatch.setattr(instance_record, "FIRST_S", threading.TIMEOUT_MAX)
    record.expect(GuardedProcess("db", "id-db-1"))
    goes_on.set()
    record.close()
    assert told.found == [None, None]


def test_another_guardian_is_on_record_without_a_breath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that is not, the next start knows nothing, and both write events."""
    monkeypatch.setattr(instance_record, "QUIET_S", threading.TIMEOUT_MAX)
    told = Told(tmp_path)
    record = of(told, tmp_path)
    for told.reserve in ((13, 3.0), (14, 4.0)):
        record.write_again()
        wait_until(partial(is_reserve, told.reserve[0], tmp_path), what="it on record")
    record.close()


def test_a_removed_lock_is_noticed_though_services_come_and_go_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_record, "LOOK_EVERY", 0.5)
    looked = threading.Event()

    def look() -> bool:
        looked.set()
        return False

    record = of(Told(tmp_path), tmp_path, look=look)

    def comes_and_goes() -> bool:
        record.write_again()
        return looked.is_set()

    wait_until(comes_and_goes, what="the look")
    record.close()


def test_a_record_that_was_not_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else may change for days: the next start would not know what runs now."""
    monkeypatch.setattr(instance_record, "LOOK_EVERY", 0.01)
    write, warnings, tries = instance.write, list[str](), iter(range(3))

    def without_room(app_data: str, record: Instance, making: Callable[[str], object]) -> None:
        if next(tries, None) is not None:
            raise OSError(errno.ENOSPC, "no room", "instance.json")
        write(app_data, record, making)

    monkeypatch.setattr(instance, "write", without_room)
    record = of(Told(tmp_path), tmp_path, warnings.append)
    wait_until(partial(is_reserve, 12, tmp_path), what="it on record")
    record.close()
    assert warnings == ["the instance record could not be written: instance.json: no room"]


def is_reserve(pid: int, app_data: Path) -> bool:
    found = instance.peek(str(app_data))
    return found is not None and found.reserve_pid == pid


def test_a_guardian_that_stands_still_is_told_of(tmp_path: Path) -> None:
    told, warnings = Told(tmp_path), list[str]()
    told.takes_charge = False
    record = of(told, tmp_path, warnings.append)
    record.await_charge()
    record.close()
    (warning,) = warnings
    assert "guardian has not taken charge within 3 s" in warning
