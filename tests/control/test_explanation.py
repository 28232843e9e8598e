"""Why a service is in its state: the way to the root causes, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from bundlevisor.control.cli.explain_command import text_of
from bundlevisor.control.cli.explanation import TOLD, explain, way
from bundlevisor.control.cli.screen.colours import uncoloured

DETAILS: dict[str, dict[str, Any]] = {
    "web": {"state": "waiting", "ready": False, "message": "waits for api", "waiting_for": ["api"]},
    "api": {"state": "waiting", "ready": False, "waiting_for": ["db", "mail", "api_key"]},
    "db": {"state": "failed", "ready": False, "message": "gave up: exit 3", "output": ["boom"]},
    "mail": {"state": "starting", "ready": False, "message": "nothing listens on port 1"},
    "cache": {"state": "ready", "ready": True},
}
EVENTS = [
    {"seq": 1, "event": "port_assigned", "service_id": "db"},
    {"seq": 2, "event": "service_exit", "service_id": "db", "details": {"error": "exit 3"}},
    {"seq": 3, "event": "gave_up", "service_id": "db"},
    {"seq": 4, "event": "service_exit", "service_id": "cache"},
    {"seq": 5, "event": "runtime_stop"},
]


def test_the_way_goes_through_everything_that_is_waited_for_to_the_root_causes() -> None:
    found = explain("web", DETAILS, EVENTS, dict.fromkeys(DETAILS, ("loading",)))
    assert [link.id for link in found.links] == ["web", "api", "db", "mail"]
    assert found.roots == ("db", "mail")
    web, api, db, mail = found.links
    assert (web.state, web.message) == ("waiting", "waits for api")
    assert (db.state, db.message) == ("failed", "gave up: exit 3")
    assert (api.message, api.events, web.output) == ("", (), ())
    assert (api.needs, api.secrets) == (("db", "mail"), ("api_key",))
    assert [event["event"] for event in db.events] == ["service_exit", "gave_up"]
    assert db.output == ("boom",)
    assert mail.output == ("loading",)


def test_advice_names_a_command_and_only_where_something_has_to_be_done() -> None:
    found = {link.id: link.advice for link in explain("web", DETAILS, (), {}).links}
    assert "bundlevisor start db" in found["db"]
    assert "bundlevisor logs db" in found["db"], "it has said something"
    assert (found["web"], found["api"]) == ("", "")
    assert explain("cache", DETAILS, (), {}).links[0].advice == ""
    ending = {"a": {"state": "stopping", "ready": False}}
    assert explain("a", ending, (), {}).links[0].advice == ""
    secret = {"a": {"state": "waiting", "ready": False, "waiting_for": ["key", "pin"]}}
    assert explain("a", secret, (), {}).links[0].advice == (
        "give it its secret: bundlevisor secrets set key; "
        "give it its secret: bundlevisor secrets set pin"
    )
    secret["a"]["message"] = "waiting for secret 'key': /data/secrets.json: No space left on device"
    assert explain("a", secret, (), {}).links[0].advice == "", "nobody has to give it"


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        ({"state": "failed", "output": {"lines": ["boom"]}}, ("boom",)),
        ({"state": "failed", "output": {"lines": []}}, ("last",)),
        ({"state": "failed", "output": ["boom"]}, ("boom",)),
        ({"state": "failed"}, ("last",)),
        ({"state": "ready", "ready": True}, ()),
        ({"state": "waiting", "waiting_for": ["key"]}, ()),
        ({"state": "inactive"}, ()),
    ],
)
def test_the_lines_are_those_of_the_failure_or_the_last_of_what_is_not_ready(
    one: dict[str, Any], lines: tuple[str, ...]
) -> None:
    details = {"a": {"ready": False} | one}
    assert explain("a", details, (), {"a": ("last",)}).links[0].output == lines
    without = () if lines == ("last",) else lines
    assert explain("a", details, (), {}).links[0].output == without


def test_services_that_wait_for_each_other_are_told_once() -> None:
    ring = {
        "a": {"state": "waiting", "ready": False, "waiting_for": ["b"]},
        "b": {"state": "waiting", "ready": False, "waiting_for": ["a"]},
    }
    assert way("a", ring) == ["a", "b"]


def test_only_the_newest_events_are_told() -> None:
    many = [{"seq": n, "event": "restart", "service_id": "db"} for n in range(50)]
    (link,) = explain("db", DETAILS, many, {}).links
    assert [event["seq"] for event in link.events] == list(range(50 - TOLD, 50))


def test_what_happened_before_this_start_explains_nothing() -> None:
    failed = {"a": {"state": "failed", "ready": False}}
    events = [
        {"event": "service_exit", "service_id": "a"},
        {"event": "gave_up", "service_id": "a"},
        {"event": "runtime_start"},
        {"event": "service_start_failed", "service_id": "a"},
    ]
    found = explain("a", failed, events, {}).links[0]
    assert [event["event"] for event in found.events] == ["service_start_failed"]
    assert "bundlevisor validate" in found.advice


def test_nothing_of_a_service_can_steer_the_terminal() -> None:
    evil = {"db": {"state": "failed", "ready": False, "message": "\x1b[2J", "output": ["\x1b]0;x"]}}
    assert "\x1b" not in text_of(explain("db", evil, (), {}), uncoloured)


def test_an_unknown_service_is_an_error() -> None:
    with pytest.raises(KeyError):
        explain("nope", DETAILS, (), {})


@pytest.mark.parametrize("state", ["failed", "backoff"])
def test_what_could_not_be_started_has_said_nothing_that_could_be_read(state: str) -> None:
    one = {"db": {"state": state, "ready": False}}
    events = [
        {"seq": 1, "event": "service_exit", "service_id": "db"},
        {"seq": 2, "event": "service_start_failed", "service_id": "db"},
        {"seq": 3, "event": "restart", "service_id": "db"},
    ]
    of_an_earlier_start = {"db": ("all is well",)}
    found = explain("db", one, events, of_an_earlier_start).links[0]
    assert "bundlevisor validate" in found.advice
    assert "bundlevisor start db" in found.advice
    assert found.output == ()
    assert "bundlevisor logs db" in explain("db", one, events[:1], {}).links[0].advice


def test_what_lacks_a_gpu_is_not_sent_to_what_knows_nothing_of_it() -> None:
    one = {"db": {"state": "failed", "ready": False}}
    events = [
        {"seq": 1, "event": "gpu_required_missing", "service_id": "db"},
        {"seq": 2, "event": "gave_up", "service_id": "db"},
    ]
    advice = explain("db", one, events, {}).links[0].advice
    assert "start it again where there is one" in advice
    assert "validate" not in advice


def test_a_migration_that_failed_has_said_why() -> None:
    one = {"db": {"state": "failed", "ready": False}}
    events = [
        {"seq": 1, "event": "migration_failed", "service_id": "db"},
        {"seq": 2, "event": "migration_rolled_back", "service_id": "db"},
        {"seq": 3, "event": "service_start_failed", "service_id": "db"},
    ]
    found = explain("db", one, events, {"db": ("no luck",)}).links[0]
    assert "bundlevisor logs db" in found.advice
    assert found.output == ("no luck",)


@pytest.mark.parametrize("state", ["failed", "backoff"])
@pytest.mark.parametrize(
    ("end", "told"),
    [
        ({"exit_code": -9, "by": "itself"}, True),
        ({"exit_code": -9, "by": "unhealthy"}, False),
        ({"exit_code": -11, "by": "itself"}, False),
    ],
)
def test_who_was_killed_from_outside_is_not_asked_why(
    state: str, end: dict[str, object], told: bool
) -> None:
    ends: tuple[dict[str, object], ...] = ({"exit_code": -9, "by": "itself"}, end)
    events = [{"event": "service_exit", "service_id": "db", "details": one} for one in ends]
    events.append({"event": "restart", "service_id": "db", "details": {}})
    one = {"db": {"state": state, "ready": False}}
    advice = explain("db", one, events, {}).links[0].advice
    assert ("memory" in advice, "codesign" in advice) == (told, told)
