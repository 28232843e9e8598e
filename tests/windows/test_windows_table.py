from __future__ import annotations

import os
import sys

from bundlevisor.actors.process.table import windows as table
from tests.windows import started as services

assert sys.platform == "win32"


def test_a_child_and_the_table_agree_on_the_create_time(start: services.Starter) -> None:
    started = start(services.SLEEPS)
    assert table.created(started.child.pid) == started.child.created
    assert table.alive(started.child.pid, started.child.created)
    assert not table.alive(started.child.pid, started.child.created + 1)


def test_a_process_that_has_ended_has_a_status_while_somebody_holds_it(
    start: services.Starter,
) -> None:
    started = start("import sys; sys.exit(9)")
    assert started.ended.wait(services.DEADLINE)
    pid, born = started.child.pid, started.child.created
    assert not table.alive(pid, born)
    assert table.status_of(pid, born) == 9 << 8
    assert table.status_of(pid, born + 1) is None


def test_only_the_process_that_was_meant_is_ended(start: services.Starter) -> None:
    started = start(services.SLEEPS)
    pid, born = started.child.pid, started.child.created
    assert table.send(pid, born + 1, 15) is False
    assert started.child.poll() is None
    assert table.send(pid, born, 15) is True
    assert started.ended.wait(services.DEADLINE)
    assert table.send(pid, born, 15) is False


def test_services_are_found_by_the_beginning_of_their_mark(start: services.Starter) -> None:
    marked = start(services.SLEEPS, env=dict(os.environ) | {"SERVICE_INSTANCE_ID": "abcd-1"})
    other = start(services.SLEEPS, env=dict(os.environ) | {"SERVICE_INSTANCE_ID": "abce-1"})
    assert marked.line() == other.line() == "up"
    assert table.census("") == []
    found = {f.pid: (f.created, f.mark) for f in table.census(("abcd-", "none-"))}
    assert found[marked.child.pid] == (marked.child.created, "abcd-1")
    assert other.child.pid not in found


def test_a_number_that_is_no_pid_names_nobody() -> None:
    assert table.created(-140) is None
    assert table.created(0) is None
    assert table.send(-140, 1.0, 15) is False
