"""What is found stays bounded, in number, in length and in work, whatever a bundle holds."""

from __future__ import annotations

import cProfile
import json
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import HINTED, SHOWN, Finding, Findings, TooMany, joined
from bundlevisor.manifest.format.suggest import NAMED, quoted
from bundlevisor.manifest.plan.ports import PortDemand, choose
from bundlevisor.manifest.read.load import parse
from tests.manifest.conftest import document


def findings(count: int, start: int = 0) -> Findings:
    return Findings(
        service_errors=tuple(
            Finding("asset_missing", f"services[{number}]", f"asset {number}", "one")
            for number in range(start, start + count)
        )
    )


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (Finding("x", "a.b", "a.b is missing"), "a.b is missing"),
        (Finding("x", "a.b", "a.bc is missing"), "a.b: a.bc is missing"),
        (Finding("x", "a.b", "no such file"), "a.b: no such file"),
        (Finding("x", "", "no such file"), "bundle.json: no such file"),
        (Finding("x", "a", "a is missing", file="dev.json"), "dev.json: a is missing"),
        (Finding("x", "", "no such file", file="dev.json"), "dev.json: no such file"),
        (Finding("x", "", "no file 'bundle.json'"), "no file 'bundle.json'"),
        (Finding("x", "", "no file 'dev.json'", file="dev.json"), "no file 'dev.json'"),
    ],
)
def test_a_place_is_told_once(finding: Finding, told: str) -> None:
    assert finding.told("bundle.json") == told


def test_findings_that_are_joined_are_bounded_and_counted() -> None:
    for whole in (
        findings(50_000),
        findings(30_000) + findings(20_000, 30_000),
        joined(findings(500, start) for start in range(0, 50_000, 500)),
    ):
        found = (whole + Findings()).service_errors
        assert len(found) == SHOWN + 1
        assert found[0].path == "services[0]"
        assert isinstance(found[-1], TooMany)
        assert found[-1].dropped == 50_000 - SHOWN
        assert "49000 more service errors are not shown" in found[-1].message


def test_counts_of_what_is_not_shown_add_up() -> None:
    total = Findings()
    for start in range(0, 5000, 100):
        total += findings(100, start)
    last = total.service_errors[-1]
    assert isinstance(last, TooMany)
    assert last.dropped == 5000 - SHOWN


def test_a_sentence_lists_a_few_words_only() -> None:
    assert quoted(str(number) for number in range(60_000)).endswith(f" and {60_000 - NAMED} more")


class Asked:
    """Counts what is asked of it: ports that are free, all of them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, port: int) -> bool:
        self.count += 1
        return True


@pytest.mark.parametrize(
    ("name", "ends", "unmet"),
    [
        ("one range of all", lambda n: (1, 65_535), 0),
        ("one range of few", lambda n: (47_000, 48_000), 60_000 - 1001),
        ("each its own end", lambda n: (n + 1, 60_000), 0),
        ("each within the next", lambda n: (30_001 - n // 2, 30_000 + n // 2 + n % 2), 1),
    ],
)
def test_sixty_thousand_ports_take_work_in_proportion(
    name: str, ends: Callable[[int], tuple[int, int]], unmet: int
) -> None:
    demands = [PortDemand("a", f"p{n}", *ends(n)) for n in range(60_000)]
    asked, profile = Asked(), cProfile.Profile(builtins=False)
    plan = profile.runcall(choose, demands, is_free=asked)
    steps = sum(entry.callcount for entry in profile.getstats())
    assert len(plan.unmet) == unmet, name
    assert asked.count <= 65_535
    assert steps < 60 * 60_000


def test_a_service_with_very_many_ports_is_checked_by_looking_once_at_each(
    found: Callable[..., Any],
) -> None:
    requests = [{"name": f"p{number}"} for number in range(20_000)]
    env = {f"V{number}": f"${{one.p{number}}}" for number in range(20_000)}
    health = {"type": "http", "port_name": "nope"}
    service = {"id": "one", "ports": {"requested": requests}, "env": env, "health": health}
    (error,) = [one for one in found(service) if one[0] == "error"]
    assert error == ("error", "unknown_port", "services[0].health.port_name")


@pytest.mark.parametrize(
    ("service", "top", "path"),
    [
        ({"ports": {"requested": [{"name": "a\nb"}]}}, {}, "services[0].ports.requested[0].name"),
        ({"env": {"A\nB": "x"}}, {}, 'services[0].env["A\\nB"]'),
        ({"migrations": [{"version": "1\r", "command": ["x"]}]}, {},
         "services[0].migrations[0].version"),
        ({"log_dir": "a\nb.log"}, {}, "services[0].log_dir"),
        ({"data_dirs": ["a\x1bb"]}, {}, "services[0].data_dirs[0]"),
        ({}, {"app": {"name": "a\nb", "version": "1"}}, "app.name"),
        ({}, {"telemetry": {"file": "a\nb"}}, "telemetry.file"),
        ({}, {"secrets": [{"id": "a\nb", "class": "user_prompt", "target": {"type": "env"}}]},
         "secrets[0].id"),
    ],
)  # fmt: skip
def test_a_name_with_a_line_end_is_warned_of(
    found: Callable[..., Any], service: Any, top: Any, path: str
) -> None:
    assert ("warning", "control_character", path) in found({"id": "one", **service}, **top)


def test_a_sentence_is_one_line_whatever_it_quotes(
    bundle: Callable[..., Any], read_document: Callable[..., Any]
) -> None:
    document = bundle({"id": "one", "dependencies": ["a\nb\x1b[31m"], "x\ny": 1})
    findings_ = read_document(document).findings
    for one in (*findings_.errors, *findings_.warnings):
        assert one.message.isprintable()
        assert one.path.isprintable()


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        ({"length": 0}, [("warning", "zero_is_default", "secrets[0].generator.length")]),
        ({"charset": "x"}, [("warning", "generator_weak", "secrets[0].generator")]),
        (
            {"charset": "xx", "length": 4096},
            [("warning", "generator_weak", "secrets[0].generator")],
        ),
        (
            {"charset": "digits", "length": 6},
            [("warning", "generator_weak", "secrets[0].generator")],
        ),
        ({"charset": "digits", "length": 10}, []),
        ({"type": "uuid", "charset": "x"}, []),
        ({}, []),
    ],
)
def test_generators_that_make_no_secret(
    found: Callable[..., Any], generator: Any, expected: Any
) -> None:
    secret = {"id": "k", "class": "per_install_generated", "generator": generator}
    assert found(secrets=[{**secret, "target": {"type": "env"}}]) == expected


@pytest.mark.parametrize(
    ("value", "platform", "too_long"),
    [
        ("x" * 131_069, "linux-x64", False),
        ("x" * 131_070, "linux-x64", True),
        ("é" * 65_535, "linux-x64", True),
        ("x" * 32_764, "win-x64", False),
        ("x" * 32_765, "win-x64", True),
        ("é" * 32_764, "win-x64", False),
        ("\N{GRINNING FACE}" * 16_382, "win-x64", False),
        ("\N{GRINNING FACE}" * 16_383, "win-x64", True),
    ],
)
def test_a_value_that_no_program_can_be_given(
    found: Callable[..., Any], value: str, platform: str, too_long: bool
) -> None:
    binaries = {"universal": {"path": "x", "args": [value[:-2]]}}
    service = {"id": "one", "env": {"V": value}, "binaries": binaries}
    codes = [one for one in found(service, platform=platform) if one[1] == "value_too_long"]
    assert codes == [("service", "value_too_long", "services[0].env.V")] * too_long


@pytest.mark.parametrize(
    ("platform", "length", "told_of"),
    [
        ("win-x64", 32_765, "32768 characters long, and no program can be started with more than"),
        ("linux-x64", 131_070, "131073 bytes long, and no program can be started with more than"),
    ],
)
def test_what_is_told_of_a_value_that_is_too_long(platform: str, length: int, told_of: str) -> None:
    service = {"id": "one", "binaries": {platform: {"path": "x", "env": {"V": "x" * length}}}}
    (told,) = parse(json.dumps(document(service)).encode(), platform).findings.service_errors
    path = f"binaries.{platform}.env.V"
    told_at = (told.code, told.path, told.service)
    assert told_at == ("value_too_long", f"services[0].{path}", "one")
    assert told.message == (f"service 'one': {path} is {told_of} {length + 2}; put it into a file.")


@pytest.mark.parametrize("field", ["secrets", "dependencies"])
def test_near_matches_are_looked_for_until_much_is_found(field: str) -> None:
    """For each list by itself: a search among very many names costs time, and helps nobody."""
    secret = {"id": "key", "class": "user_prompt", "target": {"type": "env"}}
    one = {"id": "one", field: [f"key{number:03}" for number in range(HINTED + 1)]}
    source = json.dumps(document(one, {"id": "key"}, secrets=[secret])).encode()
    errors = parse(source, "linux-x64").findings.errors
    hints = [told.message for told in errors if "did you mean 'key'" in told.message]
    assert len(hints) == HINTED
    assert errors[-1].message in (
        f"service 'one': there is no secret 'key{HINTED:03}'.",
        f"service 'one': there is no service 'key{HINTED:03}' to depend on.",
    )


def test_ports_that_may_be_meant_are_looked_for_until_much_is_found() -> None:
    api = {"id": "api", "ports": {"requested": [{"name": "http"}]}}
    one = {"id": "one", "env": {f"V{n:03}": "${apii.http}" for n in range(HINTED + 1)}}
    found = parse(json.dumps(document(api, one)).encode(), "linux-x64").findings.service_errors
    hints = [told.message for told in found if "did you mean '${api.http}'" in told.message]
    assert len(hints) == HINTED
    assert found[-1].message.endswith("${apii.http} names no port; no service has such a port.")


def test_a_value_with_nul_is_an_error(found: Callable[..., Any]) -> None:
    for service in ({"env": {"V": "a\0b"}}, {"env": {"V\0": "a"}}):
        assert [one[:2] for one in found({"id": "one", **service})] == [("error", "nul_character")]
