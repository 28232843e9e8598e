"""How long from SIGTERM until all services are stopped, in order, and the process is gone?"""

from __future__ import annotations

import time

from bundlevisor.perf import options, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.critical_path import stops_out_of_order
from bundlevisor.perf.questions import floor
from bundlevisor.perf.results import Measure, Samples

MEASURES = {
    "first": Measure(title="SIGTERM → first service told to stop"),
    "last": Measure(title="SIGTERM → last service told to stop"),
    "gone": Measure(title="SIGTERM → process gone"),
    "disorder": Measure(title="stopped before one that needs it", unit="services"),
    "unasked": Measure(title="ended without having been asked", unit="services"),
}


def measure(contender: Contender, bundle: Bundle) -> dict[str, list[float]]:
    """Stop a ready runtime; services end the moment they are asked. Returns milliseconds."""
    with Run(contender, bundle) as run:
        run.get_up()
        asked = time.monotonic_ns()
        run.terminate(timeout=60)
        gone = time.monotonic_ns()
        record = run.record
    stops = [one.stop for one in record if one.stop]
    sample = {
        "gone": [(gone - asked) / 1e6],
        "disorder": [float(len(stops_out_of_order(bundle.dependencies, record)))],
        "unasked": [float(len(record) - len(stops))],
    }
    if stops:
        sample["first"] = [(min(stops) - asked) / 1e6]
        sample["last"] = [(max(stops) - asked) / 1e6]
    return sample


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf shutdown``."""
    parser = options.parser("shutdown", __doc__, runs=10, shape="fan20")
    parsed = parser.parse_args(argv)
    if parsed.bundle:
        parser.error("shutdown needs the record of a made bundle (--shape)")
    contenders = options.contenders(parsed)
    with options.bundle(parsed) as (bundle, notes):
        result = results.begin(
            question="shutdown",
            bundle=parsed.shape,
            measures=MEASURES,
            notes=notes,
        )

        def beside_floor(one: Contender) -> Samples:
            result.floor.append(floor.measure())
            return measure(one, bundle)

        options.take_turns(parsed, contenders, result, beside_floor)
    return options.finish(parsed, result)
