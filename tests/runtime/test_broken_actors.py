"""An error of ours in a service's actor: its process is ended as any other, and started anew."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import bundle, starting, wait_until

BREAKS_ONCE = """
import sys
from bundlevisor.actors import service_effects
from bundlevisor.actors.core import effects
from bundlevisor.control.__main__ import main

sys.dont_write_bytecode = True  # the file of bytecode is that of the installed command
effect = getattr(effects, sys.argv.pop(1))
as_ever = service_effects.PERFORM[effect]
met = []

def once(own, effect):
    if not met:
        met.append(effect)
        raise ZeroDivisionError("on purpose")
    return as_ever(own, effect)

service_effects.PERFORM[effect] = once
sys.exit(main())
"""
"""A runtime with an error of its own where it is to have the first effect of this kind."""


def breaking(folder: Path, effect: str) -> list[str]:
    """Return the words of such a runtime."""
    script = folder / "broken.py"
    script.write_text(BREAKS_ONCE)
    return [sys.executable, str(script), effect]


@pytest.mark.parametrize(
    ("program", "stop", "code"),
    [("well_behaved", {}, 0), ("ignores_term", {"timeout_ms": 3000}, -9)],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
def test_what_a_broken_actor_leaves_is_ended_told_and_started_anew(
    tmp_path: Path, program: str, stop: dict[str, Any], code: int
) -> None:
    made = bundle(tmp_path).service("db", program, stop=stop).write()
    with starting(made, command=breaking(tmp_path, "AwaitFailure")) as run:
        run.await_listening()
        run.until_ready()
        assert run.service("db")["restarts"] == 1
        (error,) = run.await_told("runtime_error", "db")
        assert error["error"] == "ZeroDivisionError: on purpose"
        first, second = run.events("db", "started")
        assert [one["pid"] for one in run.events("db", "signal")] == [first["pid"]]
        (end,) = run.await_told("service_exit", "db")
        assert (end["by"], end["exit_code"]) == ("broken", code)
        alive = {one.pid for one in run.leftovers()}
        assert second["pid"] in alive
        assert first["pid"] not in alive


def test_an_actor_that_breaks_before_there_is_a_process_is_followed_by_another(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db").write()
    with starting(made, command=breaking(tmp_path, "Launch")) as run:
        run.await_listening()
        run.until_ready()
        assert run.service("db")["restarts"] == 1
        assert len(run.await_told("runtime_error", "db")) == 1
        assert len(run.events("db", "started")) == 1


BREAKS_AT_PROGRESS = """
import sys
from bundlevisor.actors.core.messages import ProgressMade
from bundlevisor.actors.service_effects import ServiceEffects
from bundlevisor.control.__main__ import main

as_ever = ServiceEffects.hear
met = []

def once(own, message, life):
    if isinstance(message, ProgressMade) and message.fraction and not met:
        met.append(message)
        raise ZeroDivisionError("on purpose")
    return as_ever(own, message, life)

ServiceEffects.hear = once
sys.exit(main())
"""
"""A runtime with an error of its own where a preparation first says how far it is."""
MIGRATES = """
import os, sys, time
with open(sys.argv[1], "a") as tries:
    print(os.getpid(), file=tries)
print("::progress 25 copying rows", flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
"""


def test_a_migration_whose_actor_breaks_has_ended_before_the_next_try(tmp_path: Path) -> None:
    script, tries, gate = (tmp_path / name for name in ("broken.py", "tries", "gate"))
    script.write_text(BREAKS_AT_PROGRESS)
    tries.touch()
    step = {"version": "1", "command": ["bin/migrate", str(tries), str(gate)]}
    made = bundle(tmp_path).script("bin/migrate", MIGRATES).service("db", migrations=[step])
    with starting(made.write(), command=[sys.executable, str(script)]) as run:
        run.await_listening()
        wait_until(lambda: len(tries.read_text().splitlines()) == 2, what="the next try")
        first, second = (int(line) for line in tries.read_text().splitlines())
        alive = {one.pid for one in run.leftovers()}
        assert second in alive
        assert first not in alive
        gate.touch()
        run.until_ready()


BREAKS_BEFORE_PREPARED = """
import sys, time
from bundlevisor.actors.core.messages import ProgressMade
from bundlevisor.actors.service_effects import ServiceEffects
from bundlevisor.control.__main__ import main

as_ever = ServiceEffects.hear
met = []

def once(own, message, life):
    if isinstance(message, ProgressMade) and not met:
        met.append(message)
        while not own._actor._actor.actor_inbox._waiting:
            time.sleep(0.001)  # until the preparation has ended, and told so
        raise ZeroDivisionError("on purpose")
    return as_ever(own, message, life)

ServiceEffects.hear = once
sys.exit(main())
"""
"""A runtime with an error of its own in front of a message by which a service is spawned."""


def test_a_broken_actor_hears_nothing_of_what_waits_for_it(tmp_path: Path) -> None:
    """Else it spawned a process that nobody owns, and that keeps the port."""
    script = tmp_path / "broken.py"
    script.write_text(BREAKS_BEFORE_PREPARED)
    made = bundle(tmp_path).file("one.txt", "1").service("db", assets=[{"path": "one.txt"}])
    with starting(made.write(), command=[sys.executable, str(script)]) as run:
        run.await_listening()
        run.until_ready()
        assert run.service("db")["restarts"] == 1
        (started,) = run.events("db", "started")
        assert started["pid"] == run.service("db")["pid"]


ALWAYS_BREAKS_AT_A_STOP = """
import sys
from bundlevisor.actors import service_effects
from bundlevisor.actors.core import effects
from bundlevisor.control.__main__ import main

as_ever = service_effects.ServiceEffects._end_tree

def broken(own, effect):
    if own._service.id == "broken":
        raise ZeroDivisionError("on purpose")
    return as_ever(own, effect)

service_effects.ServiceEffects._end_tree = broken
service_effects.PERFORM[effects.EndTree] = broken
sys.exit(main())
"""
"""A runtime that can end no process of one service in order, nor can a successor of its actor."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
def test_a_service_whose_every_actor_breaks_is_killed_and_the_others_stop_in_order(
    tmp_path: Path,
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(ALWAYS_BREAKS_AT_A_STOP)
    made = bundle(tmp_path).service("a").service("broken").service("c").write()
    with starting(made, command=[sys.executable, str(script)]) as run:
        run.await_listening()
        run.until_ready()
        assert run.post("/services/broken/restart?wait=20").json()["done"]
        assert run.post("/services/broken/stop?wait=20").json()["done"]
        assert run.post("/services/c/restart?wait=20").json()["done"]
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        for id_ in ("a", "c"):
            assert run.events(id_, "signal")[-1]["pid"] == run.events(id_, "started")[-1]["pid"]
