from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bundlevisor.perf import bundles, client, critical_path, programs, records
from bundlevisor.perf.records import Incarnation
from tests import absent
from tests.waiting import WITHIN, wait_until


def test_lines_become_incarnations_in_the_order_of_their_starts() -> None:
    text = "start b 12 200\nstart a 11 100\nlisten a 11 150\nstop a 11 900\n"
    assert records.parse(text) == [Incarnation("a", 11, 100, 150, 900), Incarnation("b", 12, 200)]


def test_a_torn_last_line_is_ignored() -> None:
    assert records.parse("start a 1 100\nlisten a 1 15") == [Incarnation("a", 1, 100)]


def test_a_record_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert records.read(str(tmp_path / "none")) == []


def test_the_first_incarnation_of_each_service_counts() -> None:
    first, second = Incarnation("a", 1, 10), Incarnation("a", 2, 20)
    assert records.first_of_each([first, second]) == {"a": first}


DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
RUN = [
    Incarnation("a", 1, start=0, listen=10, stop=903),
    Incarnation("b", 2, start=11, listen=16, stop=902),
    Incarnation("c", 3, start=12, listen=40, stop=901),
    Incarnation("d", 4, start=43, listen=50, stop=900),
]


def test_the_critical_path_is_the_longest_chain_of_own_times() -> None:
    assert critical_path.critical_path_ns(DIAMOND, RUN) == 10 + 28 + 7


def test_a_dependents_gap_begins_with_its_last_dependency() -> None:
    assert critical_path.release_gaps_ns(DIAMOND, RUN) == [1, 2, 3]


def test_a_stop_in_reverse_order_is_in_order() -> None:
    assert critical_path.stops_out_of_order(DIAMOND, RUN) == []


def test_a_stop_before_a_dependent_is_told() -> None:
    wrong = [*RUN[1:], Incarnation("a", 1, start=0, listen=10, stop=901)]
    assert critical_path.stops_out_of_order({"a": (), "b": ("a",)}, wrong) == [
        "'a' was stopped before 'b', which needs it"
    ]


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("native", [True, False], ids=["native", "python"])
def test_a_service_program_records_start_listen_and_stop_and_answers(
    native: bool, tmp_path: Path
) -> None:
    if native and not any(map(shutil.which, programs.COMPILERS)):
        absent.skip("a C compiler")
    program = programs.find(native=native)
    assert program.native is native
    binary = tmp_path / programs.install(program, str(tmp_path))
    port, path = bundles.free_port(), str(tmp_path / "record")
    arguments = ["--id", "web", "--delay-ms", "5", "--port", str(port), "--record", path]
    before = time.monotonic_ns()
    process = subprocess.Popen([binary, *arguments])
    wait_until(lambda: bool(records.read(path) and records.read(path)[0].listen), 20)
    answer = client.ask(port, "/health")
    process.send_signal(signal.SIGTERM)
    assert process.wait(WITHIN) == 0
    (one,) = records.read(path)
    assert answer is not None
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert (one.service, one.pid) == ("web", process.pid)
    assert before < one.start < one.listen - 5_000_000 < one.stop < time.monotonic_ns()
