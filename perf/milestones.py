"""One start, from exec to ready, as a client and the services themselves see it."""

from __future__ import annotations

import datetime

from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.critical_path import critical_path_ns, release_gaps_ns
from bundlevisor.perf.records import Incarnation, first_of_each

NAMES = {
    "port": "control port accepts a connection",
    "spawn": "first service in its main()",
    "healthz": "/healthz answered 200",
    "listening": "last service listens",
    "ready": "every service ready, noticed by a client",
    "over_c": "ready, over C",
    "release": "listen() → dependents in main()",
    "C": "C, critical path of the services",
}
"""Measures of a start in the order of a report; milliseconds from exec unless they say between."""

Sample = dict[str, list[float]]
"""Values of each measure, in milliseconds: one per start, ``release`` one per dependent."""


def measure(contender: Contender, bundle: Bundle) -> Sample:
    """Start the contender once, wait until everything is ready, end it; return the measures.

    The client first waits for the port, then for ``/healthz``, then asks ``/readyz?wait=``: what
    is true earlier than it can be asked is noticed when it is asked. Raises ContenderError.
    """
    with Run(contender, bundle) as run:
        port = run.await_port()
        healthy = run.await_healthy()
        ready, details = run.await_ready()
        since = run.exec_ns
        sample = {"port": [_ms(port - since)], "healthz": [_ms(healthy - since)]}
        sample["ready"] = [_ms(ready - since)]
        if bundle.records:
            try:
                sample |= of_record(run.record, bundle, since, ready)
            except ValueError as error:
                raise run.failure(str(error)) from None
        else:
            sample |= _by_word(details, since / 1e9 + run.clock_offset_s)
    return sample


def of_record(record: list[Incarnation], bundle: Bundle, since: int, ready: int) -> Sample:
    """Return the measures that the services' own record gives; ``since`` is the moment of exec.

    Raises ValueError when a service of the bundle is missing in it.
    """
    firsts = first_of_each(record)
    if missing := [name for name in bundle.dependencies if name not in firsts]:
        raise ValueError(f"said to be ready, but never started: {', '.join(missing)}")
    critical = critical_path_ns(bundle.dependencies, record)
    return {
        "spawn": [_ms(min(one.start for one in firsts.values()) - since)],
        "listening": [_ms(max(one.listen for one in firsts.values()) - since)],
        "C": [_ms(critical)],
        "over_c": [_ms(ready - since - critical)],
        "release": [_ms(gap) for gap in release_gaps_ns(bundle.dependencies, record)],
    }


def _by_word(details: dict[str, object], exec_time: float) -> Sample:
    """Return the first spawn by the runtime's own word (whole milliseconds of the wall clock)."""
    starts = [
        datetime.datetime.fromisoformat(str(one["started_at"])).timestamp()
        for one in details.values()
        if isinstance(one, dict) and one.get("started_at")
    ]
    return {"spawn": [(min(starts) - exec_time) * 1000]} if starts else {}


def _ms(nanoseconds: float) -> float:
    return nanoseconds / 1e6
