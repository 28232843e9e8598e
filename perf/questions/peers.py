"""The same services under other supervisors: exec → all their ports accept; memory; SIGTERM → gone.

Other supervisors do not speak the control API and take no bundle.json, so what they run is written
in their own words (``peer_configs``), and *ready* means that the ports of all services accept: the
services' own clock says when. Those that cannot wait for a dependency start everything at once;
``independentN`` is the shape on which all do the same.
"""

from __future__ import annotations

import shutil
import time

from bundlevisor.perf import client, options, processes, results
from bundlevisor.perf.bundles import RECORD, Bundle, free_ports
from bundlevisor.perf.contender import Contender, Run, Starts, said_version
from bundlevisor.perf.questions import floor
from bundlevisor.perf.questions.idle import own_processes
from bundlevisor.perf.questions.peer_configs import PEERS, Job, Peer
from bundlevisor.perf.records import first_of_each
from bundlevisor.perf.results import Measure, Samples

MEASURES = {
    "spawn": Measure(title="first service in its main()"),
    "accept": Measure(title="the ports of all services accept"),
    "memory": Measure(title="memory besides the services (PSS)", unit="MiB"),
    "gone": Measure(title="SIGTERM → all services and the supervisor gone"),
}
PATIENCE_S = 60.0


class OnBundle:
    """A peer with the services of a made bundle: what :class:`Run` starts."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.name = peer.name
        self.ports: list[int] = []

    def argv(self, bundle: Bundle, app_data: str) -> list[str]:
        """Write the peer's configuration into ``app_data``; return its command."""
        count = len(bundle.services)
        jobs = [
            Job(
                id=one.id,
                argv=[
                    *[bundle.binary, "--id", one.id, "--delay-ms", str(one.delay_ms)],
                    *["--port", str(port), "--record", f"{app_data}/{RECORD}"],
                ],
                needs=one.dependencies,
            )
            for one, port in zip(bundle.services, free_ports(count), strict=True)
        ]
        self.ports = [job.port for job in jobs]
        return self._peer.prepare(jobs, app_data)

    def version(self) -> str:
        """Return what the peer says of itself."""
        return said_version(list(self._peer.version)) if self._peer.version else ""


def measure(contender: Starts, bundle: Bundle) -> Samples:
    """Start a contender once, wait until all ports accept, stop it. Raises ContenderError."""
    with Run(contender, bundle) as run:
        _await_listening(run)
        if isinstance(contender, OnBundle):
            _check_ports(run, contender.ports)
        else:
            run.get_up()
        firsts = first_of_each(run.record).values()
        memory = processes.memory_bytes(own_processes(run))
        asked = time.monotonic_ns()
        run.terminate(timeout=60)
        while run.processes:
            if time.monotonic_ns() - asked > PATIENCE_S * 1e9:
                raise run.failure("it left processes behind")
            time.sleep(0.001)
        gone = time.monotonic_ns()
    return {
        "spawn": [(min(one.start for one in firsts) - run.exec_ns) / 1e6],
        "accept": [(max(one.listen for one in firsts) - run.exec_ns) / 1e6],
        "memory": [memory / 2**20],
        "gone": [(gone - asked) / 1e6],
    }


def _await_listening(run: Run) -> None:
    deadline = time.monotonic() + PATIENCE_S
    wanted = set(run.bundle.dependencies)
    while {one.service for one in run.record if one.listen} < wanted:
        run.check_alive()
        if time.monotonic() > deadline:
            raise run.failure("its services did not listen in time")
        time.sleep(0.005)


def _check_ports(run: Run, ports: list[int]) -> None:
    for port in ports:
        connection = client.connect(port)
        if connection is None:
            raise run.failure(f"port {port} does not accept although its service said so")
        connection.close()


def chosen(names: list[str] | None) -> list[Peer]:
    """Return the peers to measure: those named, or all that are installed; SystemExit."""
    found = [peer for peer in PEERS.values() if shutil.which(peer.program)]
    if names is None:
        return found
    missing = [name for name in names if PEERS[name] not in found]
    if missing:
        programs = ", ".join(PEERS[name].program for name in missing)
        raise SystemExit(f"not found on PATH: {programs}")
    return [PEERS[name] for name in names]


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf peers``."""
    parser = options.parser("peers", __doc__, runs=7, shape="independent20")
    parser.add_argument(
        "--peer",
        action="append",
        choices=sorted(PEERS),
        help="only this one; may be repeated (all that are on PATH)",
    )
    parsed = parser.parse_args(argv)
    if parsed.bundle:
        parser.error("peers run the services of a made bundle (--shape)")
    ours: list[Contender] = options.contenders(parsed)
    others = [OnBundle(peer) for peer in chosen(parsed.peer)]
    with options.bundle(parsed) as (bundle, notes):
        every: list[Starts] = [*ours, *others]
        result = results.begin(
            "peers", parsed.shape, MEASURES, {one.name: {} for one in every}, notes
        )
        result.notes += processes.memory_notes()
        missing = [peer.name for peer in PEERS.values() if not shutil.which(peer.program)]
        if missing and parsed.peer is None:
            result.notes.append(f"not installed here: {', '.join(missing)}")
        for attempt in range(parsed.runs + 1):
            for one in every:
                base, sample = floor.measure(), measure(one, bundle)
                if attempt:
                    result.floor.append(base)
                    result.add(one.name, sample)
    result.versions |= {one.name: one.version() for one in others}
    return options.finish(parsed, result)
