"""How do time to ready and memory grow from 10 to 500 services?"""

from __future__ import annotations

from statistics import median

from bundlevisor.perf import noise, options, processes, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.questions import floor
from bundlevisor.perf.questions.idle import own_processes
from bundlevisor.perf.report import number
from bundlevisor.perf.results import Measure

SHAPE = "independentN"
SIZES = (10, 20, 50, 100, 200, 500)


def _measures(sizes: list[int]) -> dict[str, Measure]:
    ready = {f"ready {n}": Measure(title=f"{n} services: exec → ready") for n in sizes}
    memory = {f"memory {n}": Measure(title=f"{n} services: memory", unit="MiB") for n in sizes}
    return ready | memory


def measure(contender: Contender, bundle: Bundle) -> tuple[float, float]:
    """Return milliseconds from exec to ready, and the runtime's own memory in MiB then."""
    with Run(contender, bundle) as run:
        run.await_port()
        run.await_healthy()
        ready, _ = run.await_ready()
        memory = processes.memory_bytes(own_processes(run))
    return (ready - run.exec_ns) / 1e6, memory / 2**20


def fitted(samples: dict[str, list[float]], sizes: list[int]) -> str:
    """Say in one sentence how the medians grow; needs two sizes at least."""
    ready = [median(samples[f"ready {n}"]) for n in sizes]
    memory = [median(samples[f"memory {n}"]) for n in sizes]
    return (
        f"ready grows with N^{noise.fit_exponent(sizes, ready):.2f}, "
        f"{number(noise.fit_line(sizes, ready)[0])} ms per further service; "
        f"memory with N^{noise.fit_exponent(sizes, memory):.2f}, "
        f"{number(noise.fit_line(sizes, memory)[0] * 1024)} KiB per further service"
    )


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf scale``."""
    parser = options.parser("scale", __doc__, runs=3, shape=SHAPE)
    parser.add_argument("--sizes", type=options.size, nargs="+", default=list(SIZES), metavar="N")
    parsed = parser.parse_args(argv)
    if parsed.bundle or parsed.shape != SHAPE or len(set(parsed.sizes)) < 2:
        parser.error("scale makes its own bundles, of two --sizes at least")
    contenders = options.contenders(parsed)
    sizes = sorted(set(parsed.sizes))
    result = results.begin(
        question="scale",
        bundle=f"{sizes[0]} to {sizes[-1]} independent services",
        measures=_measures(sizes),
    )
    for size in sizes:
        with options.made(f"independent{size}", parsed.python_services) as (bundle, notes):
            if size == sizes[0]:  # a first round warms the disk cache
                for one in contenders:
                    measure(one, bundle)
            for _ in range(parsed.runs):
                for one in contenders:
                    result.floor.append(floor.measure())
                    ready, memory = measure(one, bundle)
                    result.add(one.name, {f"ready {size}": [ready], f"memory {size}": [memory]})
    growth = [f"{name}: {fitted(samples, sizes)}" for name, samples in result.contenders.items()]
    result.notes = [*notes, *processes.memory_notes(), *growth]
    return options.finish(parsed, result)
