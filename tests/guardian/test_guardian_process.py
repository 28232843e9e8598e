"""What kind of process the guardian is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import Bundle, bundle
from tests.guardian.small_runtime import SmallRuntime, service
from tests.hidden import MAY_LOOK, needs_look, open_files
from tests.waiting import wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_it_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h") as small:
        wait_until(lambda: os.getsid(small.guardian) == small.guardian)


def test_it_does_not_hold_the_runtimes_stdout(tmp_path: Path) -> None:
    """Whoever reads the runtime's stdout to its end must not wait for the services' grace."""
    with SmallRuntime(tmp_path / "h", service("job", "ignores_term", grace_s=60)) as small:
        small.wait_started()
        small.kill()
        assert small.process.stdout is not None
        assert small.process.stdout.read() == b""
        assert not small.guardian_gone()
        os.kill(small.services["job"], signal.SIGKILL)
        small.wait_clean()


OWN = 3 + 2 + 1
"""Descriptors of a guardian: standard ones, channel and runtime, how far its work is."""


@linux
def test_it_holds_its_channel_the_runtime_and_a_pipe_for_each_service(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("a"), service("b"), reader=False) as small:
        wait_until(lambda: holds_its_own(small.guardian, more=2))
        small.ask("forget a")
        wait_until(lambda: holds_its_own(small.guardian, more=1))


@linux
def test_services_do_not_inherit_the_channel(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("a")) as small:
        small.wait_started()
        kinds = [os.readlink(f"/proc/{small.services['a']}/fd/{fd}") for fd in (0, 1, 2)]
        what = f"nothing but {kinds}: its record may still be open"
        wait_until(lambda: open_files(small.services["a"]) == 3, what=what)


@linux
def test_it_does_nothing(tmp_path: Path) -> None:
    """A tick is 10 ms."""
    with SmallRuntime(tmp_path / "h", service("a"), service("b")) as small:
        small.wait_started()
        wait_until(lambda: holds_its_own(small.guardian, more=3))  # what is in flight, too
        before = ticks(small.guardian)
        small.ask("idle")
        assert ticks(small.guardian) - before <= 1


@linux
@needs_look
def test_it_and_its_heir_cost_less_than_five_mebibytes_each(tmp_path: Path) -> None:
    """Those of the command itself, as users start it: a runtime in little imports other things.

    The first start is there to leave bytecode behind: who has compiled is bigger. The pages of
    files, the interpreter's code above all, are left out: they are there anyway, and the guardian's
    share of them depends on how many other Pythons run.
    """
    made = bundle(tmp_path).service("a").service("b").write()
    guardians_of_the_command(made)
    assert max(guardians_of_the_command(made)) < 5 * 1024


def guardians_of_the_command(made: Bundle) -> list[int]:
    """Run the bundle by the installed command; return the memory of its two guardians, in KiB."""
    command = str(Path(sys.executable).with_name("bundlevisor"))
    words = ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]
    with subprocess.Popen(
        [command, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as runtime:
        try:
            assert runtime.stdout
            assert runtime.stdout.readline()
            guardians = wait_until(lambda: busy_guardians(runtime.pid), what="both, with pipes")
            return [own_memory(pid) for pid in guardians]
        finally:
            runtime.terminate()


def busy_guardians(runtime: int) -> list[int]:
    """Return the guardian and its heir once both hold the pipes of two services, else nothing."""
    with contextlib.suppress(psutil.Error, OSError):
        below = psutil.Process(runtime).children(recursive=True)
        named = [child.pid for child in below if child.name() == "bundle-guardian"]
        if len(named) == 2 and all(open_files(pid) >= OWN + 2 for pid in named):
            return named
    return []


def holds_its_own(pid: int, more: int) -> bool:
    """Before it lets go of what it was forked with, it may hold as many by chance.

    On the way its stdin is closed, and opened anew; it takes its name afterwards.
    """
    with contextlib.suppress(FileNotFoundError):
        named = Path(f"/proc/{pid}/comm").read_text() == "bundle-guardian\n"
        standard_ones = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2) if MAY_LOOK}
        return named and standard_ones <= {os.devnull} and open_files(pid) == OWN + more
    return False


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def own_memory(pid: int) -> int:
    """Return the proportional share of anonymous memory, in KiB (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise AssertionError("no Pss_Anon: Linux before 5.4")
