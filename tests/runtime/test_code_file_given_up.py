"""A runtime that ends while it makes the file of bytecode leaves no half of one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bundlevisor.control.run.given_up import GivenUp, Work
from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import copied, install

ENDED_IN_THE_MAKING = """
opened = os.open


def stop_at(path, *words, **named):
    descriptor = opened(path, *words, **named)
    if "start_code" in str(path) and str(path).endswith(".new"):
        os.write(2, b"it is being made\\n")
        os.kill(os.getpid(), NUMBER)
    return descriptor


os.open = stop_at
"""


@pytest.mark.skipif(os.name == "nt", reason="a plain environment of POSIX")
@pytest.mark.parametrize(("number", "code"), [("15", 0), ("9", -9)])
def test_an_end_while_it_is_made_leaves_nothing_half_made(
    tmp_path: Path, number: str, code: int
) -> None:
    """``pip uninstall`` removes what is named like bytecode, and would leave the folder with it."""
    installation = install(tmp_path / "installation", copied)
    launcher = installation / "bin" / "bundlevisor"
    before, begin, after = launcher.read_text().partition("\nfrom bundlevisor.control")
    ending = ENDED_IN_THE_MAKING.replace("NUMBER", number)
    launcher.write_text(before + ending + begin + after)
    made = bundle(tmp_path).service("db").write()
    with starting(made, command=[str(launcher)]) as run:
        assert run.wait_gone() == code, run.stderr
        assert "it is being made" in run.stderr
        wait_until(lambda: not run.leftovers(), what="no process left")
    packages = next(installation.glob("lib/*/site-packages/bundlevisor"))
    assert [path.name for path in packages.rglob(".*.new")] == []


def test_none_is_begun_after_the_end_and_the_end_waits_for_one_that_is_undone() -> None:
    work, begun, undone = Work(), threading.Event(), threading.Event()

    def do() -> None:
        with work:
            begun.set()
            try:
                while True:
                    work.check()
            except GivenUp:
                undone.set()

    thread = threading.Thread(target=do)
    thread.start()
    assert begun.wait(30)
    assert work.end(30)
    assert undone.is_set()
    thread.join()
    with pytest.raises(GivenUp), work:
        pytest.fail("it was begun")
    with pytest.raises(GivenUp), work:
        pytest.fail("the lock is free, too, after one that was not begun")
