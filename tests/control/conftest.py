"""The control API over HTTP: of a runtime in memory, and of the installed command.

Whoever takes ``api`` alone says what holds for both, and is run with both. A test that also takes
``runtime`` moves the one in memory to a state that it looks at; one that reaches into the server's
process (its loop, its deadlines) cannot do so in another one's. Both are run in memory only, as
their names say.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.control.__main__ import main
from bundlevisor.control.http.server import ControlServer
from bundlevisor.testing import Runtime
from tests.control.commands import Cli, Run, record
from tests.control.driven_runtime import DrivenRuntime, InMemory, Installed, driven_installed
from tests.control.fake_runtime import FakeRuntime
from tests.control.installed_bundle import installed_bundle
from tests.control.wire import TOKEN, Api
from tests.installed import COMMAND
from tests.live_runtime import bundlevisor

IN_MEMORY = "in memory"
INSTALLED = "installed"
REACHES_INTO_IT = {"runtime", "server", "monkeypatch"}
"""Fixtures by which a test reaches what only this process has."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes ``api`` with every runtime that it can be run with."""
    if "api" in metafunc.fixturenames:
        only_here = not REACHES_INTO_IT.isdisjoint(metafunc.fixturenames)
        kinds = [IN_MEMORY] if only_here else [IN_MEMORY, INSTALLED]
        metafunc.parametrize("api", kinds, indirect=True)


def listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def server(runtime: FakeRuntime) -> Iterator[tuple[ControlServer, int]]:
    listener = listen()
    port = listener.getsockname()[1]
    control = ControlServer(runtime, TOKEN, listener)
    control.start()
    yield control, port
    runtime.hold.set()
    control.stop(2)
    assert not [fault for fault in runtime.faults if "expected" not in str(fault[1])]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The installed command with the bundle of the runtime in memory, every service ready."""
    with Runtime(
        installed_bundle(tmp_path_factory.mktemp("installed")), command=COMMAND
    ) as runtime:
        runtime.wait_ready()
        yield runtime


@pytest.fixture
def installed_for_one(tmp_path: Path) -> Iterator[Runtime]:
    """One for a test that leaves it changed."""
    with Runtime(installed_bundle(tmp_path / "installed"), command=COMMAND) as runtime:
        runtime.wait_ready()
        yield runtime


@pytest.fixture(scope="module")
def standing_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    yield from driven_installed(tmp_path_factory.mktemp("driven"))


@pytest.fixture(params=[IN_MEMORY, INSTALLED])
def driven(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DrivenRuntime]:
    """A runtime that a test brings into states, both ways; everything is ready at its beginning."""
    if request.param == INSTALLED:
        if request.node.get_closest_marker("ends_the_runtime"):
            yield from driven_installed(tmp_path / "driven")
            return
        standing: Installed = request.getfixturevalue("standing_runtime")
        yield standing
        standing.settle()
        return
    runtime: FakeRuntime = request.getfixturevalue("runtime")
    client = Api(request.getfixturevalue("server")[1])
    yield InMemory(runtime, client)
    for streamed in client.opened:
        streamed.close()


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    if request.param == INSTALLED:
        alone = request.node.get_closest_marker("ends_the_runtime")
        name = "installed_for_one" if alone else "installed"
        installed: Runtime = request.getfixturevalue(name)
        client = Api(installed.port, installed.token)
    else:
        client = Api(request.getfixturevalue("server")[1])
    yield client
    for streamed in client.opened:
        streamed.close()


@pytest.fixture
def cli(tmp_path: Path, api: Api, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    record(tmp_path, api.port, token=api.token)
    return Cli(tmp_path, capfdbinary)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*argv: str) -> tuple[int, str, str]:
        if not argv or argv[0] == "run" or argv[0].startswith("-"):
            # its process forks a guardian and adopts orphans, also when its words are wrong
            ended = bundlevisor(*argv)
            return ended.returncode, ended.stdout, ended.stderr
        code = main(argv)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def clients() -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    yield opened
    for client in opened:
        client.close()
