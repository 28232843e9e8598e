"""``bundlevisor dashboard`` as it is installed."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.probes.caller import NOBODY, caller_uid
from tests import absent
from tests.bundle_maker import bundle, running, wait_until, write_executable
from tests.live_runtime import Run, bundlevisor

NO_WINDOWS = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "WSL_DISTRO_NAME": ""}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    made = bundle(tmp_path_factory.mktemp("command")).service("db").write()
    with running(made) as run:
        yield run


def enters(run: Run, address: str) -> bool:
    place, _, code = address.partition("/ui/enter#")
    assert place == f"http://127.0.0.1:{run.port}"
    headers = {"Bundlevisor-Code": code, "Origin": place}
    return run.post("/ui/sessions", token=None, headers=headers).status == 200


def test_no_open_prints_an_address_that_lets_one_browser_in(run: Run) -> None:
    asked = bundlevisor("dashboard", "--no-open", "--app-data", str(run.app_data))
    assert (asked.returncode, asked.stderr) == (0, "bundlevisor: good once, for 60 s\n")
    assert run.token not in asked.stdout
    address = asked.stdout.strip()
    assert enters(run, address)
    assert not enters(run, address)


def test_programs_read_it_as_json(run: Run) -> None:
    asked = bundlevisor("dashboard", "--json", "--manifest", str(run.bundle.path))
    assert asked.returncode == 4, "another folder: the application's own"
    asked = bundlevisor("dashboard", "--json", "--app-data", str(run.app_data))
    told = json.loads(asked.stdout)
    assert told["address"] == f"http://127.0.0.1:{run.port}{told['path']}"
    assert told["expires_in_s"] == 60
    assert enters(run, told["address"])


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for no browser by a variable")
def test_the_users_browser_is_opened(run: Run, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    source = f"import os, sys\nopen({str(opened) + '.new'!r}, 'w').write(sys.argv[1])\n"
    source += f"os.rename({str(opened) + '.new'!r}, {str(opened)!r})\n"
    write_executable(browser, source.encode())
    asked = bundlevisor(
        "dashboard", "--app-data", str(run.app_data), env={**NO_WINDOWS, "BROWSER": str(browser)}
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == f"opened http://127.0.0.1:{run.port}/ui/\n"
    wait_until(opened.exists, what="the browser is started")
    assert enters(run, opened.read_text())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a browser")
def test_without_windows_the_address_is_printed(run: Run) -> None:
    asked = bundlevisor("dashboard", "--app-data", str(run.app_data), env=NO_WINDOWS)
    assert asked.returncode == 1
    assert "no browser could be opened here" in asked.stderr
    assert enters(run, asked.stdout.strip())


def test_without_an_instance_it_says_so(tmp_path: Path) -> None:
    asked = bundlevisor("dashboard", "--app-data", str(tmp_path))
    assert asked.returncode == 4
    assert f"no runtime runs on {tmp_path}" in asked.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has connected")
def test_the_user_at_the_other_end_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = server.getsockname()
        with socket.create_connection(ours) as client:
            theirs = client.getsockname()
            assert caller_uid(theirs, ours) == os.getuid()
            assert caller_uid(("127.0.0.2", theirs[1]), ours) is None, "that may be another user"
            taken, _ = server.accept()
        with taken:
            assert caller_uid(theirs, ours) == NOBODY, "whoever it was has closed it"
        assert caller_uid(("127.0.0.1", 1), ours) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has connected")
@pytest.mark.parametrize(("host", "asked"), [("127.0.0.1", "::ffff:127.0.0.1"), ("::1", "::1")])
def test_the_user_is_known_by_the_newer_addresses_too(host: str, asked: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with server, socket.socket(socket.AF_INET6) as client:
        ours = server.getsockname()[:2]
        client.connect((asked, ours[1]))
        assert caller_uid((host, client.getsockname()[1]), ours) == os.getuid()


@absent.unless(
    sys.platform == "linux" and os.getuid() == 0, "root of Linux, who can be another user"
)
def test_another_user_of_the_machine_is_refused(run: Run) -> None:
    """It has read the address in the arguments of the browser that was started."""
    asked = bundlevisor("dashboard", "--no-open", "--app-data", str(run.app_data))
    address = asked.stdout.strip()
    os.seteuid(65534)
    try:
        assert not enters(run, address)
    finally:
        os.seteuid(0)
    assert enters(run, address), "it was not used up"
