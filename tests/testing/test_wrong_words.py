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
    (lambda run: run.wait_event("service_ready", "bd"), "no service 'bd'"),
]
ORDERS: list[tuple[Wrong, str]] = [
    (lambda run: run.service("db").exit("seven"), "/kit/exit: ValueError.*'seven'"),  # type: ignore[arg-type]
    (lambda run: run.service("db").grow(1 << 40), "/kit/grow: (Memory|Overflow)Error"),
    (lambda run: run.service("db").health(-1), "health is one of ok, failing, .*, not -1"),
    (lambda run: run.service("db").order("health", "wrnog"), "health is one of .*not 'wrnog'"),
]
LISTS: list[tuple[Callable[[Bundle], object], str]] = [
    (lambda bundle: bundle.service("api", needs="db"), "needs must be a list, such as .'db'"),
    (lambda bundle: bundle.service("api", "bin/mine"), "program must be a list"),
    (lambda bundle: Runtime(bundle, command="bundlevisor"), "command must be a list"),
    (lambda bundle: Runtime(bundle, wrapper="nice"), "wrapper must be a list"),
]


def test_a_word_that_names_nothing_is_told_with_what_was_probably_meant(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        for mistake, said in MISTAKES:
            with pytest.raises(ValueError, match=said):
                mistake(runtime)
        for mistake, said in ORDERS:
            with pytest.raises(AssertionError, match=said):
                mistake(runtime)
        assert runtime.service("db").state == "ready"
        assert runtime.service("db").restarts == 0
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


@pytest.mark.parametrize(("mistake", "said"), LISTS)
def test_a_text_in_place_of_a_list_is_not_taken_for_its_letters(
    tmp_path: Path, mistake: Callable[[Bundle], object], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        mistake(Bundle(tmp_path).service("db"))


def test_services_are_not_set_in_vain(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="services are added by"):
        Bundle(tmp_path).set(services=[])


def test_a_run_that_has_not_been_started_is_not_waited_for(tmp_path: Path) -> None:
    runtime = Runtime(Bundle(tmp_path).service("db"))
    waits: list[Callable[[], object]] = [
        runtime.wait_ready,
        partial(runtime.wait_event, "ready"),
        partial(runtime.service("db").wait_state, "ready"),
        partial(getattr, runtime, "guardian"),
    ]
    for wait in waits:
        with pytest.raises(RuntimeError, match="has not been started"):
            wait()


def test_a_service_that_cannot_be_told_to_end_is_not_taken_for_one_that_has(
    tmp_path: Path,
) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        runtime.service("db").stop()
        with pytest.raises(ConnectionRefusedError) as failed:
            runtime.service("db").exit(7)
    asked, named = failed.value.__notes__
    assert "POST /kit/exit" in asked
    assert named.startswith("db does not listen")
    assert "-- events" in named


def test_what_has_ended_is_named_where_it_is_asked(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        runtime.kill()
        code = runtime.wait_ended()
        with pytest.raises(OSError) as failed:  # noqa: PT011 - the note is looked at
            runtime.service("db").kill()
    assert f"the runtime has ended with {code}" in failed.value.__notes__
