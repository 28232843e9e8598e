"""What a look at files sees, and when a change has come to its end."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path

import pytest

from bundlevisor.actors.core.snapshot import ServiceView, State
from bundlevisor.control.watch import file_states
from bundlevisor.control.watch.differences import differences
from bundlevisor.control.watch.file_states import changed, look
from bundlevisor.control.watch.restarts import (
    IN_A_ROW,
    UNREST,
    WITHIN_S,
    Busy,
    Settling,
    concerned,
    step,
    while_starting,
)
from bundlevisor.manifest.read import load
from tests.bundle_maker import bundle


def shown(path: str, folder: Path) -> str:
    with contextlib.suppress(ValueError):  # on another drive
        path = os.path.relpath(path, folder)
    return path.replace(os.sep, "/")


def test_what_belongs_to_tools_or_to_app_data_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "node_modules/x.js", ".git/HEAD", "__pycache__/a.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("a.pyc", "a.py~", ".a.py.swp", ".#a.py", "data/log.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = look([str(tmp_path)], str(tmp_path / "data"))
    assert sorted(shown(path, tmp_path) for path in found) == ["a.py", "b/c.py"]
    assert list(look([str(tmp_path / "a.pyc")], "/")) == [str(tmp_path / "a.pyc")]


def test_links_to_folders_do_not_lead_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").touch()
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert list(look([str(tmp_path)], "/nowhere")) == [str(tmp_path / "a" / "x")]


def test_a_link_that_leads_to_itself_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "loop").symlink_to("loop")
    assert list(look([str(tmp_path)], "/nowhere")) == [str(tmp_path / "a")]


@pytest.mark.parametrize("call", ["scandir", "stat"])
@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_what_cannot_be_looked_at_has_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """Their files would be gone, and all services restarted; and again when they are back."""
    (tmp_path / "below").mkdir()
    for name in ("a", "below/b"):
        (tmp_path / name).touch()
    paths = [str(tmp_path), str(tmp_path / "a")]
    before = look(paths, "/nowhere")

    def fail(path: str) -> None:
        raise OSError(number, os.strerror(number), path)

    with monkeypatch.context() as failing:
        failing.setattr(os, call, fail)
        now = look(paths, "/nowhere", before)
    assert len(before) == 2
    assert now == before
    (tmp_path / "a").unlink()
    assert changed(before, look(paths, "/nowhere", before)) == (str(tmp_path / "a"),)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_states, "MOST", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(file_states.TooMany):
        look([str(tmp_path)], "/nowhere")


A, B, C = ({"f": (n, 1, 1)} for n in range(3))


def test_a_change_counts_when_two_looks_agree() -> None:
    state = Settling(A, A)
    told = []
    for now in (A, B, C, C, C, A, A):
        state, changes = step(state, now)
        told.append(changes)
    assert told == [(), (), (), ("f",), (), (), ("f",)]


def test_what_changes_all_the_time_holds_up_itself_only() -> None:
    state = Settling({"f": (0, 1, 1), "db": (0, 1, 1)}, {"f": (0, 1, 1), "db": (0, 1, 1)})
    told = []
    for n in range(1, 3 * UNREST):
        state, changes = step(state, {"f": (1, 1, 1), "db": (n, 1, 1), f"journal-{n}": (n, 1, 1)})
        told.append(changes)
    assert (told.index(("f",)), sum(map(len, told))) == (UNREST - 1, 1)
    assert step(state, state.last)[1] == ("db", f"journal-{n}")


def test_looks_that_see_a_change_are_counted_in_a_row_only() -> None:
    """A file that is now and then touched does not cut short the wait for a build's end."""
    begun, done = {"f": (1, 1, 1), "g": (0, 1, 1)}, {"f": (1, 1, 1), "g": (1, 1, 1)}
    for times in range(UNREST):
        state, told = Settling(A, A), list[str]()
        for now in (*(B, A, A) * times, begun, done):
            state, changes = step(state, now)
            told += changes
        assert told == [], f"after {times} times"


def test_what_changes_and_changes_back_is_no_change() -> None:
    state, _ = step(Settling(A, A), B)
    state, changes = step(state, A)
    assert (changes, step(state, A)[1]) == ((), ())


def test_new_and_removed_files_are_changes() -> None:
    assert changed({"a": (1, 1, 1), "b": (1, 1, 1)}, {"b": (1, 1, 1), "c": (1, 1, 1)}) == ("a", "c")


def test_a_file_is_its_services() -> None:
    of = {"a": ("/x/a", "/x/lib"), "b": ("/x/b", "/x/lib/deep"), "c": ("/x/c",)}
    assert concerned(["/x/lib/deep/f", "/x/a", "/x/libf"], of) == {
        "a": ("/x/lib/deep/f", "/x/a"),
        "b": ("/x/lib/deep/f",),
    }


def test_a_file_that_changes_by_itself_is_given_up() -> None:
    busy = Busy()
    for number in range(IN_A_ROW):
        busy, hopeless = busy.noted(["f"], float(number))
        assert hopeless == ()
    assert busy.noted(["f"], 5.0)[1] == ("f",)
    assert busy.noted(["f"], 5.0 + WITHIN_S)[1] == ()


def test_a_file_that_was_given_up_is_watched_again_once_it_was_left_alone() -> None:
    """It may be somebody who saves every few seconds; what a service writes at its start is not."""
    busy = Busy()
    for number in range(IN_A_ROW + 1):
        busy, hopeless = busy.noted(["f"], 4.0 * number)
    assert hopeless == ("f",)
    busy, passed = busy.passing_over(["f", "g"], 30.0, ())
    assert passed == busy.passing_over(["f"], 30.0 + WITHIN_S, ())[1] == {"f"}
    assert busy.passing_over(["f"], 31.0 + WITHIN_S, ["f"])[1] == {"f"}
    busy, passed = busy.passing_over(["f"], 31.0 + WITHIN_S, ())
    assert passed == set()
    busy, hopeless = busy.noted(["f"], 31.0 + WITHIN_S)
    assert hopeless == ()
    assert busy.passing_over(["f"], 32.0 + WITHIN_S, ())[1] == set()


def test_a_file_that_changes_at_each_start_is_given_up_however_slow_that_is() -> None:
    busy = Busy()
    for number in range(IN_A_ROW):
        assert hopeless_after(busy, number) == (number == IN_A_ROW - 1)
        busy, _ = busy.noted(["f"], number * WITHIN_S, ["f"])
    assert Busy({}, {"f": IN_A_ROW}).noted(["f"], 0.0)[1] == ()


def hopeless_after(busy: Busy, number: int) -> bool:
    return busy.noted(["f"], number * WITHIN_S, ["f"])[1] == ("f",)


@pytest.mark.parametrize(
    ("changed_at", "ready_at", "expected"),
    [
        (9, 20, False),
        (11, 20, True),
        (15, 20, False),
        (20.5, 20, True),
        (22, 20, False),
        (12, None, True),
        (99, None, False),
        (12, 5, True),
        (99, 5, False),
    ],
)
def test_what_is_written_while_a_service_starts(
    changed_at: float, ready_at: float | None, expected: bool
) -> None:
    view = ServiceView(
        id="a", state=State.READY, message="", updated_at=0, begun_at=10, ready_at=ready_at
    )
    assert while_starting(changed_at, view) is expected


def test_differences_are_told_by_names(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("a", env={"X": "1", "Y": "2"}).service("b")
    before = load.parse(json.dumps(made.document).encode()).manifest
    made.service("a", env={"X": "3", "Z": "4"}, deps=["c"]).service("c")
    made._services.pop("b")
    after = load.parse(json.dumps(made.document).encode()).manifest
    assert before is not None
    assert after is not None
    assert differences(before, before) == ()
    assert sorted(differences(before, after)) == [
        "services.a.dependencies (changed)",
        "services.a.env.X (changed)",
        "services.a.env.Y (gone)",
        "services.a.env.Z (new)",
        "services.b (gone)",
        "services.c (new)",
    ]
