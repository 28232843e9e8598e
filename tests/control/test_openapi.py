"""The description says what is done: no looser, no stricter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.wire import Api


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").json()


def nodes(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from nodes(value)


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_says_where_this_instance_listens(api: Api, document: Any) -> None:
    status = api.get("/status").json()
    url = f"http://{status['ipc_host']}:{status['ipc_port']}"
    assert document["servers"] == [{"url": url}]


def test_a_type_stands_beside_every_enum(document: Any) -> None:
    enums = [node for node in nodes(document) if "enum" in node]
    assert enums
    assert [node for node in enums if "type" not in node] == []


def bounds(schema: Any) -> list[int]:
    return [schema[word] for word in ("minimum", "maximum") if word in schema]


def test_every_number_has_the_bounds_that_it_is_held_to(api: Api, document: Any) -> None:
    """Beyond a bound there is a refusal; where none is told, a far number is taken."""
    asked = 0
    for path, method, operation in operations(document):
        for one in operation["parameters"]:
            kinds = [one["schema"], *one["schema"].get("oneOf", ())]
            numbers = [kind for kind in kinds if kind.get("type") in ("integer", "number")]
            for number in numbers:
                base = path.format(service_id="db")
                base += "?serviceId=db&" * (operation["parameters"][0]["name"] == "serviceId")
                base += "" if base.endswith("&") else "?"
                low, high = number.get("minimum"), number.get("maximum")
                below = -1 if low is None else low - 1
                word = {"get": "HEAD"}.get(method, "POST")  # a stream would have no end
                status = api.ask(word, f"{base}{one['name']}={below}").status
                assert (status == 400) is (low is not None), (path, one)
                if high is not None:
                    reply = api.ask(word, f"{base}{one['name']}={high + 1}")
                    assert reply.status == 400, (path, one)
                asked += 1
    assert asked >= 8


def test_every_refusal_of_a_body_has_the_shape_that_is_described(api: Api, document: Any) -> None:
    described = document["paths"]["/secrets"]["post"]["responses"]["400"]["content"]
    name = described["application/json"]["schema"]["$ref"].rpartition("/")[2]
    shape = document["components"]["schemas"][name]
    for body in ("{}", "[]", "", '{"secrets": 5}', '{"secrets": {"nobody": "x"}}'):
        reply = api.ask("POST", "/secrets", body, Content_Type="application/json")
        assert reply.status == 400
        assert set(shape["required"]) <= reply.json().keys() <= shape["properties"].keys()


def test_the_secrets_of_the_bundle_are_all_that_can_be_given(document: Any) -> None:
    values = document["components"]["schemas"]["SecretValues"]["properties"]["secrets"]
    assert values["additionalProperties"] is False
    assert list(values["properties"]) == ["api_key", "session"]
    assert values["properties"]["api_key"]["allOf"] == [{"pattern": "^k-[0-9]+$"}]


QUERIES = ("?wiat=1", "?wait=x", "?serviceId=db", "?strict=maybe", "")


def test_no_answer_has_a_status_that_is_not_described(api: Api, document: Any) -> None:
    for path, method, operation in operations(document):
        if path in ("/logs/follow", "/shutdown"):  # the one has no end, the other is the end
            continue
        for query in QUERIES:
            place = path.format(service_id="db") + query
            status = api.ask(method.upper(), place).status
            assert str(status) in operation["responses"], (method, place, status)


def test_every_answer_has_the_media_type_that_is_described(api: Api, document: Any) -> None:
    told = set()
    for path, method, operation in operations(document):
        if method != "get" or path == "/shutdown":
            continue
        needed = [f"{one['name']}=db" for one in operation["parameters"] if one["required"]]
        for kind in operation["responses"]["200"]["content"]:
            reply = api.ask("HEAD", f"{path}?{'&'.join(needed)}", Accept=kind)
            assert reply.headers["Content-Type"] == kind, path
            told.add(kind)
    assert {"text/event-stream", "image/svg+xml"} < told


@pytest.mark.ends_the_runtime
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_answer_to_shutdown_has_a_status_that_is_not_described(
    api: Api, document: Any, method: str
) -> None:
    described = document["paths"]["/shutdown"][method]["responses"]
    statuses = (api.ask(method.upper(), f"/shutdown{query}").status for query in QUERIES)
    told = [*itertools.takewhile(lambda status: status != 202, statuses), 202]
    assert {str(status) for status in told} <= described.keys()
