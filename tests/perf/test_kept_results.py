from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from bundlevisor.perf import report, results
from bundlevisor.perf.questions import attack, budget, scale, shutdown
from bundlevisor.perf.results import Measure, Result

OURS = ["--runtime", f'"{sys.executable}" -c pass', "--python-services"]
LEVEL = [100.0 + i / 10 for i in range(10)]


def found(values: list[float], name: str = "ours", floor: float = 10.0) -> Result:
    measures = {"ready": Measure(title="every service ready")}
    return Result(
        question="startup",
        bundle="chain3",
        measures=measures,
        contenders={name: {"ready": values}},
        floor=[floor] * 10,
    )


def test_a_kept_result_comes_back_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.json")
    results.keep(found(LEVEL), path)
    assert results.kept(path) == found(LEVEL)


def test_something_else_than_a_result_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(msgspec.ValidationError):
        results.kept(str(path))


def test_a_report_has_the_median_and_the_ratio_to_the_floor() -> None:
    line = results.render(found([50.0] * 9)).splitlines()[-1]
    assert "every service ready" in line
    assert "50.0" in line
    assert "5.00×" in line


def test_an_interval_is_claimed_only_where_there_is_one() -> None:
    few, enough = found([50.0, 70.0]), found([50.0, 51.0, 52.0, 53.0, 54.0, 70.0])
    assert "50.0–70.0" not in results.render(few)
    assert "50.0–70.0" in results.render(enough)
    enough.measures = {"ready": Measure(title="gap", pooled=True)}
    assert "50.0–70.0" not in results.render(enough)


def test_a_second_contender_is_judged_against_the_first() -> None:
    both = found(LEVEL)
    both.add("theirs", {"ready": [value * 3 for value in LEVEL]})
    line = results.render(both).splitlines()[-1]
    assert "3.00×" in line
    assert "slower" in line


def test_a_baseline_tells_what_changed_and_what_did_not() -> None:
    slower = found([value * 2 for value in LEVEL])
    assert "slower" in results.compare_with(found(LEVEL), slower)
    assert "slower" not in results.compare_with(found(LEVEL), found(LEVEL))


def test_a_machine_that_slowed_down_is_not_held_against_the_runtime() -> None:
    now = found([value * 2 for value in LEVEL], floor=20.0)
    assert "no difference beyond the noise" in results.compare_with(found(LEVEL), now)


def test_single_contenders_are_compared_whatever_their_names() -> None:
    now = found([value / 2 for value in LEVEL], name="renamed")
    assert "faster" in results.compare_with(found(LEVEL), now)


def test_values_that_share_a_run_are_not_judged() -> None:
    then, now = found(LEVEL), found([value * 2 for value in LEVEL])
    now.measures = {"ready": Measure(title="gap", pooled=True)}
    assert "not judged" in results.compare_with(then, now)


def test_a_lower_rate_is_called_worse() -> None:
    then, now = found(LEVEL), found([value / 2 for value in LEVEL])
    now.measures = {"ready": Measure(title="rate", unit="1/s", more_is_better=True)}
    assert "less (worse)" in results.compare_with(then, now)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123, "0.0123"),
        (0.5, "0.500"),
        (9.999, "10.0"),
        (12.34, "12.3"),
        (99.99, "100"),
        (1234.5, "1234"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert report.number(value) == text


def test_columns_are_aligned() -> None:
    table = report.table(["", "median"], [["port", "1.0"], ["healthz", "12.0"]])
    assert table.splitlines() == [
        "         median",
        "-------  ------",
        "port        1.0",
        "healthz    12.0",
    ]


def judged(limit: dict[str, float], values: list[float]) -> str:
    target = budget.Target(
        what="ready", shape="chain3", measure="ready", limit=budget.Limit(**limit)
    )
    measured = {"chain3": {"ready": values, "C": [120.0]}}
    (line,) = budget.judge(budget.Budget(about="", targets=[target]), measured, floor=10.0)
    return line.verdict


def test_a_target_is_a_sum_of_c_f_and_milliseconds() -> None:
    limit = budget.Limit(c=1, f=6, ms=5)
    assert limit.amount(critical_path=120, floor=10) == 185
    assert str(limit) == "C + 6 F + 5 ms"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([180.0] * 7, "met"),
        ([181.0] * 7, "missed"),
        ([170.0] * 3 + [181.0] * 4, "within the noise"),
    ],
)
def test_a_verdict_says_whether_the_goal_is_reached(values: list[float], verdict: str) -> None:
    assert judged({"c": 1, "f": 6}, values) == verdict


def test_what_is_reached_is_told_in_the_units_of_its_goal() -> None:
    target = budget.Target(what="", shape="", measure="", limit=budget.Limit(c=1, f=6))
    line = budget.Line(target=target, limit=180, measured=203, low=203, critical=120)
    assert line.in_f(10) == "C + 8.3 F"


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--strict"], 1)])
def test_a_missed_goal_fails_only_who_asks_for_it(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missed: dict[str, dict[str, list[float]]] = {
        target.shape: {} for target in budget.read().targets
    }
    for target in budget.read().targets:
        missed[target.shape][target.measure] = [1e9] * 7
    monkeypatch.setattr(budget, "measure", lambda *_: (missed, 10.0))
    assert budget.main(words) == code
    assert "missed" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--json"], ["--against", "true"], ["--shape", "chain3"]])
def test_the_budget_takes_nothing_that_it_would_pass_over(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "measure", lambda *_: pytest.fail("it measures all the same"))
    with pytest.raises(SystemExit, match="2"):
        budget.main(words)


def test_a_scale_of_other_shapes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "measure", lambda *_: pytest.fail("it measures all the same"))
    with pytest.raises(SystemExit, match="2"):
        scale.main(["--shape", "chain3", "--sizes", "1", "2"])


def test_the_budget_in_the_repository_names_only_what_is_measured() -> None:
    from bundlevisor.perf import milestones
    from bundlevisor.perf.questions import idle, respawn, shutdown

    measures = {shape: set(milestones.NAMES) for shape in budget.STARTS}
    measures["startup"] = {"release"}
    measures["respawn"], measures["idle"] = set(respawn.MEASURES), set(idle.MEASURES)
    measures["shutdown"] = set(shutdown.MEASURES)
    for target in budget.read().targets:
        assert target.measure in measures[target.shape], target.what
        assert target.statistic in ("median", "p99", "most")


def test_a_scale_warms_up_once_and_measures_f_beside_each_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    starts = iter([99.0, 10.0, 20.0])
    monkeypatch.setattr(scale, "measure", lambda *_: (next(starts), 5.0))
    path = str(tmp_path / "kept")
    assert scale.main([*OURS, "--runs", "1", "--sizes", "1", "2", "--json", path]) == 0
    kept = results.kept(path)
    (samples,) = kept.contenders.values()
    assert (samples["ready 1"], samples["ready 2"]) == ([10.0], [20.0])
    assert len(kept.floor) == 2


def test_a_stop_has_f_beside_it_by_which_machines_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutdown, "measure", lambda *_: {"gone": [1.0]})
    path = str(tmp_path / "kept")
    assert shutdown.main([*OURS, "--runs", "3", "--json", path]) == 0
    assert len(results.kept(path).floor) == 3


def test_who_was_not_measured_then_is_not_shown_as_an_empty_table() -> None:
    before = found(LEVEL)
    before.contenders["other"] = {"ready": LEVEL}
    assert "new\n  no values of it were kept then" in results.compare_with(
        before, found(LEVEL, "new")
    )


def test_the_verdict_on_an_attack_is_on_the_median_that_is_shown() -> None:
    known = {"/healthz": Measure(title="alone", pooled=True)}
    assert attack.verdict({"/healthz": [229.0, 251.0]}, known) == []
    assert attack.verdict({"/healthz": [251.0, 253.0]}, known) == [
        "too slow: alone: median 252 ms, at most 253 ms"
    ]
