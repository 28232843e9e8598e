"""A sequence that fails is made smaller as long as it fails.

hypothesis, which shrinks the sequences of the core, tries hundreds of variants; here each is a run
of the installed command, so that what means most is left out first, and few variants are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.model.case import POLICIES, STRATEGIES, Case, One

TRIES = 60
"""How many variants are tried: some minutes of runs."""


def shrunk(case: Case, fails: Callable[[Case], bool], tries: int = TRIES) -> Case:
    """Return the smallest variant found for which ``fails``; ``case`` itself is taken to fail."""
    tried = {case}
    smaller = True
    while smaller:
        smaller = False
        for variant in simpler(case):
            if variant in tried or len(tried) > tries:
                continue
            tried.add(variant)
            if fails(variant):
                case, smaller = variant, True
                break
    return case


def simpler(case: Case) -> Iterator[Case]:
    """Yield the variants that are simpler by one thing, the much simpler ones first."""
    size = len(case.steps)
    while size := size // 2:  # blocks of steps, at last single ones; one step is always left
        for first in range(0, len(case.steps), size):
            rest = (*case.steps[:first], *case.steps[first + size :])
            yield case._replace(steps=rest)
    for one in reversed(case.services):
        if len(case.services) > 1:
            yield without(case, one.id)
    for number, one in enumerate(case.services):
        for other in plainer(one):
            services = (*case.services[:number], other, *case.services[number + 1 :])
            yield case._replace(services=services)
    for values in ({"strategy": STRATEGIES[0], "intensity": 0}, {"intensity": 0}):
        yield case._replace(**values)


def without(case: Case, id_: str) -> Case:
    """Return it without a service; who needs that needs what it needed."""
    (gone,) = (one for one in case.services if one.id == id_)

    def needs(one: One) -> tuple[str, ...]:
        instead = [gone.needs if other == id_ else (other,) for other in one.needs]
        return tuple(dict.fromkeys(sum(instead, ())))

    services = [one._replace(needs=needs(one)) for one in case.services if one.id != id_]
    steps = [step for step in case.steps if step[1] != id_]
    return case._replace(services=tuple(services), steps=tuple(steps))


def plainer(one: One) -> Iterator[One]:
    """Yield a service with fewer needs, and with a simpler policy."""
    for other in one.needs:
        yield one._replace(needs=tuple(need for need in one.needs if need != other))
    yield one._replace(policy=POLICIES[0], intensity=0)
    yield one._replace(intensity=0)
