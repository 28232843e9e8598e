from __future__ import annotations

import datetime
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bundlevisor import __version__
from bundlevisor.perf import client, contender, load, milestones, options, results
from bundlevisor.perf.__main__ import QUESTIONS, main
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender, ContenderError, Run, installed
from bundlevisor.perf.questions import (
    api,
    attack,
    idle,
    respawn,
    scale,
    shutdown,
    startup,
    ui,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in runtime is for POSIX")

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = (sys.executable, "-I", "-S")
COMMAND = shlex.join([*PYTHON, f"{HERE}/standin_runtime.py", "{manifest}", "{app_data}"])
STANDIN = Contender("stand-in", COMMAND)


@pytest.fixture
def bundle() -> Iterator[Bundle]:
    with options.made("chain3") as (made, _):
        yield made


def test_a_start_gives_every_milestone_in_its_order(bundle: Bundle) -> None:
    sample = milestones.measure(STANDIN, bundle)
    assert set(sample) == set(milestones.NAMES)
    assert len(sample["release"]) == 2
    assert 0 < sample["port"][0] < sample["healthz"][0] < sample["ready"][0]
    assert 0 < sample["spawn"][0] < sample["listening"][0] < sample["ready"][0]
    assert sample["C"][0] >= 120
    assert sample["over_c"][0] == pytest.approx(sample["ready"][0] - sample["C"][0])


def test_python_services_give_the_same_milestones() -> None:
    with options.made("chain2", python_services=True) as (bundle, notes):
        assert "services are Python programs" in notes[0]
        assert set(milestones.measure(STANDIN, bundle)) == set(milestones.NAMES)


def test_contenders_take_turns_and_the_first_round_is_not_counted(bundle: Bundle) -> None:
    other = Contender("other", COMMAND)
    result = startup.measure([STANDIN, other], bundle, "chain3", 2, [])
    assert [len(samples["ready"]) for samples in result.contenders.values()] == [2, 2]
    assert len(result.floor) == 4
    assert "÷ first" in results.render(result)


def test_a_killed_service_has_a_successor_in_the_sample(bundle: Bundle) -> None:
    sample = respawn.measure(STANDIN, bundle, settle=0)
    assert len(sample["respawn"]) == 3
    assert all(0 < a < b for a, b in zip(sample["respawn"], sample["serving"], strict=True))


def test_a_shutdown_tells_the_first_and_the_last_stop(bundle: Bundle) -> None:
    sample = shutdown.measure(STANDIN, bundle)
    assert 0 < sample["first"][0] <= sample["last"][0] < sample["gone"][0]
    assert sample["disorder"] == sample["unasked"] == [0]


def test_an_honest_client_asks_beside_an_attack(bundle: Bundle) -> None:
    sample = attack.measure(STANDIN, bundle, ["silent"], count=3, seconds=0.1)
    assert set(sample) == {"/healthz", "/readyz", "/healthz*silent", "/readyz*silent"}
    assert all(0 < took < attack.TIMEOUT_S * 1000 for took in sample["/readyz*silent"])
    slow = {"/healthz*silent": [attack.MEDIAN_MS + 1]}
    assert "too slow: /healthz" in attack.verdict(slow, attack.measures())[0]
    assert attack.verdict({path: [1.0] for path in sample}, attack.measures()) == []


def test_idleness_counts_the_runtime_and_not_its_services(bundle: Bundle) -> None:
    sample = idle.measure(STANDIN, bundle, window=0.2, settle=0)
    assert sample["processes"] == [1]
    assert 1 < sample["anonymous"][0] <= sample["memory"][0]
    assert 0 <= sample["cpu"][0] <= 100


def test_load_gives_rates_and_latencies_of_each_path(bundle: Bundle) -> None:
    sample = api.measure(STANDIN, bundle, seconds=0.05)
    assert set(sample) == set(api._measures())
    assert all(values and min(values) > 0 for values in sample.values())


def test_load_lasts_until_there_is_an_answer(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        run.get_up()
        asked = client.request("/ports", run.port, run.token)
        assert all(load.run(run.port, asked, 1, 0.0)[1] for _ in range(20))


def test_growth_is_said_in_a_sentence() -> None:
    samples = {"ready 10": [10.0], "ready 20": [20.0], "memory 10": [5.0], "memory 20": [5.5]}
    assert scale.fitted(samples, [10, 20]).startswith("ready grows with N^1.00, 1.00 ms per")


def test_a_run_leaves_neither_processes_nor_files(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        run.get_up()
        services = {one.pid for one in run.record}
        assert len(services) == 3
        assert {run.process.pid, *services} <= set(run.processes)
    assert run.processes == []
    assert not os.path.exists(run.folder)


def test_what_a_killed_runtime_leaves_behind_is_ended(bundle: Bundle) -> None:
    with Run(STANDIN, bundle) as run:
        run.get_up()
        run.process.kill()
        run.process.wait()
        services = {one.pid for one in run.record}
        assert services <= set(run.processes)
    assert run.processes == []


def test_a_runtime_that_ends_at_once_is_a_failure_with_its_last_words(bundle: Bundle) -> None:
    words = "import sys; sys.exit('no such option')"
    broken = Contender("broken", shlex.join([*PYTHON, "-c", words]))
    with pytest.raises(ContenderError, match=r"(?s)broken: it ended with 1.*no such option"):
        milestones.measure(broken, bundle)


def somebodys(manifest: str) -> Bundle:
    return Bundle(manifest=manifest, port=1, token="t", dependencies={})


def test_places_are_filled_in_words_with_blanks() -> None:
    one = Contender("x", "'/my runtime' --m={manifest} --at {app_data}")
    assert one.argv(somebodys("/a b"), "/c") == ["/my runtime", "--m=/a b", "--at", "/c"]


def test_windows_words_keep_back_slashes_and_lose_their_quotes() -> None:
    line = r""" "C:\it's here\x.exe" run --manifest {manifest} C:\d"""
    words = contender.split(line, windows=True)
    assert words == [r"C:\it's here\x.exe", "run", "--manifest", "{manifest}", r"C:\d"]
    with pytest.raises(ValueError, match="No closing quotation"):
        contender.split('"open', windows=True)


def test_the_module_form_runs_this_interpreter() -> None:
    argv = installed("module").argv(somebodys("bundle.json"), "data")
    assert argv[:3] == [sys.executable, "-m", "bundlevisor"]


def test_chunked_and_sized_answers_are_whole_only_at_their_end() -> None:
    sized = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    for whole in (sized, chunked):
        assert client.parse(whole) == client.Answer(200, b"ok")
        assert all(client.parse(whole[:i]) is None for i in range(len(whole)))


def test_nobody_listening_is_no_connection() -> None:
    from bundlevisor.perf.bundles import free_port

    assert client.connect(free_port()) is None


def test_the_command_line_measures_keeps_and_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = str(tmp_path / "kept.json")
    arguments = ["startup", "--shape", "chain1", "--runs", "1", "--runtime", COMMAND]
    assert main([*arguments, "--json", kept]) == 0
    assert main([*arguments, "--baseline", kept]) == 0
    output = capsys.readouterr().out
    assert "every service ready" in output
    assert "too few runs to say" in output
    page = tmp_path / "page.html"
    assert main(["compare", kept, kept, "--html", str(page)]) == 0
    assert "too few runs to say" in capsys.readouterr().out
    assert "every service ready" in page.read_text()


def test_only_a_made_bundle_is_said_to_have_its_own_clock(bundle: Bundle) -> None:
    made = startup.measure([STANDIN], bundle, "", 0, [])
    assert made.notes == [startup.OWN_CLOCK]
    own = startup.measure([STANDIN], msgspec.structs.replace(bundle, records=False), "", 0, ["x"])
    assert own.notes == ["x"]


def test_what_was_measured_says_when_where_and_of_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, command = tmp_path / "kept.json", "run --manifest {manifest} --app-data {app_data}"
    program = tmp_path / "a place" / "bundlevisor"
    program.parent.mkdir()
    program.symlink_to(Path(sys.executable).with_name("bundlevisor"))
    ours = f"{shlex.quote(str(program))} {command}"
    arguments = ["--shape", "chain1", "--runs", "1", "--label", "before <b>"]
    assert main(["startup", *arguments, "--runtime", ours, "--json", str(kept)]) == 0
    result = results.kept(str(kept))
    assert result.label == "before <b>"
    assert datetime.datetime.fromisoformat(result.began).tzinfo is not None
    assert result.versions == {"bundlevisor run": f"bundlevisor {__version__}"}
    assert "before <b>" in capsys.readouterr().out


def test_services_start_under_a_shell_script_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"
    arguments = ["peers", "--peer", "sh", "--shape", "independent3", "--runs", "1"]
    assert main([*arguments, "--json", str(kept)]) == 0
    found = results.kept(str(kept)).contenders
    assert set(found) == {"bundlevisor", "sh"}
    assert all(len(values) == 1 for samples in found.values() for values in samples.values())
    assert found["sh"]["memory"] < found["bundlevisor"]["memory"]
    assert "the ports of all services accept" in capsys.readouterr().out


def test_pages_are_counted_in_the_process_that_they_share(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    shown = ["--window", "0.1", "--settle", "0", "--pages", "2"]
    arguments = ["--shape", "independent1", "--runs", "1", *shown, "--json", str(kept)]
    assert main(["idle", *arguments]) == 0
    found = results.kept(str(kept))
    assert found.bundle == "independent1 and 2 pages, probed every 2000 ms"
    (samples,) = found.contenders.values()
    (with_pages,) = samples["anonymous"]  # of the rest, a share of who else runs Python
    arguments[arguments.index("2")] = "0"
    assert main(["idle", *arguments]) == 0
    (samples,) = results.kept(str(kept)).contenders.values()
    assert with_pages > samples["anonymous"][0] + 4  # MiB; a server takes eight


def test_one_server_of_several_pages_is_measured(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"
    short = ["--runs", "1", "--starts", "1", "--seconds", "0.05"]
    assert main(["ui", *short, "--pages", "3", "--json", str(kept)]) == 0
    found = results.kept(str(kept))
    assert found.bundle == "a folder and an API, 3 pages in one process"
    ours = found.contenders["UI server"]
    assert [len(ours[name]) for name in (ui.FIRST_BYTE, ui.FURTHER, ui.MEMORY)] == [1, 2, 1]
    assert not any("*8" in name for name in found.contenders[ui.PLAIN])
    assert " s …" in capfd.readouterr().err


def test_an_unknown_question_is_answered_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["speed"]) == 2
    told = capsys.readouterr().err
    assert [word for word in QUESTIONS if word not in told] == []


def test_a_made_bundle_is_removed_afterwards() -> None:
    with options.made("chain1") as (bundle, _):
        assert os.path.exists(bundle.manifest)
    assert not os.path.exists(os.path.dirname(bundle.manifest))
