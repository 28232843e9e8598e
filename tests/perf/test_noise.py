from __future__ import annotations

import random
from statistics import median

import pytest

from bundlevisor.perf import noise


def test_the_interval_of_six_values_is_all_of_them() -> None:
    assert noise.interval([6, 1, 5, 2, 4, 3]) == (1, 6)


def test_the_interval_of_twenty_leaves_five_out_at_each_end() -> None:
    # 2 · P(Bin(20, ½) ≤ 5) = 4.1 %: the 6th to the 15th value, as tables of the sign test have it
    assert noise.interval(list(range(1, 21))) == (6, 15)


@pytest.mark.parametrize("count", [7, 15, 40, 250])
def test_the_interval_holds_the_true_median_in_95_of_100_samples(count: int) -> None:
    chance = random.Random(count)
    held = 0
    for _ in range(1000):
        low, high = noise.interval([chance.expovariate(1) for _ in range(count)])
        held += low <= 0.6931 <= high
    assert held >= 935


def test_exact_and_approximate_intervals_agree() -> None:
    for count in (150, 199, 200):
        exact, near = noise._left_out(count, 0.95), noise._left_out_normal(count, 0.95)
        assert abs(exact - near) <= 1


def test_samples_of_one_distribution_are_seldom_called_different() -> None:
    chance = random.Random(6)
    called = 0
    for _ in range(400):
        before = [chance.gauss(100, 10) for _ in range(15)]
        after = [chance.gauss(100, 10) for _ in range(15)]
        called += noise.compare(before, after) in ("faster", "slower")
    assert called <= 8


def test_a_clear_difference_is_called_by_its_direction() -> None:
    slow, fast = [100.0 + i for i in range(10)], [50.0 + i for i in range(10)]
    assert noise.compare(slow, fast) == "faster"
    assert noise.compare(fast, slow) == "slower"


def test_five_runs_are_too_few_for_a_verdict() -> None:
    assert noise.compare([1.0] * 5, [9.0] * 50) == "too few runs to say"


def test_a_slower_machine_is_not_a_slower_runtime() -> None:
    then, now = [100.0 + i for i in range(10)], [150.0 + i for i in range(10)]
    assert noise.compare_sessions(then, now, 10, 15) == "no difference beyond the noise"
    assert noise.compare_sessions(then, now, 10, 10) == "slower"


def test_a_summary_is_robust_against_one_outlier() -> None:
    summary = noise.summarise([10, 11, 9, 10, 1000])
    assert (summary.median, summary.mad, summary.least, summary.p99) == (10, 1, 9, 1000)


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        noise.summarise([])


def test_a_quantile_is_a_value_of_the_sample() -> None:
    values = list(range(1, 101))
    assert noise.quantile(values, 0.99) == 99
    assert noise.quantile(values, 0.5) == median(values) - 0.5
    assert noise.quantile([7], 0.01) == 7


def test_line_and_exponent_are_found() -> None:
    sizes = [10, 20, 50, 100]
    assert noise.fit_line(sizes, [3 * n + 5 for n in sizes]) == pytest.approx((3, 5))
    assert noise.fit_exponent(sizes, [4 * n**1.5 for n in sizes]) == pytest.approx(1.5)
