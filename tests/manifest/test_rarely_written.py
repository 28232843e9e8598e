"""What bundles hardly ever hold, and what their readers hardly ever ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format import fields, reserved_paths
from bundlevisor.manifest.format.findings import (
    HINTED,
    SHOWN,
    Finding,
    Findings,
    Report,
    TooMany,
    escaped,
    joined,
)
from bundlevisor.manifest.format.json_schema import default_of
from bundlevisor.manifest.format.paths import crosses_link, ignored_home
from bundlevisor.manifest.format.probe import INTERVAL, WIDEST_INTERVAL, Health
from bundlevisor.manifest.format.schema import Binary, Service
from bundlevisor.manifest.format.suggest import quoted
from bundlevisor.manifest.plan.claims import Claim
from bundlevisor.manifest.plan.template_uses import ports_named
from bundlevisor.manifest.read.duplicates import report_repeated_keys
from bundlevisor.manifest.read.load import Loaded

posix = pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")
Read = Callable[..., Loaded]
Make = Callable[..., dict[str, Any]]


def codes(loaded: Loaded) -> list[tuple[str, str]]:
    found = loaded.findings
    return [(one.code, one.path) for one in (*found.errors, *found.service_errors, *found.warnings)]


def test_more_circles_than_are_shown(bundle: Make, read_document: Read) -> None:
    pairs = [(f"a{number}", f"b{number}") for number in range(25)]
    services = [
        {"id": id_, "dependencies": [other]} for a, b in pairs for id_, other in ((a, b), (b, a))
    ]
    found = read_document(bundle(*services)).findings.errors
    assert [one.code for one in found] == ["dependency_cycle"] * 20


def test_what_a_binary_gives_to_its_program_has_a_longest_length(
    bundle: Make, read_document: Read
) -> None:
    long = "x" * 200_000
    binary = {"path": "bin/x", "env": {"LONG": long, "SHORT": "x"}, "args": ["short", long]}
    elsewhere = {"path": "bin/x", "env": {"LONG": long}}
    document = bundle({"id": "one", "binaries": {"linux-x64": binary, "darwin-x64": elsewhere}})
    at = "services[0].binaries.linux-x64"
    paths = sorted(path for _, path in codes(read_document(document)))
    assert paths == [f"{at}.args[1]", f"{at}.env.LONG"]


def test_fields_without_a_description() -> None:
    assert fields.meaning("Service", "id")
    assert fields.meaning("Service", "nothing") == fields.meaning("Nobody", "id") == ""
    assert fields.example("Nobody", "id") is None
    with pytest.raises(KeyError, match="nothing"):
        default_of(Service, "nothing")
    assert default_of(Service, "dependencies") == []


def test_reports_are_bounded_by_severity() -> None:
    report = Report()
    for number in range(SHOWN + 2):
        report.warning("x", "", f"warning {number}")
        report.service_error("y", "", f"error {number}", "one")
        report.error("z", "", f"error {number}")
    found = report.findings()
    for part, name in (
        (found.warnings, "warnings"),
        (found.service_errors, "service errors"),
        (found.errors, "errors"),
    ):
        assert len(part) == SHOWN + 1
        said = f"2 more {name} are not shown; mend these first."
        assert part[-1] == TooMany("too_many_findings", "", said, dropped=2)
    twice = found + found
    for part, name in (
        (twice.warnings, "warnings"),
        (twice.service_errors, "service errors"),
        (twice.errors, "errors"),
    ):
        said = f"{SHOWN + 4} more {name} are not shown; mend these first."
        assert part[SHOWN:] == (TooMany("too_many_findings", "", said, dropped=SHOWN + 4),)


def test_findings_stand_in_the_order_of_their_paths() -> None:
    paths = ["", "a", "a[2]", "a[10]", "a[2].b", "a.b", 'b["c d"]', f'b["x.{"9" * 5000}.5"]']
    several = [Findings(warnings=(Finding("x", path, ""),)) for path in reversed(paths)]
    assert [one.path for one in joined(several).warnings] == [
        "", "a", "a[2]", "a[2].b", "a[10]", "a.b", 'b["c d"]', f'b["x.{"9" * 5000}.5"]',
    ]  # fmt: skip


def test_a_finding_of_the_file_as_a_whole_is_its_sentence_alone() -> None:
    assert Finding("x", "", "no such file").told() == "no such file"


def test_what_cannot_be_printed_is_written_as_python_does_and_bytes_of_a_path_stay() -> None:
    assert escaped("é\x1b\n") == "é\\x1b\\n"
    assert escaped("\ud800é\udc80\udfff\n") == "\ud800é\udc80\udfff\\n"


@posix
def test_links_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert not crosses_link(str(tmp_path), ["a", "b"])
    assert not crosses_link(str(tmp_path), ["a", "missing", "c"])
    assert crosses_link(str(tmp_path), ["link", "b"])


@pytest.mark.parametrize(
    ("system", "configured", "ignored"),
    [
        ("linux", None, False),
        ("linux", "", False),
        ("linux", "/home/x/.config", False),
        ("linux", "relative", True),
        ("darwin", "relative", False),
        ("win32", "relative", False),
    ],
)
def test_a_home_that_is_no_absolute_path_is_ignored_aloud(
    system: str, configured: str | None, ignored: bool
) -> None:
    environ = {"HOME": "/home/x"}
    environ |= {} if configured is None else {"XDG_CONFIG_HOME": configured}
    used = os.path.join("/home/x", ".config")
    said = f"XDG_CONFIG_HOME is no absolute path (relative); it is ignored, {used} is used"
    assert ignored_home(environ, system) == (said if ignored else "")


@pytest.mark.parametrize(
    ("system", "home", "ignored"),
    [
        ("linux", "", False),
        ("linux", "/home/x", False),
        ("linux", "near", True),
        ("darwin", "near", True),
        ("win32", "near", False),
    ],
)
def test_a_home_of_the_user_that_is_not_absolute_is_ignored_aloud(
    system: str, home: str, ignored: bool
) -> None:
    said = ignored_home({"HOME": home}, system)
    assert bool(said) is ignored
    _, _, used = said.partition("HOME is no absolute path (near); it is ignored, ")
    assert os.path.isabs(used) is ignored
    assert ignored_home({"HOME": home, "XDG_CONFIG_HOME": "/cfg"}, "linux") == ""


@pytest.mark.parametrize(
    ("folder", "ours"),
    [
        ("runtime", True),
        ("runtime/x", False),
        (".", True),
        ("db", False),
        ("../out", False),
        ("telemetry", True),
        ("telemetry/x", False),
    ],
)
def test_data_folders_in_which_the_runtime_has_files(
    manifest_of: Any, folder: str, ours: bool
) -> None:
    manifest = manifest_of({"id": "one"}, telemetry={"file": "telemetry/events.jsonl"})
    assert reserved_paths.holds_own(folder, manifest) is ours


def test_the_pause_between_checks() -> None:
    assert (Health(type="tcp").interval, Health(type="tcp").widest_interval) == (
        INTERVAL,
        WIDEST_INTERVAL,
    )
    chosen = Health(type="tcp", interval_ms=2500)
    assert (chosen.interval, chosen.widest_interval) == (2.5, 2.5)


def test_a_service_that_the_bundle_has_not(manifest_of: Any) -> None:
    manifest = manifest_of({"id": "one"})
    assert manifest.service("one").id == "one"
    with pytest.raises(KeyError, match="two"):
        manifest.service("two")


def test_a_claim_to_another_path() -> None:
    claim = Claim("the log of api", "a/b", service="api")
    assert claim.at("c") == Claim("the log of api", "c", service="api")


def test_references_of_the_other_platforms_binaries_are_not_named() -> None:
    one = Service(
        id="one",
        binaries={
            "linux-x64": Binary(path="bin/x", args=["${web.http}"]),
            "darwin-x64": Binary(path="bin/x", args=["${two.a}"]),
        },
    )
    ports = {"web": ["http"], "two": ["a"]}
    assert ports_named(one, {}, "linux-x64", ports) == {("web", "http")}
    assert ports_named(one, {}, "darwin-x64", ports) == {("two", "a")}


@pytest.mark.parametrize(
    "token", ["web.ht tp", "-web.http", "web-.http", ".http", "web.", "a.b.c", "x" * 5000 + ".y"]
)
def test_tokens_that_mean_no_port(token: str, bundle: Make, read_document: Read) -> None:
    ports = {"requested": [{"name": "http"}]}
    for written, found in ((token, []), ("a.b", ["unresolved_template"])):
        document = bundle({"id": "web", "ports": ports, "env": {"X": f"${{{written}}}"}})
        assert [code for code, _ in codes(read_document(document))] == found


def test_empty_texts_and_lists_and_nulls(bundle: Make, read_document: Read) -> None:
    document = bundle({"id": "one", "env": {"NULL": None, "N\0": "x"}})
    assert codes(read_document(document)) == [("nul_character", 'services[0].env["N\\x00"]')]
    assert codes(read_document({**document, "services": []})) == [("empty_value", "services")]
    assert codes(read_document(bundle({"id": ""}))) == [("empty_value", "services[0].id")]


def test_numbers_of_thousands_of_digits_repeat_no_keys() -> None:
    report = Report()
    report_repeated_keys('{"a": ' + "9" * 5000 + ', "a": 1}', report)
    assert report.findings().ok


def test_numbers_with_a_point_and_nulls_and_other_formats(
    bundle: Make, read_document: Read
) -> None:
    secret = {
        "id": "key",
        "class": "per_install_generated",
        "target": {"type": "env", "name": "KEY"},
        "generator": {"charset": "", "length": 16.0},
    }
    found = codes(read_document(bundle({"id": "one"}, secrets=[secret])))
    assert found == []
    stop = {"http": {"path": "", "port_name": "http"}}
    found = codes(read_document(bundle({"id": "one", "stop": stop})))
    assert ("empty_value", "services[0].stop.http.path") in found
    check = {"type": "command", "command": "curl -f localhost"}
    loaded = read_document(bundle({"id": "one", "health": check}))
    assert '["curl", "-f", "localhost"]' in loaded.findings.errors[0].message
    nothing = {"linux-x64": {"path": "bin/x"}, "darwin-x64": None}
    assert codes(read_document(bundle({"id": "one", "binaries": nothing}))) == []


def test_where_much_is_wrong_no_more_advice_is_given(bundle: Make, read_document: Read) -> None:
    wrong: list[Any] = [{"id": f"s{number:03}", "health": "yes"} for number in range(HINTED)]
    last = {"id": "one", "health": {"type": "tcpp"}, "depndencies": [], "restart": "always"}
    found = read_document(bundle(*wrong, {**last, "log_dir": None, "gpu": {}})).findings
    assert {"write" in one.message for one in found.errors[:HINTED]} == {True}
    assert [one.message for one in (*found.errors, *found.warnings)[HINTED:]] == [
        (
            f"services[{HINTED}].health.type is 'tcpp'; it must be 'http', 'tcp', 'command' or"
            " 'log_match'."
        ),
        f"services[{HINTED}].restart must be an object, not the string 'always'.",
        f"services[{HINTED}].depndencies is no field of the format.",
    ]
    first = read_document(bundle(last)).findings
    assert "did you mean 'tcp'" in first.errors[0].message
    assert "did you mean 'dependencies'" in first.warnings[0].message


def test_words_are_listed() -> None:
    assert quoted(["a"], "or") == "'a'"
    assert quoted(["a", "b", "c"], "or") == "'a', 'b' or 'c'"
