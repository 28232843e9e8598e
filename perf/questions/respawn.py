"""How long from the kill -9 of a service until its successor runs?"""

from __future__ import annotations

import os
import time

from bundlevisor.control.cli.parser.parser_base import seconds
from bundlevisor.perf import options, processes, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, ContenderError, Run
from bundlevisor.perf.records import Incarnation
from bundlevisor.perf.results import Measure

MEASURES = {
    "respawn": Measure(title="kill -9 → successor in its main()", pooled=True),
    "serving": Measure(title="kill -9 → successor listens", pooled=True),
}
PATIENCE_S = 30.0


def measure(contender: Contender, bundle: Bundle, settle: float) -> dict[str, list[float]]:
    """Kill each service once (so each restart is a first one); return milliseconds.

    ``settle`` seconds lie between ready and the first kill.
    """
    sample: dict[str, list[float]] = {"respawn": [], "serving": []}
    with Run(contender, bundle) as run:
        run.get_up()
        time.sleep(settle)
        for victim in list(run.record):
            killed = time.monotonic_ns()
            processes.kill(victim.pid)
            successor = _await_successor(run, victim)
            sample["respawn"].append((successor.start - killed) / 1e6)
            sample["serving"].append((successor.listen - killed) / 1e6)
    return sample


def _await_successor(run: Run, victim: Incarnation) -> Incarnation:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for one in run.record:
            if one.service == victim.service and one.pid != victim.pid and one.listen:
                return one
        run.check_alive()
        time.sleep(0.005)
    raise ContenderError(
        f"{run.contender.name}: '{victim.service}' was killed and has no successor "
        f"after {PATIENCE_S:g} s"
    )


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf respawn``."""
    parser = options.parser("respawn", __doc__, runs=3, shape="independent20")
    parser.add_argument(
        "--settle", type=seconds, default=1.0, help="seconds of calm before the kills"
    )
    parsed = parser.parse_args(argv)
    if os.name != "posix" or parsed.bundle:
        parser.error("respawn needs kill -9, and the record of a made bundle (--shape)")
    contenders = options.contenders(parsed)
    with options.bundle(parsed) as (bundle, notes):
        result = results.begin(
            question="respawn",
            bundle=parsed.shape,
            measures=MEASURES,
            notes=[*notes, "each service is killed once per run: first restarts only"],
        )
        options.take_turns(
            parsed, contenders, result, lambda one: measure(one, bundle, parsed.settle)
        )
    return options.finish(parsed, result)
