"""What is built while a service waits is what its start would build, or it is not taken."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.incarnation import Incarnation
from bundlevisor.actors.launch.ahead import LaunchAhead
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.ports.reservations import PortReservations
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.process import children
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.launch_specs import launch_specs
from bundlevisor.control.run.options import RunOptions
from bundlevisor.manifest.read import load
from tests.actors.logs.bench import close
from tests.bundle_maker import bundle
from tests.waiting import wait_until

PATIENCE = 30.0
SHELL = pytest.mark.skipif(os.name == "nt", reason="a .cmd file is looked for by cmd.exe")
INPUTS = StartInputs({"api": {"http": 4711}}, {"key": "its value"}, gpu=True)
SAYS_WHAT_IT_IS_GIVEN = """
import os, sys
print(sorted(os.environ.items()), sys.argv, os.getcwd(), flush=True)
"""


@pytest.fixture
def spec(tmp_path: Path) -> LaunchSpec:
    made = bundle(tmp_path)
    made.script("bin/said", SAYS_WHAT_IT_IS_GIVEN)
    made.service("api", "bin/said", env={"OF": "${data}/x"}, data_dirs=["kept"], secrets=["key"])
    for binary in made._services["api"]["binaries"].values():
        binary["cwd"] = "place"
    target = {"type": "env", "name": "KEY"}
    made.set(secrets=[{"id": "key", "class": "per_install_generated", "target": target}])
    made.write()
    (made.root / "place").mkdir()
    return specs_of(made.path, tmp_path)["api"]


def specs_of(manifest: Path, folder: Path) -> dict[str, LaunchSpec]:
    loaded = load.read(str(manifest))
    assert loaded.manifest is not None, loaded.findings
    options = RunOptions(manifest=str(manifest))
    return launch_specs(Bundle(loaded.manifest, loaded, options, str(folder / "data"), "id"))


@pytest.fixture
def start(spec: LaunchSpec, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start the service, with what was built or without, and return what it says."""
    loop = Loop("test", lambda *_: None)
    loop.start()
    path = tmp_path / "api.log"
    log = LogStream("api", LogFile(str(path)), loop, lambda _: None)
    context: Any = SimpleNamespace(
        loop=loop,
        log=lambda _: log,
        guardian=SimpleNamespace(
            expect=lambda *_: None, spawned=lambda *_: None, forget=lambda _: None
        ),
        mark=lambda *_: None,
    )

    def start(built: children.SpawnRequest | None) -> str:
        before = path.stat().st_size if path.exists() else 0
        incarnation = Incarnation(spec, context, INPUTS, 1, lambda _: None)
        ports = ServicePorts(spec.service, PortReservations())
        incarnation.start(ports, lambda: None, built)
        wait_until(incarnation.is_over, PATIENCE, "the end of the service")
        incarnation.bury()
        said = wait_until(lambda: ended(path.read_bytes()[before:]), PATIENCE, "what it says")
        return said.decode().replace("\r\n", "\n")

    yield start
    close(log)
    loop.stop()


def ended(text: bytes) -> bytes:
    return text if text.endswith(b"\n") else b""


def built(spec: LaunchSpec, inputs: StartInputs = INPUTS) -> LaunchAhead:
    ahead = LaunchAhead(spec)
    ahead.build(inputs, spec.instance(1))
    return ahead


def test_a_process_is_the_same_as_without(spec: LaunchSpec, start: Callable[..., str]) -> None:
    launch = built(spec).take(INPUTS, spec.instance(1))
    assert launch is not None
    said = start(launch)
    assert said == start(None)
    assert "'KEY'" in said


def test_it_is_taken_once_for_the_start_that_it_was_made_for(spec: LaunchSpec) -> None:
    ahead = built(spec)
    assert ahead.take(INPUTS, spec.instance(1)) is not None
    assert ahead.take(INPUTS, spec.instance(1)) is None
    assert built(spec).take(INPUTS, spec.instance(2)) is None
    same = StartInputs({"api": {"http": 4711}}, {"key": "its value"}, gpu=True)
    assert built(spec).take(same, spec.instance(1)) is not None


@pytest.mark.parametrize(
    "other",
    [
        StartInputs({"api": {"http": 4712}}, {"key": "its value"}, gpu=True),
        StartInputs({"api": {"http": 4711}}, {"key": "another"}, gpu=True),
        StartInputs({"api": {"http": 4711}}, {"key": "its value"}, gpu=False),
    ],
    ids=["port", "secret", "gpu"],
)
def test_what_is_given_may_be_another_by_then(spec: LaunchSpec, other: StartInputs) -> None:
    assert built(spec).take(other, spec.instance(1)) is None


@SHELL
@pytest.mark.parametrize("what", ["program gone", "not executable", "folder", "place gone"])
def test_what_is_gone_by_then_is_named_as_ever(
    spec: LaunchSpec, start: Callable[..., str], what: str
) -> None:
    launch = built(spec).take(INPUTS, spec.instance(1))
    assert launch is not None
    program, place = Path(launch.argv[0]), Path(launch.cwd)
    if what == "not executable":
        program.chmod(0o644)
    elif what == "place gone":
        shutil.rmtree(place)
    else:
        program.unlink()
    if what == "folder":
        program.mkdir()
    refusals = []
    for given in (launch, None):
        with pytest.raises(CannotLaunch) as refused:
            start(given)
        refusals.append((str(refused.value), refused.value.fatal))
    assert refusals[0] == refusals[1]


@SHELL
def test_a_program_that_is_another_by_then_is_run(
    spec: LaunchSpec, start: Callable[..., str]
) -> None:
    """As when somebody puts a fixed one in place while the service waits."""
    launch = built(spec).take(INPUTS, spec.instance(1))
    assert launch is not None
    program = Path(launch.argv[0])
    program.unlink()
    program.write_text("#!/bin/sh\necho the other\n")
    program.chmod(0o755)
    assert start(launch) == "the other\n"


def test_the_data_folders_are_made_at_the_start(
    spec: LaunchSpec, start: Callable[..., str]
) -> None:
    launch = built(spec).take(INPUTS, spec.instance(1))
    (folder,) = spec.data_folders()
    assert not os.path.exists(folder)
    start(launch)
    assert os.path.isdir(folder)


@pytest.mark.parametrize("what", ["socket", "notified", "playwright", "without program"])
def test_what_cannot_be_foreseen_is_left_to_the_start(tmp_path: Path, what: str) -> None:
    made = bundle(tmp_path)
    given: dict[str, dict[str, Any]] = {
        "socket": {"ports": {"http": {"requires_socket": True}}},
        "notified": {"readiness": {"type": "notify"}},
        "playwright": {"env": {"PLAYWRIGHT_X": "1"}},
        "without program": {},
    }
    made.service("api", **given[what]).write()
    if what == "without program":
        for program in (made.root / "bin").glob("api*"):
            program.unlink()
    spec = specs_of(made.path, tmp_path)["api"]
    inputs = StartInputs(INPUTS.ports)
    assert built(spec, inputs).take(inputs, spec.instance(1)) is None
