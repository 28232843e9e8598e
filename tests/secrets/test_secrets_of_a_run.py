"""Secrets in a real run: who waits, who receives, what a new value does, and that nothing leaks."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import Run, bundlevisor, running, wait_until
from tests.secrets.secret_bundle import (
    environments,
    generated,
    give,
    places_that_hold,
    secret,
    with_secrets,
)


def test_only_what_needs_the_secret_waits_and_a_post_starts_it(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("api_key"), secret("hint", required=False))
    made.service("db").service("api", "reports_environment", deps=["db"], secrets=["api_key"])
    made.service("page", deps=["api"]).service("free", secrets=["hint"]).write()
    with running(made) as run:
        wait_until(lambda: run.service("db")["ready"] and run.service("free")["ready"], what="both")
        waiting = run.service("api")
        assert (waiting["state"], waiting["waiting_for"]) == ("waiting", ["api_key"])
        assert waiting["message"] == "waiting for secret 'api_key'"
        assert run.service("page")["waiting_for"] == ["api"]
        status = bundlevisor("status", "--app-data", str(run.app_data)).stdout
        assert "waiting for secret 'api_key'" in status
        missing = wait_until(lambda: told(run, "secrets_missing"), what="the event")
        assert missing == [("api", {"secrets": ["api_key"]})]
        give(run, api_key="k-1234567")
        run.until_ready()
        assert environments(run, "api")[0]["API_KEY"] == "k-1234567"
        assert len(run.events("db", "started")) == 1
        updated = wait_until(lambda: told(run, "secrets_updated"), what="the event")
        assert updated == [("", {"ids": ["api_key"]})]


def told(run: Run, event: str) -> list[tuple[str, dict[str, object]]]:
    return [
        (line.get("service_id", ""), line["details"])
        for line in run.telemetry()
        if line["event"] == event
    ]


def test_only_the_services_that_list_a_secret_receive_it(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("session"), secret("token", required=False))
    made.service("api", "reports_environment", secrets=["session"])
    made.service("other", "reports_environment", secrets=["token"]).write()
    with running(made) as run:
        run.until_ready()
        value = environments(run, "api")[0]["SESSION"]
        (other,) = environments(run, "other")
        assert len(value) == 32
        assert value not in other.values()
        assert "TOKEN" not in other
        assert "BUNDLEVISOR" not in "".join(other)


def test_a_new_value_restarts_its_users_in_dependency_order_and_nobody_else(
    tmp_path: Path,
) -> None:
    made = with_secrets(tmp_path, generated("key"))
    made.service("db", "reports_environment", secrets=["key"])
    made.service("middle", deps=["db"])
    made.service("api", "reports_environment", deps=["db", "middle"], secrets=["key"]).write()
    with running(made) as run:
        run.until_ready()
        give(run, key="a-new-value")
        wait_until(lambda: len(environments(run, "api")) == 2, what="the second start of api")
        run.until_ready()
        assert environments(run, "db")[1]["KEY"] == "a-new-value"
        assert environments(run, "api")[1]["KEY"] == "a-new-value"
        assert len(run.events("middle", "started")) == 1
        run.await_told("service_start", "api", count=2)
        events = [(one["event"], one.get("service_id")) for one in run.telemetry()]
        turns = [("service_exit", id_) for id_ in ("api", "db")]
        turns += [("service_start", id_) for id_ in ("db", "api")]
        assert [one for one in events if one in turns][-4:] == turns


def test_the_same_value_again_restarts_nobody(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("key")).service("api", secrets=["key"]).write()
    with running(made) as run:
        give(run, key="the-value")
        run.until_ready()
        give(run, key="the-value")
        give(run, key="the-value")
        assert run.service("api")["ready"]
        assert len(run.events("api", "started")) == 1
        assert len(told(run, "secrets_updated")) <= 1


def test_a_service_that_failed_with_a_wrong_value_is_started_with_the_right_one(
    tmp_path: Path,
) -> None:
    source = "import os, time\nassert os.environ['KEY'] == 'right'\ntime.sleep(600)\n"
    made = with_secrets(tmp_path, secret("key")).script("bin/picky", source)
    made.service("api", "bin/picky", ports=(), secrets=["key"], restart={"policy": "never"})
    with running(made.write()) as run:
        give(run, key="wrong")
        wait_until(lambda: run.service("api")["state"] == "failed", what="the failure")
        give(run, key="right")
        wait_until(lambda: run.service("api")["ready"], what="readiness")


def test_a_new_value_does_not_wake_what_cannot_run_whatever_is_given(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("api_key"))
    made.service("api", secrets=["api_key"], env={"X": "${api.nowhere}"})
    made.service("page", deps=["api"]).service("other", secrets=["api_key"]).write()
    with running(made) as run:
        wait_until(lambda: run.service("api")["state"] == "failed", what="the failure")
        give(run, api_key="k-1234567")
        wait_until(lambda: run.service("other")["ready"], what="the other is ready")
        assert run.service("api")["state"] == "failed"
        assert run.service("page")["message"].startswith("blocked: api failed")


def test_generated_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    made = with_secrets(
        tmp_path,
        generated("session", generator={"type": "random", "length": 50, "charset": "hex"}),
        generated("install_id", generator={"type": "uuid"}),
    ).service("api", "reports_environment", secrets=["session", "install_id"])
    seen = []
    for _ in range(2):
        with running(made.write()) as run:
            run.until_ready()
            env = environments(run, "api")[-1]
            seen.append((env["SESSION"], env["INSTALL_ID"]))
            file = run.app_data / "secrets.json"
            if os.name == "posix":
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
            stored = json.loads(file.read_text())
            assert stored == {"secrets": {"session": seen[0][0], "install_id": seen[0][1]}}
            run.post("/shutdown")
            assert run.wait_gone() == 0
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 50
    assert set(seen[0][0]) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "old", [{"secrets": {"session": "of-old", "gone": "kept"}}, {"session": "of-old"}]
)
def test_secrets_of_older_installations_are_used(tmp_path: Path, old: dict[str, object]) -> None:
    made = with_secrets(tmp_path, generated("session"))
    made.service("api", "reports_environment", secrets=["session"]).write()
    made.app_data.mkdir()
    file = made.app_data / "secrets.json"
    file.write_text(json.dumps(old))
    file.chmod(0o644)
    with running(made) as run:
        run.until_ready()
        assert environments(run, "api")[0]["SESSION"] == "of-old"
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("kept", "why"),
    [("k\0-1234567", "holds a NUL character"), ("k" * 200_000, "is over 100000 bytes")],
)
def test_a_kept_value_that_no_variable_can_hold_is_told_by_its_secret(
    tmp_path: Path, kept: str, why: str
) -> None:
    made = with_secrets(tmp_path, secret("api_key")).service("api", secrets=["api_key"]).write()
    made.app_data.mkdir()
    (made.app_data / "secrets.json").write_text(json.dumps({"secrets": {"api_key": kept}}))
    with running(made) as run:
        wait_until(lambda: run.service("api")["state"] == "failed", what="the failure")
        assert f"the value of 'api_key' {why}, which no variable" in run.service("api")["message"]
        done = bundlevisor("exec", "api", "--app-data", str(run.app_data), "--", "true")
        assert (done.returncode, f"'api_key' {why}" in done.stderr) == (1, True)
        give(run, api_key="k-1234567")
        run.until_ready()


def test_a_torn_file_is_set_aside_and_reported(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("session")).service("api", secrets=["session"]).write()
    made.app_data.mkdir()
    (made.app_data / "secrets.json").write_text('{"secrets": {"session": "torn-val')
    with running(made) as run:
        run.until_ready()
        (aside,) = run.app_data.glob("secrets.json.corrupt-*")
        assert "torn-val" in aside.read_text()
        run.until_said("was set aside as")
        assert "torn-val" not in run.stderr
        ((_, details),) = wait_until(lambda: told(run, "state_set_aside"), what="the event")
        assert "was set aside as" in str(details["reason"])


def test_bad_posts_store_nothing_and_echo_nothing(tmp_path: Path) -> None:
    made = with_secrets(
        tmp_path,
        secret("api_key", format="^k-[0-9]+$"),
        secret("slow", format="^[ab]*a" + "[ab]{1000}" * 20 + "c$"),  # in another process
        secret("plain"),
    ).service("api", secrets=["api_key", "plain"])
    hidden = "zzHIDDENzz"
    with running(made.write()) as run:
        posts: list[dict[str, object]] = [
            {"plain": "good", "nobody": hidden},
            {"plain": "good", "api_key": [hidden]},
            {"plain": "good", "api_key": 7},
            {"plain": "good", "api_key": hidden},
            {"plain": "good", "api_key": "k-1\n"},
            {"plain": "good", "slow": "a" * 1000 + hidden},
            {"plain": "   "},
            {"plain": f"{hidden}\0"},
        ]
        for values in posts:
            reply = run.post("/secrets", {"secrets": values})
            refused = [one["id"] for one in reply.json()["validation_errors"]]
            assert reply.status == 400, values
            assert refused == [list(values)[-1]], values
            assert hidden not in reply.text
        assert not [one for one in run.get("/secrets").json()["secrets"] if one["has_value"]]
        assert not (run.app_data / "secrets.json").exists()
        assert not places_that_hold(run, hidden)
        assert run.service("api")["waiting_for"] == ["api_key", "plain"]


def test_values_that_cannot_be_stored_are_refused_with_the_reason(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("key")).service("api", secrets=["key"]).write()
    (made.app_data / "secrets.json").mkdir(parents=True)
    with running(made) as run:
        reply = run.post("/secrets", {"secrets": {"key": "zz-hidden"}})
        assert (reply.status, reply.json()["code"]) == (500, "not_stored")
        assert "zz-hidden" not in reply.text + run.stderr
        assert run.service("api")["waiting_for"] == ["key"]


def test_a_dry_run_takes_values_and_makes_none(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("key"), generated("session"))
    made.service("api", secrets=["key", "session"]).write()
    with running(made, "--dry-run") as run:
        give(run, key="value")
        shown = {one["id"]: one["has_value"] for one in run.get("/secrets").json()["secrets"]}
        assert shown == {"key": True, "session": False}
        stored = json.loads((run.app_data / "secrets.json").read_text())
        assert stored == {"secrets": {"key": "value"}}


def test_nothing_that_the_runtime_writes_or_says_holds_a_value(tmp_path: Path) -> None:
    """Logs, telemetry, errors, answers, state files, arguments; also of a service that crashes."""
    made = with_secrets(tmp_path, secret("api_key"), generated("session"))
    crash = (
        "import os, sys\nprint('dying with', os.environ['API_KEY'])\n"
        "sys.exit('bad key ' + os.environ['API_KEY'] + os.environ['SESSION'])\n"
    )
    made.script("bin/crash", crash)
    made.service(
        "crash",
        "bin/crash",
        ports=(),
        secrets=["api_key", "session"],
        restart={"policy": "on_failure", "intensity": 1, "backoff_ms": 10},
    )
    made.service("api", "prints_secret", secrets=["api_key", "session"]).write()
    with running(made) as run:
        give(run, api_key="k-90817263")
        wait_until(lambda: run.service("crash")["state"] == "failed", what="the crashes")
        wait_until(lambda: "unfinished" in run.log("api"), what="the output")
        run.await_told("gave_up", "crash")
        session = json.loads((run.app_data / "secrets.json").read_text())["secrets"]["session"]
        values = ("k-90817263", session)
        paths = (
            "/secrets",
            "/readyz",
            "/status",
            "/metrics",
            "/validate",
            "/healthz",
            "/ports",
            "/logs/tail?serviceId=api",
            "/logs/tail?serviceId=crash",
            "/openapi.json",
        )
        answers = "".join(run.get(path).text for path in paths)
        events = run.get("/events?limit=1000", headers={"Accept": "application/json"}).text
        listed = bundlevisor("secrets", "list", "--app-data", str(run.app_data)).stdout
        arguments = "".join(
            word for process in psutil.Process(run.pid).children(True) for word in process.cmdline()
        )
        for value in values:
            assert value not in answers + events + listed + arguments
        assert "[secret:api_key]" in events
        run.post("/shutdown")
        run.wait_gone()
        assert not places_that_hold(run, *values)
