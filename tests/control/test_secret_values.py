from __future__ import annotations

import pytest

from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api

HIDDEN = "k-very-hidden"


def test_nothing_is_missing_of_which_the_key_store_is_being_asked(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.pending = frozenset({"api_key", "session"})
    listed = {one["id"]: one for one in api.get("/secrets").json()["secrets"]}
    assert (listed["api_key"]["has_value"], listed["api_key"]["pending"]) == (False, True)
    assert "pending" not in listed["session"]


def test_secrets_are_listed_without_values(api: Api) -> None:
    reply = api.get("/secrets")
    assert reply.json() == {
        "secrets": [
            {
                "id": "api_key",
                "class": "user_prompt",
                "required": True,
                "has_value": False,
                "description": "the key",
                "format": "^k-[0-9]+$",
                "prompt": {"label": "Key"},
            },
            {
                "id": "session",
                "class": "per_install_generated",
                "required": False,
                "has_value": True,
            },
        ]
    }


def test_values_are_stored(api: Api, runtime: FakeRuntime) -> None:
    reply = api.post("/secrets", {"secrets": {"api_key": "k-1", "session": "s"}})
    assert (reply.status, reply.json()) == (200, {"status": "ok"})
    assert runtime.stored == {"api_key": "k-1", "session": "s"}


def test_every_refused_value_is_named_and_none_is_shown_or_stored(
    api: Api, runtime: FakeRuntime
) -> None:
    reply = api.post(
        "/secrets", {"secrets": {"api_key": [HIDDEN], "other": HIDDEN, "session": "x"}}
    )
    assert reply.refusal == (400, "secrets_refused")
    named = {problem["id"]: problem["message"] for problem in reply.json()["validation_errors"]}
    assert named == {
        "api_key": "must be a string",
        "other": "is not a secret of this bundle",
    }
    assert HIDDEN.encode() not in reply.body
    assert runtime.stored == {"session": "s"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        HIDDEN,
        '{"secrets": {"api_key": "' + HIDDEN,
        '"' + HIDDEN + '"',
        '["' + HIDDEN + '"]',
        '{"secrets": "' + HIDDEN + '"}',
        '{"secrets": ["' + HIDDEN + '"]}',
        '{"values": {"api_key": "' + HIDDEN + '"}}',
        "null",
        b'{"secrets": {"api_key": "\xff' + HIDDEN.encode() + b'"}}',
        '{"secrets": {"a": ' + "[" * 100_000,
    ],
)
def test_a_body_that_is_not_as_expected_is_400_and_never_echoed(
    api: Api, runtime: FakeRuntime, body: str | bytes
) -> None:
    reply = api.ask("POST", "/secrets", body, Content_Type="application/json")
    assert reply.refusal == (400, "bad_request")
    assert HIDDEN.encode() not in reply.body
    assert runtime.stored == {"session": "s"}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_the_body_is_json_by_its_media_type(api: Api, content_type: str, status: int) -> None:
    body = '{"secrets": {"session": "x"}}'
    reply = api.ask("POST", "/secrets", body, Content_Type=content_type)
    assert reply.status == status
    assert status == 200 or reply.refusal == (415, "unsupported_media_type")


def test_a_supervisor_that_does_not_answer_is_503(api: Api, runtime: FakeRuntime) -> None:
    def late(values: dict[str, object], timeout_s: float) -> tuple[()]:
        raise TimeoutError

    runtime.set_secrets = late  # type: ignore[method-assign]
    assert api.post("/secrets", {"secrets": {"session": "x"}}).refusal == (503, "no_answer")
