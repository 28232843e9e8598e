"""A suite that names what does not exist is told so at once, not after a wait, nor never."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bundlevisor.testing import Bundle, Runtime, wait_until

Wrong = Callable[[Runtime], object]


MISTAKES: list[tuple[Wrong, str]] = [
    (lambda run: run.service("bd").kill(), "no service 'bd' .did you mean 'db'.*; there are db"),
    (lambda run: run.service("bd").stop(), "no service 'bd'"),
    (lambda run: run.service("bd").exit(1), "no service 'bd'"),
    (lambda run: run.service("bd").wait_state("ready"), "no service 'bd'"),
    (lambda run: run.service("bd").log, "no service 'bd'"),
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
    with pytest.raises(ValueError, match="no service 'bd'"):
        assert runtime.service("bd").log  # nobody is there to be asked any more


def test_a_log_is_found_where_the_bundle_has_it_written(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db", log_dir="own/folder").service("api", log_dir="one.txt")
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        for service in (runtime.service("db"), runtime.service("api")):
            assert service.log == ""
            service.flood(100)
            wait_until(partial(getattr, service, "log"), "its output")
