"""What kind of process the guardian is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.guardian.household import Household, service
from tests.waiting import wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_it_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    with Household(tmp_path / "h") as house:
        wait_until(lambda: os.getsid(house.guardian) == house.guardian)


def test_it_does_not_hold_the_runtimes_stdout(tmp_path: Path) -> None:
    """Whoever reads the runtime's stdout to its end must not wait for the services' grace."""
    with Household(tmp_path / "h", service("job", "ignores_term", grace_s=3)) as house:
        house.wait_started()
        house.kill()
        assert house.process.stdout is not None
        assert house.process.stdout.read() == b""
        assert not house.guardian_gone()
        house.wait_clean()


@linux
def test_it_holds_its_channel_and_a_pipe_for_each_service_and_nothing_else(tmp_path: Path) -> None:
    with Household(tmp_path / "h", service("a"), service("b"), reader=False) as house:
        wait_until(lambda: len(held(house.guardian)) == 3 + 1 + 2)
        links = sorted(os.readlink(f"/proc/{house.guardian}/fd/{fd}") for fd in (0, 1, 2))
        assert links == ["/dev/null"] * 3
        house.ask("forget a")
        wait_until(lambda: len(held(house.guardian)) == 3 + 1 + 1)


@linux
def test_services_do_not_inherit_the_channel(tmp_path: Path) -> None:
    with Household(tmp_path / "h", service("a")) as house:
        house.wait_started()
        kinds = [os.readlink(f"/proc/{house.services['a']}/fd/{fd}") for fd in (0, 1, 2)]
        assert len(held(house.services["a"])) == 3, kinds


@linux
def test_it_is_small_and_does_nothing(tmp_path: Path) -> None:
    """It may cost 5 MiB of memory that is its own, and half of one more here, where it is forked
    from an interpreter with its site module; a tick is 10 ms.

    The pages of files, the interpreter's code above all, are left out: they are there anyway, and
    its share of them depends on how many other Pythons run.
    """
    env = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    with Household(tmp_path / "first", env=env):
        pass
    with Household(tmp_path / "h", service("a"), service("b"), env=env) as house:
        house.wait_started()
        wait_until(lambda: len(held(house.guardian)) >= 6)
        before = ticks(house.guardian)
        assert own_memory(house.guardian) < 5.5 * 1024
        house.ask("idle")
        assert ticks(house.guardian) - before <= 1


def held(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/fd")


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def own_memory(pid: int) -> int:
    """Return the proportional share of anonymous memory, in KiB (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise AssertionError("no Pss_Anon: Linux before 5.4")
