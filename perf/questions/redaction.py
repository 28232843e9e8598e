"""What does it cost to keep secrets out of the logs: lines per second, and processor time?

A service writes as fast as it can; its lines go the whole way, from the pipe through the redaction
into a log that rotates. What is counted is the runtime's and its guardian's own processor time. The
lines are ordinary ones, of some 90 bytes, in which no secret stands; a secret has 32 characters.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from bundlevisor.manifest.format.app_data import USUAL_TOKEN
from bundlevisor.manifest.format.header import header
from bundlevisor.manifest.format.platform import KEYS
from bundlevisor.perf import bundles, client, options, programs, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, Run
from bundlevisor.perf.questions import flood
from bundlevisor.perf.results import Measure, Samples

SECRETS = (0, 1, 20)
LINES = 1_000_000
PATIENCE_S = 300.0
LOOK_AGAIN_S = 0.005


def measures() -> dict[str, Measure]:
    """Return what is measured for each number of secrets."""
    found: dict[str, Measure] = {}
    for count in SECRETS:
        by = f"{count} secret{'s' * (count != 1)}"
        found[f"{count} rate"] = Measure(title=f"{by}: lines", unit="1/s", more_is_better=True)
        found[f"{count} cpu"] = Measure(title=f"{by}: processor, per million lines", unit="s")
    return found


def write(folder: str, lines: int) -> Bundle:
    """Write a bundle with one flooding service for each number of secrets."""
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    program = programs.Program(native=False, path=flood.__file__)
    binary = f"bin/{programs.install(program, os.path.join(folder, 'bin'))}"
    port = bundles.free_port()
    manifest = {
        **header("perf-redaction", "1.0.0", port),
        "secrets": [_secret(number) for number in range(max(SECRETS))],
        "services": [_service(count, binary, lines) for count in SECRETS],
    }
    path = os.path.join(folder, "bundle.json")
    with open(path, "wb") as file:
        file.write(msgspec.json.encode(manifest))
    ids: dict[str, tuple[str, ...]] = {_id(count): () for count in SECRETS}
    return Bundle(path, port, USUAL_TOKEN, ids, records=False)


def _id(count: int) -> str:
    return f"with-{count}"


def _secret(number: int) -> dict[str, Any]:
    return {
        "id": f"secret_{number}",
        "class": "per_install_generated",
        "generator": {"type": "random", "length": 32, "charset": "alnum"},
        "target": {"type": "env", "name": f"SECRET_{number}"},
    }


def _service(count: int, binary: str, lines: int) -> dict[str, Any]:
    args = ["--lines", str(lines)]
    for word in ("go", "done"):
        args += [f"--{word}", f"${{data}}/{word}-{_id(count)}"]
    return {
        "id": _id(count),
        "type": "worker",
        "binaries": {key: {"path": binary, "args": args} for key in KEYS},
        "secrets": [f"secret_{number}" for number in range(count)],
        "readiness": {"type": "dependencies_ready"},
    }


def measure(contender: Contender, bundle: Bundle, lines: int) -> Samples:
    """Let each service of a run write its lines, one after the other."""
    sample: Samples = {}
    with Run(contender, bundle) as run:
        run.await_port()
        run.await_healthy()
        _, details = run.await_ready()
        services = {one["pid"] for one in details.values() if isinstance(one, dict)}
        own = [pid for pid in run.processes if pid not in services]
        for count in SECRETS:
            used = run.cpu_seconds(own)
            took = _flooded(run, _id(count))
            used = run.cpu_seconds(own) - used
            sample[f"{count} rate"] = [lines / took]
            sample[f"{count} cpu"] = [used * 1e6 / lines]
    return sample


def _flooded(run: Run, service: str) -> float:
    """Have a service write; return the seconds it took, once all of it stands in the log."""
    with open(os.path.join(run.app_data, f"go-{service}"), "wb"):
        pass
    done = os.path.join(run.app_data, f"done-{service}")
    deadline = time.monotonic() + PATIENCE_S
    while not (os.path.exists(done) and _stands_in_log(run, service)):
        run.check_alive()
        if time.monotonic() > deadline:
            raise run.failure(f"the lines of '{service}' are not in its log in time")
        time.sleep(LOOK_AGAIN_S)
    with open(done, encoding="ascii") as file:
        return int(file.read()) / 1e9


def _stands_in_log(run: Run, service: str) -> bool:
    path = f"/logs/tail?serviceId={service}&lines=1"
    answer = client.ask(run.port, path, run.token)
    return answer is not None and answer.status == 200 and answer.body == flood.END


@contextmanager
def made(lines: int) -> Iterator[Bundle]:
    """Yield the bundle, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="perf-redaction-") as folder:
        yield write(folder, lines)


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf redaction``."""
    parser = options.parser("redaction", __doc__, runs=7, shape="-")
    parser.add_argument(
        "--lines", type=options.positive, default=LINES, help="of each service (%(default)s)"
    )
    parsed = parser.parse_args(argv)
    if parsed.bundle or parsed.shape != "-" or parsed.lines % flood.BATCH or parsed.lines <= 0:
        parser.error(f"redaction makes its own bundle; --lines comes in {flood.BATCH}s")
    contenders = options.contenders(parsed)
    result = results.begin(
        question="redaction",
        bundle=f"{parsed.lines} lines of {len(flood.batch()) / flood.BATCH:.0f} bytes",
        measures=measures(),
        notes=["the writing service is a process of the same machine and takes its share"],
    )
    with made(parsed.lines) as bundle:
        options.take_turns(
            parsed, contenders, result, lambda one: measure(one, bundle, parsed.lines)
        )
    return options.finish(parsed, result)
