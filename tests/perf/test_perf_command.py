"""``python -m bundlevisor.perf`` as it is typed."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bundlevisor.perf import __main__ as perf, results
from bundlevisor.perf.options import finish
from tests import absent
from tests.waiting import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = """{
 "question": "startup", "bundle": "chain1", "label": "what it was \N{EN DASH} before",
 "measures": {"ready": {"title": "ready"}},
 "contenders": {"one": {"ready": [1, 1, 1, 2, 2, 3]}}
}"""


def test_who_reads_no_further_sees_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "bundlevisor.perf", "--help"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_interrupts_it_sees_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(perf, "main", interrupted)
    assert perf.run(["idle"]) == 130


@pytest.mark.skipif(os.name != "posix", reason="the stand-in runtime is for POSIX")
def test_who_is_told_to_end_removes_what_it_measures_with(tmp_path: Path) -> None:
    runtime = f"{sys.executable} -I -S {HERE}/standin_runtime.py {{manifest}} {{app_data}}"
    words = ["idle", "--shape", "independent1", "--python-services", "--settle", "300"]
    with subprocess.Popen(
        [sys.executable, "-m", "bundlevisor.perf", *words, "--runtime", runtime],
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as measuring:
        wait_until(lambda: any(tmp_path.glob("perf-run-*/app-data/perf-record")))
        measuring.terminate()
        assert measuring.wait(60) == 128 + signal.SIGTERM
    assert not [*tmp_path.glob("perf-run-*"), *tmp_path.glob("perf-bundle-*")]


def test_a_terminal_of_fewer_letters_gets_its_report_all_the_same(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(KEPT, encoding="utf-8")
    command = [sys.executable, "-m", "bundlevisor.perf", "compare", str(kept), str(kept)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for more in ([], ["--html", "-"]):
        done = subprocess.run([*command, *more], env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    assert "what it was \N{EN DASH} before" in done.stdout.decode()


@absent.unless(os.path.exists("/dev/full"), "/dev/full")
def test_values_that_cannot_be_kept_are_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = msgspec.json.decode(KEPT, type=results.Result)
    options = argparse.Namespace(label="", baseline=None, json="/dev/full", html=None)
    assert finish(options, result) == 1
    shown = capsys.readouterr()
    assert "chain1" in shown.out
    assert shown.err == "the values cannot be kept: No space left on device\n"
