"""What does a runtime use while nothing happens: processor time and memory, services excluded?"""

from __future__ import annotations

import time

from bundlevisor.control.cli.parser.parser_base import seconds
from bundlevisor.perf import options, processes, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.results import Measure

MEASURES = {
    "cpu": Measure(title="processor time", unit="% of a core"),
    "memory": Measure(title="memory, guardian included (PSS)", unit="MiB"),
    "anonymous": Measure(title="of that in no file, whoever else runs Python", unit="MiB"),
    "processes": Measure(title="processes besides the services", unit=""),
}


def own_processes(run: Run) -> list[int]:
    """Return the pids of the runtime and what it made for itself (guardian), no service's."""
    services = {one.pid for one in run.record}
    return [pid for pid in run.processes if pid not in services]


def measure(
    contender: Contender, bundle: Bundle, window: float, settle: float
) -> dict[str, list[float]]:
    """Let a ready runtime be for ``settle`` seconds, then watch it for ``window`` seconds."""
    with Run(contender, bundle) as run:
        run.get_up()
        time.sleep(settle)
        own = own_processes(run)
        used, began = run.cpu_seconds(own), time.monotonic()
        time.sleep(window)
        used, lasted = run.cpu_seconds(own) - used, time.monotonic() - began
        run.check_alive()
        memory, anonymous = processes.memory_bytes(own), processes.anonymous_bytes(own)
    return {
        "cpu": [100 * used / lasted],
        "memory": [memory / 2**20],
        "anonymous": [anonymous / 2**20],
        "processes": [float(len(own))],
    }


def _beside(pages: int) -> str:
    return f" and {pages} page{'s' * (pages > 1)}" if pages else ""


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf idle``."""
    parser = options.parser("idle", __doc__, runs=3, shape="independent20")
    parser.add_argument(
        "--window", type=options.span, default=20.0, help="seconds watched (%(default)s)"
    )
    parser.add_argument("--settle", type=seconds, default=3.0, help="seconds before (%(default)s)")
    parser.add_argument(
        "--probe-ms", type=options.positive, default=2000, help="interval of health checks"
    )
    parser.add_argument(
        "--pages",
        type=options.count,
        default=0,
        help="pages beside the services; their server counts as the runtime (%(default)s)",
    )
    parsed = parser.parse_args(argv)
    if parsed.bundle:
        parser.error("idle tells services apart by the record of a made bundle (--shape)")
    contenders = options.contenders(parsed)
    with options.bundle(parsed, parsed.probe_ms, parsed.pages) as (bundle, notes):
        result = results.begin(
            question="idle",
            bundle=f"{parsed.shape}{_beside(parsed.pages)}, probed every {parsed.probe_ms} ms",
            measures=MEASURES,
            notes=[*notes, *processes.memory_notes()],
        )
        options.take_turns(
            parsed,
            contenders,
            result,
            lambda one: measure(one, bundle, parsed.window, parsed.settle),
        )
    return options.finish(parsed, result)
