"""A restart of a service says that the bundle was changed, which it does not use."""

from __future__ import annotations

from pathlib import Path

from bundlevisor.control.run.bundle_on_disk import sentence
from tests.bundle_maker import Bundle, Run, bundle, bundlevisor, running, wait_until


def changed(made: Bundle) -> Bundle:
    return made.service("db", ports=("other",), env={"LEVEL": "9"}).write()


def test_a_restart_says_what_was_changed_and_uses_the_old_bundle(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made) as run:
        run.until_ready()
        where = ("--app-data", str(run.app_data))
        same = bundlevisor("restart", "db", "--wait", "60", *where)
        assert (same.returncode, same.stderr) == (0, "")
        assert "note" not in run.post("/services/db/start").json()
        changed(made)
        said = wait_until(lambda: told_by_restart(*where), what="a word on it")
        assert "the bundle was changed since it was started (services.db." in said
        assert said.count("\n") == 1
        assert "http" in run.ports("db")
        assert noted(run, "start").endswith("does not use that: end it and start it again")
        assert "note" not in run.post("/services/db/stop").json()
        wait_until(lambda: told(run.telemetry()), what="the event")
        bundle(tmp_path).service("db").write()
        assert "note" not in run.post("/services/db/start").json()
        wait_until(lambda: len(told(run.telemetry())) == 2, what="the event")
        first, second = told(run.telemetry())
        assert "services.db.env.LEVEL (new)" in first["details"]["changes"]
        assert (second["details"]["changes"], second["details"]["errors"]) == ([], [])


def noted(run: Run, command: str) -> str:
    """Return what a command says of the bundle on disk; none waits for that longer than 0.5 s."""
    path = f"/services/db/{command}"
    return wait_until(lambda: str(run.post(path).json().get("note", "")), what="a note")


def told_by_restart(*where: str) -> str:
    done = bundlevisor("restart", "db", "--wait", "60", *where)
    assert done.returncode == 0
    return done.stderr


def told(events: list[dict[str, object]]) -> list[dict[str, dict[str, list[str]]]]:
    return [event for event in events if event["event"] == "bundle_changed"]  # type: ignore[misc]


def test_a_restart_says_that_the_bundle_could_not_be_started_now(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made) as run:
        run.until_ready()
        made.path.write_text("{")
        note = noted(run, "restart")
        assert note.startswith("the bundle on disk could not be started now, and is not used: ")
        assert "ends too early" in note


def test_three_places_are_named_and_the_others_counted() -> None:
    assert sentence((), ()) == ""
    assert "(a, b, c)" in sentence(("a", "b", "c"), ())
    assert "(a, b, c and 2 more)" in sentence(("a", "b", "c", "d", "e"), ())
