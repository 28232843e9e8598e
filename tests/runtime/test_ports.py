"""Ports: the lowest free one, remembered, moved when it is lost, handed over when asked for."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from bundlevisor.actors.ports import remembered
from bundlevisor.testing import faults
from bundlevisor.testing.ports import free_block
from tests import absent
from tests.bundle_maker import bundle, running, wait_until

P = free_block(200)
"""Every test has ports of its own behind this one, so that none waits for another's to be free."""

SELDOM = {"every_ms": 50}


def in_range(low: int, high: int) -> dict[str, dict[str, dict[str, int]]]:
    return {"http": {"range": {"min": low, "max": high}}}


def test_each_port_is_the_lowest_free_one_of_its_range(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", P + 10)):
        made = bundle(tmp_path).service("a", ports=in_range(P + 10, P + 20))
        made.service("b", ports=in_range(P, P + 20)).service("c", ports=in_range(P + 10, P + 20))
        with running(made.write()) as run:
            run.until_ready()
            found = [run.ports(name)["http"] for name in ("a", "b", "c")]
            assert found == [P + 11, P, P + 12]


def test_two_bundles_are_never_given_the_same_port(tmp_path: Path) -> None:
    """From the spawn on nobody has bound it, until the service does; these never do."""
    made = [bundle(tmp_path / name) for name in ("one", "two")]
    for one in made:
        ports = in_range(P + 190, P + 191)
        one.service("a", "talks", options=SELDOM, ports=ports, health=None, readiness=None).write()
    with running(made[0]) as first, running(made[1]) as second:
        first.until_ready()
        second.until_ready()
        assert {run.ports("a")["http"] for run in (first, second)} == {P + 190, P + 191}
        first.kill(signal.SIGTERM)
        first.wait_gone()
        with running(made[0]) as again:
            again.until_ready()
            assert again.ports("a")["http"] not in second.ports("a").values()


def test_the_choice_is_remembered_for_the_next_start(tmp_path: Path) -> None:
    blocker = socket.create_server(("127.0.0.1", P + 30))
    made = bundle(tmp_path).service("a", ports=in_range(P + 30, P + 40)).write()
    with blocker, running(made) as run:
        run.until_ready()
        assert run.ports("a") == {"http": P + 31}
        run.kill(signal.SIGTERM)
        run.wait_gone()
    with running(made) as run:
        run.until_ready()
        assert run.ports("a") == {"http": P + 31}


@absent.unless(any(map(shutil.which, ("cc", "gcc", "clang"))), "a C compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_they_are_remembered_though_the_disk_is_slow_and_the_end_follows_at_once(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made, env=faults.slow_sync(300)) as run:
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
    assert set(remembered.peek(str(made.app_data))) == {"db"}


def test_an_exhausted_range_fails_only_its_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", P + 50)):
        made = bundle(tmp_path).service("a", ports=in_range(P + 50, P + 50)).service("b").write()
        with running(made) as run:
            details = run.ready()["details"]
            assert details["a"]["state"] == "failed"
            assert f"{P + 50}-{P + 50}" in details["a"]["message"]
            run.until_service_ready("b")


def test_a_start_chooses_anew_for_a_service_that_got_no_port(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("a", ports=in_range(P + 140, P + 140))
    made.service(
        "user",
        "reports_environment",
        ports=(),
        readiness=None,
        env={"A": "http://127.0.0.1:${a.http}"},
    )
    made.service("needs-it", deps=["a"])
    with socket.create_server(("127.0.0.1", P + 140)) as blocker, running(made.write()) as run:
        details = run.ready()["details"]
        blocked = f"blocked: a has no port: range {P + 140}-{P + 140} is used up"
        assert [details[id_]["message"] for id_ in ("user", "needs-it")] == [blocked, blocked]
        assert details["user"]["state"] == "waiting"
        assert details["user"]["waiting_for"] == ["a"]
        refused = run.post("/services/a/restart")
        assert refused.status == 409
        assert "1 are in use" in refused.json()["error"]
        blocker.close()
        assert run.post("/services/a/restart?wait=20").json()["state"] == "ready"
        run.until_ready()
        assert run.ports("a") == {"http": P + 140}
        wait_until(lambda: run.events("user", "environment"), what="the user of the port to run")
        assert run.events("user", "environment")[-1]["env"]["A"] == f"http://127.0.0.1:{P + 140}"
        assert run.await_told("port_assigned", "a") == [{"name": "http", "port": P + 140}]


def test_starting_the_user_of_a_port_looks_for_that_port_too(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("a", ports=in_range(P + 145, P + 145))
    made.service("user", env={"A": "${a.http}"})
    with socket.create_server(("127.0.0.1", P + 145)) as blocker, running(made.write()) as run:
        run.ready()
        still = run.post("/services/user/start?wait=20")
        assert still.status == 202
        assert (
            still.json()["message"]
            == f"blocked: a has no port: range {P + 145}-{P + 145} is used up"
        )
        blocker.close()
        assert run.post("/services/user/start?wait=20").json()["state"] == "ready"
        run.until_ready()


def test_the_port_of_a_stopped_service_stays_its_own(tmp_path: Path) -> None:
    only = in_range(P + 180, P + 180)
    made = bundle(tmp_path).service("a", ports=only).service("b", ports=only)
    with running(made.write()) as run:
        assert run.ready()["details"]["b"]["state"] == "failed"
        assert run.post("/services/a/stop?wait=20").json()["state"] == "stopped"
        refused = run.post("/services/b/start")
        assert refused.status == 409
        assert "1 are given to other ports of this bundle" in refused.json()["error"]
        assert run.post("/services/a/start?wait=20").json()["state"] == "ready"
        assert run.ports("a") == {"http": P + 180}


class Thief:
    """Takes the ports that a program names to it, before the program can."""

    def __init__(self) -> None:
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port = self._ear.getsockname()[1]
        self._loot: list[socket.socket] = []
        self._thread = threading.Thread(target=self._steal, daemon=True)
        self._thread.start()

    def _steal(self) -> None:
        while True:
            try:
                connection, _ = self._ear.accept()
            except OSError:
                return
            with connection:
                port = int(connection.recv(64))
                self._loot.append(socket.create_server(("127.0.0.1", port)))
                connection.sendall(b"!")

    def close(self) -> None:
        self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        self._thread.join()
        for stolen in self._loot:
            stolen.close()


def test_a_port_that_is_lost_is_replaced_and_its_users_learn_of_it(tmp_path: Path) -> None:
    thief = Thief()
    made = bundle(tmp_path).service(
        "db", "port_in_use_exit", ports=in_range(P + 60, P + 70), options={"thief": thief.port}
    )
    made.service(
        "api",
        "reports_environment",
        deps=["db"],
        ports=(),
        readiness=None,
        env={"DB": "http://127.0.0.1:${db.http}"},
    )
    with contextlib.closing(thief), running(made.write()) as run:
        run.until_ready()
        assert run.ports("db") == {"http": P + 61}
        wait_until(lambda: run.events("api", "environment"), what="api to say what it was given")
        seen = run.events("api", "environment")[-1]["env"]
        assert seen["DB"] == f"http://127.0.0.1:{P + 61}"
        moved = run.await_told("port_reassigned", "db")
        assert [(one["previous"], one["port"]) for one in moved] == [(P + 60, P + 61)]
        assert run.service("db")["restarts"] == 0


def test_what_runs_with_the_number_of_a_port_that_has_moved_is_restarted(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", ports=in_range(P + 150, P + 155))
    made.service("user", "reports_environment", ports=(), readiness=None, env={"DB": "${db.http}"})
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: run.events("user", "environment"), what="the user's first start")
        assert run.post("/services/db/stop?wait=20").json()["state"] == "stopped"
        with socket.create_server(("127.0.0.1", P + 150)):
            assert run.post("/services/db/start?wait=20").json()["state"] == "ready"
        assert run.ports("db") == {"http": P + 151}
        wait_until(
            lambda: len(run.events("user", "environment")) == 2, what="the user's next start"
        )
        seen = [one["env"]["DB"] for one in run.events("user", "environment")]
        assert seen == [str(P + 150), str(P + 151)]


def test_a_port_that_is_lost_again_and_again_is_a_clear_failure(tmp_path: Path) -> None:
    thief = Thief()
    made = bundle(tmp_path).service(
        "db",
        "port_in_use_exit",
        ports=in_range(P + 100, P + 110),
        options={"thief": thief.port, "times": 100},
    )
    with contextlib.closing(thief), running(made.write()) as run:
        db = run.ready()["details"]["db"]
        assert db["state"] == "failed"
        assert f"port {P + 103} ('http') is taken by another program" in db["message"]
        assert len(run.events("db", "started")) == 4


def test_a_port_that_a_process_outside_of_the_session_holds_is_free_again(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "db", "takes_the_port_and_dies", ports=in_range(P + 120, P + 130), stop={"timeout_ms": 200}
    )
    with running(made.write()) as run:
        run.until_ready()
        assert run.events("db", "listening")[-1]["port"] == run.ports("db")["http"]


def test_a_listening_socket_is_handed_over_and_nothing_else_but_the_output(tmp_path: Path) -> None:
    wanted = {"requires_socket": True, "range": {"min": P + 80, "max": P + 90}}
    ports = {"http": wanted, "a:b": wanted}
    made = bundle(tmp_path).service("db", "reads_listen_fds", ports=ports)
    with running(made.service("other", "inherits_fds").write()) as run:
        run.until_ready()
        assert sorted(run.events("other", "descriptors")[0]["open"]) == ["0", "1", "2"]
        handed = run.events("db", "handed")[0]
        assert handed["fds"] == 2
        assert handed["pid_meant"] == str(handed["pid"])
        assert handed["names"] == "http:a_b"
        assert run.events("db", "listening")[0]["port"] == run.ports("db")["http"]


LISTENS_ON_BOTH = """
import http.server, os, socket
class Both(http.server.HTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
Both(("::", int(os.environ["PORT_HTTP"])), Well).serve_forever()
"""


def test_a_port_that_somebody_has_on_ipv6_only_is_not_given_out(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/both", LISTENS_ON_BOTH)
    taken = P + 170
    with socket.create_server(("::1", taken), family=socket.AF_INET6):
        made.service("a", "bin/both", ports=in_range(taken, taken + 9)).write()
        with running(made) as run:
            run.until_ready()
            assert taken < run.ports("a")["http"] <= taken + 9
            assert run.service("a")["restarts"] == 0


ON_IPV6_ONLY = LISTENS_ON_BOTH.replace("V6ONLY, 0", "V6ONLY, 1").replace('"::"', '"::1"')


def test_a_service_that_listens_on_ipv6_only_is_told_where_it_should(tmp_path: Path) -> None:
    made = bundle(tmp_path).script("bin/six", ON_IPV6_ONLY)
    made.service("a", "bin/six", ports=in_range(P + 160, P + 169)).write()
    with running(made) as run:
        port = run.ports("a")["http"]
        said = f"nothing listens on port {port} of 127.0.0.1; something does on ::1"
        wait_until(lambda: said in run.service("a")["message"], what="what stands in the way")
