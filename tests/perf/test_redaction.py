"""The cost of redaction, measured in small through the whole runtime."""

from __future__ import annotations

import os

import pytest

from bundlevisor.perf.__main__ import main
from bundlevisor.perf.contender import installed
from bundlevisor.perf.questions import flood, redaction

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the kit runs on POSIX")

FEW = 3 * flood.BATCH


def test_each_number_of_secrets_has_its_rate_and_its_processor_time() -> None:
    with redaction.made(FEW) as bundle:
        sample = redaction.measure(installed("module"), bundle, FEW)
    assert set(sample) == set(redaction.measures())
    assert all(len(values) == 1 and values[0] > 0 for values in sample.values())
    assert {int(name.split()[0]) for name in sample} == {0, 1, 20}


def test_lines_differ_and_hold_no_secret_by_chance() -> None:
    lines = flood.batch().splitlines()
    assert len(set(lines)) == flood.BATCH
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize("wrong", [["--lines", "7"], ["--bundle", "x.json"], ["--lines", "0"]])
def test_what_it_cannot_measure_is_refused_in_a_sentence(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["redaction", *wrong])
    assert end.value.code == 2
