"""How long from exec until the port accepts, services run, /healthz answers, all is ready?"""

from __future__ import annotations

from bundlevisor.perf import milestones, options, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender
from bundlevisor.perf.questions import floor
from bundlevisor.perf.results import Measure, Result

MEASURES = {
    key: Measure(title=title, pooled=key == "release") for key, title in milestones.NAMES.items()
}
OWN_CLOCK = "first spawn: the service's own clock at its main(), nothing subtracted"


def measure(
    contenders: list[Contender], bundle: Bundle, name: str, runs: int, notes: list[str]
) -> Result:
    """Start the contenders in turn (A B A B …), F between them; a first round is not counted."""
    result = results.begin(
        question="startup",
        bundle=name,
        measures=MEASURES,
        contenders=[one.name for one in contenders],
        notes=[*notes, OWN_CLOCK] if bundle.records else notes,
    )
    for attempt in range(runs + 1):
        for one in contenders:
            base = floor.measure()
            sample = milestones.measure(one, bundle)
            if attempt:
                result.floor.append(base)
                result.add(one.name, sample)
    return result


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf startup``."""
    parsed = options.parser("startup", __doc__, runs=15, shape="chain3").parse_args(argv)
    with options.bundle(parsed) as (bundle, notes):
        name = parsed.bundle or parsed.shape
        result = measure(options.contenders(parsed), bundle, name, parsed.runs, notes)
    return options.finish(parsed, result)
