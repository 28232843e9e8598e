"""How many requests per second does the control API answer, and how fast?"""

from __future__ import annotations

from bundlevisor.perf import client, load, options, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.questions.idle import own_processes
from bundlevisor.perf.results import Measure

PATHS = ("/healthz", "/readyz", "/ports", "/status")
CONNECTIONS = (1, 8)


def _measures() -> dict[str, Measure]:
    found = {}
    for path in PATHS:
        for count in CONNECTIONS:
            by = f"{path}, {count} connection{'s' * (count > 1)}"
            found[f"{path}*{count} rate"] = Measure(
                title=f"{by}: rate", unit="1/s", more_is_better=True
            )
            found[f"{path}*{count}"] = Measure(title=f"{by}: latency", pooled=True)
            found[f"{path}*{count} cpu"] = Measure(title=f"{by}: processor time of each", unit="µs")
    return found


def measure(contender: Contender, bundle: Bundle, seconds: float) -> dict[str, list[float]]:
    """Ask each path for ``seconds`` with each number of connections, after a tenth of warming."""
    sample: dict[str, list[float]] = {}
    with Run(contender, bundle) as run:
        run.get_up()
        own = own_processes(run)
        for path in PATHS:
            for count in CONNECTIONS:
                asked(run, path, count, seconds / 10)
                before = run.cpu_seconds(own)
                rate, latencies = asked(run, path, count, seconds)
                used = run.cpu_seconds(own) - before
                sample[f"{path}*{count} rate"] = [rate]
                sample[f"{path}*{count}"] = latencies
                sample[f"{path}*{count} cpu"] = [used * 1e6 / len(latencies)]
    return sample


def asked(run: Run, path: str, count: int, seconds: float) -> tuple[float, list[float]]:
    """Return answers per second, and latencies in ms; ContenderError where it does not answer."""
    message = client.request(path, run.port, run.token)
    try:
        return load.run(run.port, message, count, seconds)
    except (OSError, RuntimeError) as error:
        run.check_alive()
        raise run.failure(f"asked for {path}: {error}") from None


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf api``."""
    parser = options.parser("api", __doc__, runs=3, shape="independent20")
    parser.add_argument("--seconds", type=options.span, default=2.0, help="per case (%(default)s)")
    parsed = parser.parse_args(argv)
    contenders = options.contenders(parsed)
    with options.bundle(parsed) as (bundle, notes):
        result = results.begin(
            question="api",
            bundle=parsed.bundle or parsed.shape,
            measures=_measures(),
            notes=[
                *notes,
                "the asking client is a process of the same machine and takes its share",
                "processor time, the guardian's too, says most where the machine is busy",
            ],
        )
        options.take_turns(
            parsed, contenders, result, lambda one: measure(one, bundle, parsed.seconds)
        )
    return options.finish(parsed, result)
