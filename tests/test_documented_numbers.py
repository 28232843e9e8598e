"""A number in the documentation is the one in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bundlevisor.actors.core import stop_deadline
from bundlevisor.actors.logs import match_thread
from bundlevisor.actors.ports import reallocation
from bundlevisor.actors.probes import stop_exchange
from bundlevisor.actors.process import sweep
from bundlevisor.actors.process.table.found import GRACE_S, GUARDIAN_S, UNKILLABLE_S
from bundlevisor.actors.secrets import former_values, key_store
from bundlevisor.actors.telemetry import timelines, writer
from bundlevisor.actors.ui_server.parent import hosted_page
from bundlevisor.actors.ui_server.server import port as page_port
from bundlevisor.control.cli.parser.help_text import TOP
from bundlevisor.control.dashboard import codes
from bundlevisor.control.run import background_writer, orderly_stop, teardown
from bundlevisor.control.wire import exit_codes
from bundlevisor.manifest.format import app_data, probe, variables
from bundlevisor.manifest.format.document import LAST_PORT
from bundlevisor.manifest.format.policy import DataSnapshot, StopPolicy
from bundlevisor.manifest.format.schema import DEFAULT_RANGE, Migration
from bundlevisor.testing import deadline

ROOT = Path(__file__).parent.parent
MIB = 1 << 20
WORDS = {0.5: "half a second", 3: "three times", 8: "eight", 20: "twenty"}
INTERVAL, WIDEST = probe.INTERVAL, probe.WIDEST_INTERVAL
LIB = ROOT / "electron" / "lib"
JS = "".join((LIB / name).read_text(encoding="utf-8") for name in ("process.js", "runtime.js"))
(STOP_WITHIN,) = re.findall(r"const STOP_WITHIN_MS = ([\d_]+);", JS)
(LISTENING_WITHIN,) = re.findall(r"const LISTENING_WITHIN_MS = ([\d_]+);", JS)
TOLD = [
    ("electron.md", f"does not stop within {int(STOP_WITHIN) // 1000} s"),
    ("stopping.md", f"`stop.timeout_ms` ({StopPolicy().timeout_ms})"),
    ("stopping.md", f"these times and {stop_deadline.MARGIN:g} s more"),
    ("stopping.md", f"at most {stop_deadline.LONGEST:g} s: then everything is killed"),
    ("stopping.md", f"a 2xx within {stop_exchange.PATIENCE:g} s"),
    ("stopping.md", f"the runtime was killed, within {GUARDIAN_S:g} s"),
    ("stopping.md", f"by SIGTERM, and all after {GRACE_S:g} s"),
    ("leftovers.md", f"leaders first; killed after {GRACE_S:g} s"),
    ("endings.md", f"lines wait, up to {background_writer.LIMIT // MIB} MiB"),
    ("from-go.md", f"it has {StopPolicy().grace_s:g} s unless the bundle says otherwise"),
    ("services.md", f"none, after {INTERVAL * 1000:g} ms and ever more rarely, every {WIDEST:g} s"),
    ("services.md", f"gets another one ({WORDS[reallocation.MOVES]})"),
    ("services.md", f"Each has {Migration(version='', command=[]).timeout_ms // 60_000} minutes"),
    ("services.md", f"`snapshot.max_bytes`, {DataSnapshot().max_bytes // (1024 * MIB)} GiB"),
    ("services.md", f"when it needs {match_thread.PATIENCE:g} s of the processor"),
    ("services.md", f"than {1e-3 / match_thread.RATE:g} KB of output a second"),
    ("services.md", f"the last {WORDS[former_values.FORMER]} of a secret"),
    ("services.md", f"up to {former_values.FORMER_LENGTH // 1024} KiB of them"),
    ("services.md", f"does not answer within {key_store.TIMEOUT:g} s"),
    ("progress.md", f"{WORDS[timelines.KEPT]} starts (`runtime/timelines.json`"),
    ("dashboard.md", f"for {codes.LIFE_S:g} s, at most {codes.OUTSTANDING} at a time"),
    ("architecture.md", f"under way, {page_port.GRACE:g} s at most"),
    ("architecture.md", f"not answered within {WORDS[hosted_page.DROP_WITHIN]}"),
    ("testing.md", f"has a deadline ({deadline.WITHIN:g} s unless told)"),
    ("bundle.md", f"after {writer.LIMIT // MIB} MiB it becomes FILE.1"),
    ("bundle.md", f"Without it {DEFAULT_RANGE.min} to {DEFAULT_RANGE.max}."),
    ("bundle.md", f"1 to {LAST_PORT}"),
    ("bundle.md", f"Without it {INTERVAL * 1000:g}, growing to {WIDEST * 1000:g} as long"),
]


@pytest.mark.parametrize(("page", "sentence"), TOLD)
def test_a_page_tells_the_number_that_counts(page: str, sentence: str) -> None:
    text = " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())
    assert sentence in text


def test_an_application_knows_the_exit_codes_by_their_numbers() -> None:
    launch = (ROOT / "electron" / "lib" / "launch.js").read_text(encoding="utf-8")
    assert f"const HELD = {exit_codes.HELD};" in launch
    assert f"const MANIFEST_IS_BAD = {exit_codes.USAGE};" in JS


def test_an_application_gives_the_runtime_the_time_that_it_gives_its_services() -> None:
    assert int(STOP_WITHIN) / 1000 > stop_deadline.LONGEST


def test_an_application_gives_the_runtime_the_time_that_this_gives_an_earlier_instance() -> None:
    stop = stop_deadline.LONGEST + orderly_stop.KILL_PATIENCE + teardown.CLOSING
    assert int(LISTENING_WITHIN) / 1000 > max(stop, sweep.PATIENCE_S) + GRACE_S + UNKILLABLE_S


def test_files_and_variables_have_the_names_that_the_pages_tell() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    ours = {*app_data.FILES, app_data.USUAL_TOKEN}
    files = set(re.findall(r"\bruntime/[a-z_]+(?:-token\b|\.json\b|\b(?![-/.]))", text))
    assert files - ours == set()
    known = {one for one in vars(variables).values() if isinstance(one, str)}
    named = set(
        re.findall(r"\b(?:BUNDLEVISOR|BUNDLE|SERVICE|PLAYWRIGHT|SECRET_FILE)_[A-Z_]*", text)
    )
    assert named - known - {"BUNDLEVISOR_WINE"} == set()


def test_help_names_the_exit_codes_that_there_are() -> None:
    told = re.findall(r"(?:^|  )(\d+) \w", TOP.partition("exit codes\n")[2], re.MULTILINE)
    said = [code for name, code in vars(exit_codes).items() if name.isupper()]
    assert sorted(map(int, told)) == sorted(said)
