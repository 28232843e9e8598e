"""The page of results, and what other supervisors are told."""

from __future__ import annotations

import configparser
import json
import os
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bundlevisor.perf import bundles, page
from bundlevisor.perf.__main__ import main
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.questions.peer_configs import PEERS, Job
from bundlevisor.perf.questions.peers import OnBundle
from bundlevisor.perf.results import Measure, Result, keep

JOBS = [
    Job("db", ["/a b/service", "--id", "db", "--port", "4001"]),
    Job("api", ["/a b/service", "--id", "api", "--port", "4002"], needs=("db",)),
]


class Reader(HTMLParser):
    """Counts elements, and keeps the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def result(label: str, values: list[float]) -> Result:
    return Result(
        question="startup",
        bundle="chain3",
        measures={"ready": Measure(title="every service ready")},
        contenders={"ours <script>": {"ready": values}},
        floor=[10.0] * 6,
        label=label,
    )


def test_a_page_has_every_value_of_before_and_after_and_the_verdict() -> None:
    before, after = [100.0 + i for i in range(8)], [50.0 + i for i in range(9)]
    read = Reader(page.render([result("before", before), result("after & done", after)]))
    assert read.seen.count("circle") == len(before) + len(after)
    assert "faster" in read.text
    assert "after & done" in read.text
    assert "F = 10.0 ms" in read.text


def test_a_page_needs_nothing_beside_it_and_runs_nothing() -> None:
    read = Reader(page.render([result("<img src=x>", [1.0, 2.0])]))
    assert read.links == []
    assert {"script", "img", "link"}.isdisjoint(read.seen)
    assert "<img src=x>" in read.text


def test_many_values_are_thinned_out_and_the_numbers_are_of_all() -> None:
    read = Reader(page.render([result("", [float(i) for i in range(1, 10_002)])]))
    assert read.seen.count("circle") <= page.DOTS
    assert "10001" in read.text


def test_answers_to_different_questions_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = result("a", [1.0]), result("b", [1.0])
    other.question = "idle"
    keep(one, str(tmp_path / "a.json"))
    keep(other, str(tmp_path / "b.json"))
    with pytest.raises(SystemExit) as end:
        main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert end.value.code == 2
    assert "different questions: idle, startup" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="the peers run on POSIX")
def test_each_peer_is_told_of_every_service_in_its_own_words(tmp_path: Path) -> None:
    commands = {name: peer.prepare(JOBS, str(tmp_path)) for name, peer in PEERS.items()}
    assert all(
        commands[name] and PEERS[name].program in command for name, command in commands.items()
    )
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(tmp_path / "supervisord.conf")
    assert shlex.split(ini["program:api"]["command"]) == JOBS[1].argv
    compose = json.loads((tmp_path / "process-compose.yaml").read_text())["processes"]
    assert compose["api"]["depends_on"] == {"db": {"condition": "process_healthy"}}
    assert compose["db"]["readiness_probe"]["http_get"]["port"] == "4001"
    apps = json.loads((tmp_path / "ecosystem.config.json").read_text())["apps"]
    assert [app["script"] for app in apps] == ["/a b/service", "/a b/service"]
    assert os.access(tmp_path / "scan" / "db" / "run", os.X_OK)


def test_no_two_services_of_a_peer_have_one_port(tmp_path: Path) -> None:
    services = bundles.shape("independent1000")
    bundle = Bundle("", 0, "", {}, services=tuple(services), binary="/service")
    contender = OnBundle(PEERS["sh"])
    contender.argv(bundle, str(tmp_path))
    assert len(set(contender.ports)) == 1000
