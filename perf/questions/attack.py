"""What does an honest client feel while others, without a token, do the API all they can?"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from bundlevisor.perf import client, options, results
from bundlevisor.perf.attacker import SHAPES
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, ContenderError, Run
from bundlevisor.perf.results import Measure, Samples

PATHS = ("/healthz", "/readyz")
ASK_EVERY_S = 0.02
TIMEOUT_S = 10.0
MEDIAN_MS, MOST_MS = 250.0, 1000.0
"""What an honest client may feel on a quiet machine with two cores."""


def measures() -> dict[str, Measure]:
    """Return what is measured: each path alone, and beside each attack."""
    alone = {path: Measure(title=f"{path}, alone", pooled=True) for path in PATHS}
    attacked = {
        f"{path}*{name}": Measure(title=f"{path}, {shape.about}", pooled=True)
        for name, shape in SHAPES.items()
        for path in PATHS
    }
    return alone | attacked


def ask(port: int, token: str, seconds: float) -> dict[str, list[float]]:
    """Ask each path in turn, on new connections; return latencies in ms.

    An attempt that fails counts as ten seconds.
    """
    found: dict[str, list[float]] = {path: [] for path in PATHS}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path in PATHS:
            began = time.monotonic()
            answer = client.ask(port, path, token, timeout=TIMEOUT_S)
            took = time.monotonic() - began if answer and answer.status == 200 else TIMEOUT_S
            found[path].append(took * 1000)
            time.sleep(ASK_EVERY_S)
    return found


def beside(run: Run, name: str, count: int, seconds: float) -> Samples:
    """Ask beside one attack by ``count`` connections."""
    command = (sys.executable, "-m", "bundlevisor.perf.attacker", str(run.port), name, str(count))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        try:
            assert attacker.stdout is not None
            tried = attacker.stdout.readline()
            found = ask(run.port, run.token, seconds)
            if not tried or attacker.poll() is not None:
                raise ContenderError(f"the attack '{name}' by {count} connections broke off")
            return {f"{path}*{name}": values for path, values in found.items()}
        finally:
            attacker.kill()


def measure(
    contender: Contender, bundle: Bundle, names: list[str], count: int, seconds: float
) -> Samples:
    """Ask alone, then beside each attack."""
    with Run(contender, bundle) as run:
        run.get_up()
        sample: Samples = dict(ask(run.port, run.token, seconds))
        for name in names:
            sample |= beside(run, name, count, seconds)
            run.check_alive()
        return sample


def verdict(sample: Samples, known: dict[str, Measure]) -> list[str]:
    """Return a sentence for each measure that is over what a client may feel."""
    found = []
    for key, values in sample.items():
        middle, most = median(values), max(values)
        if middle > MEDIAN_MS or most > MOST_MS:
            title = known[key].title
            found.append(f"too slow: {title}: median {middle:.0f} ms, at most {most:.0f} ms")
    return found


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf attack``; 1 when an honest client waits too long."""
    parser = options.parser("attack", __doc__, runs=1, shape="independent3")
    parser.add_argument(
        "--seconds", type=options.span, default=3.0, help="per attack (%(default)s)"
    )
    parser.add_argument(
        "--connections", type=options.positive, default=1000, help="per attack (%(default)s)"
    )
    parser.add_argument("--only", metavar="ATTACK", choices=list(SHAPES), help="only this one")
    parsed = parser.parse_args(argv)
    contenders = options.contenders(parsed)
    names = [parsed.only] if parsed.only else list(SHAPES)
    with options.bundle(parsed) as (bundle, notes):
        result = results.begin(
            question="attack",
            bundle=parsed.bundle or parsed.shape,
            measures=measures(),
            notes=[*notes, f"{parsed.connections} connections without a token per attack"],
        )
        options.take_turns(
            parsed,
            contenders,
            result,
            lambda one: measure(one, bundle, names, parsed.connections, parsed.seconds),
        )
    code = options.finish(parsed, result)
    slow = verdict(result.contenders[contenders[0].name], result.measures)
    print("\n".join(slow) or "an honest client never waits too long", file=sys.stderr)
    return 1 if slow else code
