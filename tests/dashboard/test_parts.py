"""The parts of the page that only compute, run by Node."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.control.dashboard.page_files import FOLDER
from tests.electron.npm import NODE, needs_node

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's modules where Node takes them for modules."""
    made = tmp_path_factory.mktemp("modules")
    for path in Path(FOLDER).glob("*.js"):
        (made / path.name).write_bytes(path.read_bytes())
    (made / "package.json").write_text('{"type": "module"}')
    return made


@pytest.fixture
def js(folder: Path) -> Any:
    def run(module: str, body: str, *arguments: Any) -> Any:
        """Return what the body returns; ``it`` is the module, ``a`` are the arguments."""
        code = (
            f"import * as it from './{module}.js'; const a = {json.dumps(arguments)};"
            f"console.log(JSON.stringify((() => {{ {body} }})()))"
        )
        done = subprocess.run(
            [NODE or "", "--input-type=module", "-e", code],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def services(**needs: list[str]) -> list[dict[str, Any]]:
    return [{"id": id_, "needs": wanted} for id_, wanted in needs.items()]


def layers(js: Any, **needs: list[str]) -> dict[str, tuple[int, int]]:
    places = js("graph", "return it.layout(a[0])", services(**needs))
    return {place["id"]: (place["layer"], place["row"]) for place in places}


def test_a_service_stands_right_of_all_that_it_needs(js: Any) -> None:
    found = layers(js, web=["api"], api=["store", "cache"], store=[], cache=["store"])
    assert {id_: layer for id_, (layer, _) in found.items()} == {
        "store": 0,
        "cache": 1,
        "api": 2,
        "web": 3,
    }


def test_lines_cross_as_little_as_may_be(js: Any) -> None:
    found = layers(js, a=[], b=[], c=[], of_c=["c"], of_b=["b"], of_a=["a"])
    rows = [found[id_][1] for id_ in ("a", "b", "c")]
    assert rows == [found[id_][1] for id_ in ("of_a", "of_b", "of_c")]


def test_what_no_graph_can_have_hangs_nothing(js: Any) -> None:
    assert set(layers(js, a=["b"], b=["a"], c=["gone", "c"])) == {"a", "b", "c"}
    assert layers(js) == {}


def test_what_stops_with_a_service_is_all_that_needs_it(js: Any) -> None:
    known = services(store=[], api=["store"], web=["api"], lone=[])
    assert sorted(js("graph", "return it.dependents(a[0], 'store')", known)) == ["api", "web"]
    assert js("graph", "return it.dependents(a[0], 'lone')", known) == []


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (
            {
                "waiting_ms": 5,
                "spawned_ms": 10,
                "output_ms": 20,
                "listening_ms": 30,
                "ready_ms": 40,
            },
            [("waiting", 5, 10), ("starting", 10, 20), ("speaking", 20, 30), ("listening", 30, 40)],
        ),
        ({"spawned_ms": 10, "ready_ms": 40}, [("waiting", 0, 10), ("starting", 10, 40)]),
        ({"waiting_ms": 5, "spawned_ms": 10}, [("waiting", 5, 10), ("starting", 10, 90)]),
        ({"waiting_ms": 5}, [("waiting", 5, 90)]),
        (
            {"spawned_ms": 10, "ready_ms": 40, "output_ms": 60},
            [("waiting", 0, 10), ("starting", 10, 40)],
        ),
    ],
)
def test_a_bar_has_the_pieces_that_were_noted(
    js: Any, span: dict[str, int], expected: list[Any]
) -> None:
    found = js("waterfall", "return it.pieces(a[0], 90)", span)
    assert [(piece["name"], piece["from"], piece["to"]) for piece in found] == expected


@pytest.mark.parametrize(("total", "step"), [(90, 20), (800, 100), (4000, 500), (0, 1)])
def test_the_axis_has_round_steps(js: Any, total: int, step: int) -> None:
    assert js("waterfall", "return it.step(a[0])", total) == step


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain ä 日本 👩‍👩‍👧", "plain ä 日本 👩‍👩‍👧"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2Jx\x07", "^[[2Jx^G"),
        ("a\u202eb\u2066c\ufeff", "a\\u202eb\\u2066c\\ufeff"),
        ("tab\tstays", "tab\tstays"),
        ("\x9b31m\x7f", "\\u009b31m^?"),
        ("x" * 9000, "x" * 8192 + " … 808 more characters"),
    ],
)
def test_a_line_is_readable(js: Any, line: str, shown: str) -> None:
    assert js("text", "return it.readable(a[0])", line) == shown


def test_a_moment_that_is_not_of_today_has_its_date(js: Any) -> None:
    shown = js("text", "return [new Date(), new Date(2026, 0, 2, 3, 4, 5, 6)].map(it.clock)")
    assert re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}", shown[0])
    assert shown[1] == "2026-01-02 03:04:05.006"


@pytest.mark.parametrize(
    ("text", "needle", "pieces"),
    [
        ("An error", "ERR", ["An ", "err", "or"]),
        ("aaa", "a", ["", "a", "", "a", "", "a", ""]),
        ("none", "x", ["none"]),
        ("any", "", ["any"]),
        ("İstanbul", "s", ["İstanbul"]),
        ("a.b", ".", ["a", ".", "b"]),
    ],
)
def test_what_is_looked_for_is_marked(js: Any, text: str, needle: str, pieces: list[str]) -> None:
    assert js("log_buffer", "return it.marked(a[0], a[1])", text, needle) == pieces


def test_logs_are_bounded_and_filtered(js: Any) -> None:
    body = """
        const kept = new it.LogBuffer();
        const line = (n) => ({service: n % 2 ? 'odd' : 'even', time: '', line: `line ${n}`});
        for (let n = 0; n < 30000; n += 100)
            kept.add(Array.from({length: 100}, (_, at) => line(n + at)));
        const size = kept.size;
        kept.want('LINE 2999', 'odd');
        return [size, kept.wanted().map(({text}) => text), kept.add([line(1), line(29995)]).length];
    """
    size, wanted, added = js("log_buffer", body)
    assert 10_000 <= size <= 11_000
    assert wanted == ["line 29991", "line 29993", "line 29995", "line 29997", "line 29999"]
    assert added == 1


def test_details_of_events_are_words(js: Any) -> None:
    details = {
        "pid": 7,
        "reason": "exit 1",
        "delay_ms": 841.8749999,
        "expected": False,
        "output": ["left", "out"],
        "ids": ["a", "b"],
        "agent": "<b>\x1b[2J",
    }
    assert js("text", "return it.words(a[0])", details) == (
        "exit 1; pid=7 delay_ms=841.87 expected=no ids=a, b agent=<b>^[[2J"
    )


def test_why_names_what_it_waits_for_once(js: Any) -> None:
    def why(**service: Any) -> Any:
        return js("text", "return it.why(a[0])", service)

    assert why(state="ready", message="ready") == ""
    assert why(state="waiting", message="waiting", waiting_for=["db"]) == "waiting for db"
    assert why(state="waiting", message="waiting for db", waiting_for=["db"]) == "waiting for db"
    assert why(state="failed", message="exit 1") == "exit 1"


def test_how_far_a_start_is_is_told(js: Any) -> None:
    told = {
        "done": 1,
        "total": 3,
        "remaining_s": 2.5,
        "slowest": "db",
        "last_line": "loading\x1b[2J",
        "working_on": [
            {"service": "db", "phase": "probing", "text": "opening"},
            {"service": "web", "phase": "dependencies", "text": "waits for db"},
        ],
    }
    assert js("headline", "return it.progressText(a[0])", told) == (
        "1 of 3 ready · about 2.5 s left · db: opening · db wrote: loading^[[2J"
    )


@pytest.mark.parametrize(
    ("state", "sensible"),
    [
        ("ready", ["stop", "restart"]),
        ("starting", ["stop", "restart"]),
        ("waiting", ["start", "stop", "restart"]),
        ("backoff", ["start", "stop", "restart"]),
        ("failed", ["start", "stop", "restart"]),
        ("stopped", ["start"]),
        ("inactive", ["start"]),
        ("stopping", []),
    ],
)
def test_buttons_that_do_nothing_now_say_so(js: Any, state: str, sensible: list[str]) -> None:
    body = "return ['start', 'stop', 'restart'].filter((one) => it.makesSense(one, a[0]))"
    assert js("services_view", body, {"state": state, "skipped": state == "inactive"}) == sensible
