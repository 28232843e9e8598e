"""A suite that names what does not exist is told so at once, not after a wait, nor never."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bundlevisor.testing import Bundle, Runtime

Wrong = Callable[[Runtime], object]


MISTAKES: list[tuple[Wrong, str]] = [
    (lambda run: run.service("bd").kill(), "no service 'bd' .did you mean 'db'.*; there are db"),
    (lambda run: run.service("bd").stop(), "no service 'bd'"),
    (lambda run: run.service("bd").exit(1), "no service 'bd'"),
    (lambda run: run.service("bd").wait_state("ready"), "no service 'bd'"),
    (lambda run: run.service("db").wait_state("raedy"), r"no state 'raedy' \(did you mean 'ready'"),
    (lambda run: run.service("db").health("wrnog"), r"no answer 'wrnog' \(did you mean 'wrong'"),
    (lambda run: run.wait_event("service_redy"), r"no event 'service_redy' \(did you mean 'serv"),
]


def test_a_word_that_names_nothing_is_told_with_what_was_probably_meant(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        for mistake, said in MISTAKES:
            with pytest.raises(ValueError, match=said):
                mistake(runtime)
        assert runtime.service("db").state == "ready"
