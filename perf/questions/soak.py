"""What becomes of a runtime under which one thing after the other breaks, for minutes or hours?

Twenty services with dependencies, one random fault a second. Exit code 1 where a service does not
come back, a state contradicts the processes, a line is lost, or something is left at the end.
Times and growth are reported, and never fail.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import http.client
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bundlevisor.perf import options, results
from bundlevisor.perf.questions import soak_report
from bundlevisor.perf.questions.soak_faults import Fault, pick
from bundlevisor.perf.questions.soak_watch import Lines, Sample, WrongStates, look
from bundlevisor.testing import Bundle, NotWithin, Runtime

SERVICES = 20
EVERY_S = 1.0
LOOK_EVERY_S = 2.0
PATIENCE_S = 120.0
"""So long a service has to be ready again after a fault, and all of them in the end."""


class Injected(msgspec.Struct):
    """One fault; times are seconds since the soak began."""

    fault: str
    service: str
    at: float
    restarts: bool
    recovered_s: float | None = None
    """From the fault to ready again; None: it was not seen to be, or had no need to."""


class Soak:
    """One soak of one runtime."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.injected: list[Injected] = []
        self.looks: dict[str, list[Sample]] = {"runtime": [], "guardian": []}
        self.states = WrongStates()
        self.lines = Lines()
        self.left: list[str] = []
        self.lost: list[str] = []
        self._bundle = made(folder, self.dice)
        self._pids: dict[str, int] = {}
        self._open: dict[str, Injected] = {}
        self._last: dict[str, Any] = {}
        self._began = 0.0

    def run(self, seconds: float) -> None:
        """Break things for so long, then wait until all is well, stop, and look what is left."""
        runtime = Runtime(self._bundle)
        runtime.start()
        try:
            runtime.wait_ready(PATIENCE_S)
            self._break(runtime, seconds)
            self._settle(runtime)
            runtime.stop(PATIENCE_S)
            self.lost = self.lines.lost(runtime)
            try:
                runtime.assert_nothing_left()
            except NotWithin as left:
                self.left = str(left).splitlines()[:20]
        finally:
            runtime.kill_everything()

    def _break(self, runtime: Runtime, seconds: float) -> None:
        began = time.monotonic()
        next_fault, next_look = began + EVERY_S, began
        while (now := time.monotonic()) < began + seconds:
            self._see(runtime, now - began)
            if now >= next_look:
                self._measure(runtime, now - began)
                next_look += LOOK_EVERY_S
            if now >= next_fault:
                self._inject(runtime, began)
                next_fault += EVERY_S
            time.sleep(0.05)
        self._began = began

    def _see(self, runtime: Runtime, at: float) -> None:
        """Look at the states, and close what has recovered."""
        self._last = details = states(runtime)
        self.states.look(details)
        for id_, one in details.items():
            pid = one.get("pid")
            injected = self._open.get(id_)
            if not (one["ready"] and pid):
                continue
            if injected is None:
                self._pids[id_] = pid
            elif not injected.restarts or pid != self._pids.get(id_):
                injected.recovered_s = at - injected.at if injected.restarts else None
                self._pids[id_] = pid
                del self._open[id_]

    def _inject(self, runtime: Runtime, began: float) -> None:
        ready = [id_ for id_, one in self._last.items() if one["ready"] and one.get("pid")]
        whole = [id_ for id_ in ready if id_ not in self._open]
        if not whole:
            return
        id_, fault = self.dice.choice(whole), pick(self.dice)
        self.lines.say(runtime, self.dice.choice(whole))
        injected = Injected(fault.name, id_, time.monotonic() - began, fault.restarts)
        if self._act(runtime, fault, id_):
            self.injected.append(injected)
            self._open[id_] = injected

    @staticmethod
    def _act(runtime: Runtime, fault: Fault, id_: str) -> bool:
        """Return whether it was done: what a service went through meanwhile may forbid it."""
        with contextlib.suppress(OSError, AssertionError, KeyError, http.client.HTTPException):
            fault.act(runtime, id_)
            return True
        return False

    def _measure(self, runtime: Runtime, at: float) -> None:
        if one := look(runtime.pid, at):
            self.looks["runtime"].append(one)
        with contextlib.suppress(NotWithin, OSError):
            if one := look(runtime.guardian.pid, at):
                self.looks["guardian"].append(one)

    def _settle(self, runtime: Runtime) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._open and time.monotonic() < deadline:
            self._see(runtime, time.monotonic() - self._began)
            time.sleep(0.05)

    @property
    def lasting(self) -> list[Injected]:
        """Faults after which a service did not become ready again."""
        return list(self._open.values())

    @property
    def faults(self) -> list[str]:
        """Everything that must not be, a sentence each."""
        return [
            *(
                f"{one.service} not ready again after: {one.fault}, {one.at:.1f} s into the soak "
                f"(pid was {self._pids.get(one.service)}; now {self._last.get(one.service)})"
                for one in self.lasting
            ),
            *self.states.seen,
            *(f"lost line of {line}" for line in self.lost),
            *self.left,
        ]


def states(runtime: Runtime) -> dict[str, Any]:
    """Return the details of ``/readyz``; raises AssertionError where the runtime has ended."""
    if runtime.exit_code is not None:
        raise AssertionError(f"the runtime ended with {runtime.exit_code}\n{runtime.story()}")
    details: dict[str, Any] = runtime.get("/readyz").json()["details"]
    return details


def made(folder: Path, dice: random.Random) -> Bundle:
    """Return a bundle of twenty services; each needs at most two of those before it."""
    bundle = Bundle(folder, "soak")
    for number in range(SERVICES):
        needs = dice.sample(range(number), min(number, dice.randrange(3)))
        bundle.service(
            f"s{number:02}",
            needs=[f"s{one:02}" for one in sorted(needs)],
            health={
                "type": "http",
                "path": "/health",
                "port_name": "http",
                "interval_ms": 1000,
                "timeout_ms": 1000,
                "retries": 2,
            },
            restart={"policy": "always", "intensity": 100_000, "backoff_max_ms": 1000},
            stop={"timeout_ms": 1000},
        )
    return bundle


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf soak``."""
    parser = argparse.ArgumentParser(prog="python -m bundlevisor.perf soak", description=__doc__)
    parser.add_argument("--minutes", type=options.span, default=5.0, help="(%(default)s)")
    parser.add_argument(
        "--seed", type=options.positive, help="begins with the choices of another soak"
    )
    parser.add_argument("--html", type=options.new_file, metavar="FILE", help="write a page")
    parsed = parser.parse_args(argv)
    seed = parsed.seed or random.randrange(1, 10**6)
    out = sys.stderr if parsed.html == "-" else sys.stdout
    print(
        f"soak · {parsed.minutes:g} minutes · seed {seed} (--seed repeats its first choices)",
        file=out,
    )
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="perf-soak-") as folder:
        soak = Soak(Path(folder), seed)
        soak.run(parsed.minutes * 60)
    head = [f"soak of {parsed.minutes:g} minutes, seed {seed}", began, results.machine()]
    print(soak_report.render(soak), file=out)
    if parsed.html:
        soak_report.keep(soak, head, parsed.html)
    for fault in soak.faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if soak.faults else 0
