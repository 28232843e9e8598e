from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.process import table
from tests.guardian.small_runtime import SmallRuntime, service
from tests.waiting import WITHIN, wait_until

DEATHS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]


@pytest.mark.parametrize("number", DEATHS)
def test_a_killed_runtime_leaves_no_service_and_no_guardian(
    tmp_path: Path, number: signal.Signals
) -> None:
    services = [service("api"), service("job", "ignores_term", grace_s=0.3)]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        small.kill(number)
        small.wait_clean()
        assert [event["signal"] for event in small.signals("api")] == [signal.SIGTERM]


@pytest.mark.parametrize("ending", ["return", "raise"])
def test_a_runtime_that_ends_without_goodbye_has_died(tmp_path: Path, ending: str) -> None:
    with SmallRuntime(tmp_path / "h", service("api")) as small:
        small.wait_started()
        small.tell(ending)
        small.process.wait(WITHIN)
        small.wait_clean()
        assert small.signals("api")


def test_goodbye_leaves_services_and_files_alone_and_ends_the_guardian(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("api"), files=["token"]) as small:
        small.wait_started()
        assert small.ask("dismiss") == {"dismissed": True}
        assert small.guardian_gone()
        small.kill()
        assert small.leftovers()
        assert small.signals("api") == []
        assert (small.folder / "token").exists()


def test_services_are_stopped_in_reverse_order_and_independent_ones_side_by_side(
    tmp_path: Path,
) -> None:
    go_on = tmp_path / "go on"
    held: dict[str, Any] = {"options": {"stop-until": str(go_on)}, "grace_s": 60}
    services = [
        service("db", "stops_slowly", **held),
        service("api", "stops_slowly", depends_on=["db"], **held),
        service("web", "stops_slowly", depends_on=["api", "db"], **held),
        service("job", "stops_slowly", depends_on=["db"], **held),
    ]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        small.kill()
        wait_until(lambda: small.signals("web") and small.signals("job"), what="both to be asked")
        go_on.touch()
        small.wait_clean()
        asked = {name: small.signals(name)[0]["t"] for name in small.services}
        ended = {name: small.record(name)[-1] for name in small.services}
        assert {event["event"] for event in ended.values()} == {"exit"}
        assert ended["web"]["t"] <= asked["api"]
        assert max(ended["api"]["t"], ended["job"]["t"]) <= asked["db"]


def test_each_service_gets_its_own_stop_signal_once(tmp_path: Path) -> None:
    services = [
        service("hup", "stops_slowly", signal=int(signal.SIGHUP), options={"stop-ms": 300}),
        service("int", "stops_slowly", signal=int(signal.SIGINT), options={"stop-ms": 300}),
    ]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        small.kill()
        small.wait_clean()
        assert [event["signal"] for event in small.signals("hup")] == [signal.SIGHUP]
        assert [event["signal"] for event in small.signals("int")] == [signal.SIGINT]


def test_a_service_is_asked_over_http_and_gets_no_signal(tmp_path: Path, free_port: int) -> None:
    web = service(
        "web",
        "http_stop",
        options={"port": free_port, "stop-ms": 300},
        http=[free_port, "/shutdown"],
        grace_s=10,
    )
    with SmallRuntime(tmp_path / "h", web) as small:
        wait_until(lambda: [e for e in small.record("web") if e["event"] == "listening"])
        small.kill()
        small.wait_clean()
        assert small.signals("web") == []
        assert small.record("web")[-1]["event"] == "exit"


def test_a_service_that_refuses_the_request_gets_its_signal(tmp_path: Path, free_port: int) -> None:
    web = service("web", http=[free_port, "/shutdown"], grace_s=10)
    with SmallRuntime(tmp_path / "h", web) as small:
        small.wait_started()
        small.kill()
        small.wait_clean()
        assert small.signals("web")


@pytest.mark.parametrize(
    "options",
    [
        {"deaf": 1},
        {"deaf": 1, "leave": 1},
        {"deaf": 1, "clear-env": 1, "keep-stdout": 1},
        {"deaf": 1, "clear-env": 1, "keep-stdout": 1, "leave": 1},
    ],
)
def test_what_left_its_session_is_ended_too(tmp_path: Path, options: dict[str, int]) -> None:
    stray = service("stray", "double_fork", options=options, grace_s=0.3)
    with SmallRuntime(tmp_path / "h", stray) as small:
        small.wait_started(("stray", "daemon"))
        small.kill()
        small.wait_clean()
        assert [e["role"] for e in small.started_all("stray")] == ["leader", "daemon"]


def test_grandchildren_that_ignore_the_signal_are_killed_after_the_grace(
    tmp_path: Path, free_port: int
) -> None:
    parent = service(
        "parent", "forks_grandchild", options={"children": 3, "port": free_port}, grace_s=3.0
    )
    with SmallRuntime(tmp_path / "h", parent) as small:
        wait_until(lambda: len(small.started("parent", "grandchild")) == 3)
        small.kill()
        small.wait_clean()
        grandchildren = {e["pid"] for e in small.started("parent", "grandchild")}
        asked = [e["pid"] for e in small.signals("parent") if e["pid"] in grandchildren]
        assert sorted(asked) == sorted(grandchildren)


@pytest.mark.parametrize("announce", ["expect", "nothing"])
def test_a_service_that_was_not_registered_is_found_by_its_mark(
    tmp_path: Path, announce: str
) -> None:
    """It is not killed before its grace, since another service has a longer one."""
    services = [service("api", announce=announce), service("known", grace_s=20)]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        small.kill()
        small.wait_clean()
        assert small.signals("api")


def test_a_process_without_a_mark_is_found_by_its_session(tmp_path: Path) -> None:
    before = ["/bin/sh", "-c", 'sleep 60 >/dev/null 2>&1 & exec "$0" "$@"']
    api = service("api", before=before, env={"SERVICE_INSTANCE_ID": ""})
    with SmallRuntime(tmp_path / "h", api) as small:
        small.wait_started()
        assert len(table.census("", {small.services["api"]})) == 2
        small.kill()
        small.wait_clean()
        assert table.census("", {small.services["api"]}) == []


def test_a_process_that_was_between_fork_and_exec_is_waited_for(tmp_path: Path) -> None:
    """Until its exec it has neither mark nor, with other luck, a session of its own.

    Nor has one that was started without a pipe anything else, where there are no control groups.
    """
    gate = tmp_path / "gate"
    script = (
        f'exec >/dev/null 2>&1; : > "{gate}"; sleep 0.5; SERVICE_INSTANCE_ID=$MARK exec "$0" "$@"'
    )
    api = service(
        "api",
        before=["/bin/sh", "-c", script],
        env={"SERVICE_INSTANCE_ID": ""},
        announce="unpiped",
    )
    with SmallRuntime(tmp_path / "h", api) as small:
        wait_until(gate.exists)
        small.kill()
        small.wait_clean()
        wait_until(lambda: table.created(small.services["api"]) is None, what="the service's end")


def test_a_stopped_service_is_woken_so_that_it_hears_the_signal(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("api", grace_s=20)) as small:
        small.wait_started()
        os.kill(small.services["api"], signal.SIGSTOP)
        small.kill()
        small.wait_clean()
        assert small.signals("api")


def test_files_of_the_runtime_are_removed_and_files_of_a_successor_are_kept(
    tmp_path: Path,
) -> None:
    with SmallRuntime(tmp_path / "h", files=["token", "ipc_port"]) as small:
        successor = small.folder / "new"
        successor.write_text("somebody else's")
        successor.replace(small.folder / "ipc_port")
        small.kill()
        small.wait_clean()
        assert not (small.folder / "token").exists()
        assert (small.folder / "ipc_port").read_text() == "somebody else's"


def test_the_guardians_of_two_runtimes_do_not_disturb_each_other(tmp_path: Path) -> None:
    with (
        SmallRuntime(tmp_path / "a", service("api")) as first,
        SmallRuntime(tmp_path / "b", service("api")) as second,
    ):
        first.wait_started()
        second.wait_started()
        first.kill()
        first.wait_clean()
        assert second.leftovers() == [second.services["api"]] * 2
        assert not second.guardian_gone()


def test_a_child_that_the_runtime_forked_does_not_delay_the_guardian(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("api")) as small:
        small.wait_started()
        assert small.ask("fork") == {"forked": True}
        small.kill()
        small.wait_clean()


def test_what_was_forgotten_is_left_to_its_mark_only(tmp_path: Path) -> None:
    """A stray of an instance that is thought to be gone still carries the runtime's mark."""
    with SmallRuntime(tmp_path / "h", service("api")) as small:
        small.wait_started()
        small.ask("forget api")
        small.kill()
        small.wait_clean()


def test_the_death_is_written_to_telemetry_with_what_was_found(tmp_path: Path) -> None:
    services = [service("api"), service("job", "ignores_term", grace_s=0.3)]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        (small.folder / "telemetry.jsonl").write_text(
            '{"ts":"2024-01-01T00:00:00.000Z","seq":41,"event":"runtime_start"}\n'
        )
        small.kill()
        small.wait_clean()
        died = small.telemetry()[-1]
        assert (died["event"], died["seq"]) == ("runtime_died", 42)
        details = died["details"]
        assert (details["found"], details["stopped"], details["killed"]) == (2, 1, 1)
        assert details["left"] == 0
        assert details["seconds"] > 0.3
