"""``python -m tests.pure_core``: the tests of the pure core run every branch of it.

The core are the decisions on the life of services, on what a bundle means, on who is let in and on
what is shown: no clock, no process, no thread. What is named here is also what
``python -m tests.mutants`` changes, to see whether these tests notice.

As a plugin (``pytest -p tests.pure_core``) this leaves them out of a run beside which they run.
What is left out is not even made: a process of that run would else make thousands for nothing.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import pytest
from _pytest.python import PyCollector  # there is no public name for what makes a test

from tests.plugins import ALONE
from tests.without_root import INSIDE

ROOT = Path(__file__).parent.parent
MODULES = (
    "actors/core/*",
    "actors/guardian/stop_plan.py",
    "actors/logs/last_line.py",
    "actors/logs/progress_lines.py",
    "actors/logs/redact.py",
    "actors/logs/secret_forms.py",
    "actors/ports/shortages.py",
    "actors/probes/http_verdict.py",
    "actors/probes/schedule.py",
    "actors/probes/sd_notify.py",
    "actors/probes/stop_exchange.py",
    "actors/secrets/former_values.py",
    "actors/ui_server/files/ranges.py",
    "actors/ui_server/files/url_path.py",
    "actors/ui_server/http/negotiate.py",
    "actors/ui_server/http/target.py",
    "actors/ui_server/http/upgrades.py",
    "actors/ui_server/proxy/forwarding.py",
    "actors/ui_server/server/connection_limit.py",
    "actors/ui_server/server/hosts.py",
    "control/api/bundle_health.py",
    "control/cli/explanation.py",
    "control/dashboard/cookies.py",
    "control/dashboard/rights.py",
    "control/http/fair_turns.py",
    "control/http/places.py",
    "control/http/request_faults.py",
    "control/support/masking.py",
    "control/wire/origin.py",
    "manifest/*",
)
"""Every file of these."""
TESTS = (
    "tests/manifest",
    "tests/actors/core",
    "tests/actors/logs/test_progress_lines.py",
    "tests/actors/logs/test_redact.py",
    "tests/actors/ports/test_reallocation.py",
    "tests/actors/ports/test_shortages.py",
    "tests/actors/probes/test_health_verdicts.py",
    "tests/actors/probes/test_stop_exchange.py",
    "tests/control/test_explanation.py",
    "tests/control/test_fair_turns.py",
    "tests/control/test_health_words.py",
    "tests/control/test_masking.py",
    "tests/control/test_origin.py",
    "tests/control/test_places.py",
    "tests/control/test_request_faults.py",
    "tests/dashboard/test_cookies.py",
    "tests/dashboard/test_rights.py",
    "tests/guardian/test_orders.py",
    "tests/secrets/test_former_values.py",
    "tests/secrets/test_secret_forms.py",
    "tests/ui_server/test_ui_connection_limit.py",
    "tests/ui_server/test_ui_forwarding.py",
    "tests/ui_server/test_ui_hosts.py",
    "tests/ui_server/test_ui_names.py",
    "tests/ui_server/test_ui_negotiate.py",
    "tests/ui_server/test_ui_ranges.py",
)
SLOW = (
    "test_the_schema_refuses_what_the_runtime_refuses_and_nothing_else",
    "test_a_large_bundle_full_of_mistakes_is_checked_in_linear_steps",
    "test_no_json_value_brings_the_reader_down",
    "test_sixty_thousand_ports_take_work_in_proportion",
    "test_a_crowd_for_one_range_is_served_and_the_rest_fails",
    "test_findings_that_are_joined_are_bounded_and_counted",
    "test_what_is_valid_comes_out_as_it_went_in",
    "test_after_any_commands_at_any_moments_the_last_ones_have_won",
)
"""They say much and reach nothing that the others do not; left out here, they save a minute."""
UNTRACED = (
    "test_the_last_command_wins_at_every_moment_of_the_first",
    "test_a_service_with_very_many_ports_is_checked_by_looking_once_at_each",
    "test_counts_of_what_is_not_shown_add_up",
    "test_a_value_of_very_many_lines_is_bounded",
    "test_what_go_writes_for_none_is_taken_and_not_by_the_strict_one",
    "test_the_strict_one_refuses_what_only_warns",
)
"""They reach nothing more either. Traced they take three times as long; the run beside this one has
them, and those by Hypothesis' examples, which are others each time."""
LEFT_OUT = frozenset((*SLOW, *UNTRACED))
PERMISSIONS = "permissions"  # these run in a process of their own, which is not looked into


class Traced:
    """A plugin that makes the tests which :func:`main` runs, and no others."""

    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[pytest.Item] | None:
        """Make nothing of another."""
        return [] if is_test(collector, name, obj) and not is_traced(collector, name, obj) else None


def pytest_pycollect_makeitem(
    collector: pytest.Collector, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make nothing of what :func:`main` runs in the same way."""
    return [] if is_test(collector, name, obj) and is_traced(collector, name, obj) else None


def is_test(collector: pytest.Collector, name: str, obj: object) -> bool:
    """Return whether it is a function that is run as a test."""
    return isinstance(collector, PyCollector) and collector.istestfunction(obj, name)


def is_traced(collector: pytest.Collector, name: str, obj: object) -> bool:
    """Return whether :func:`main` runs this test."""
    marks = [*getattr(obj, "pytestmark", ()), *collector.iter_markers()]
    return (
        is_of_the_core(collector.path)
        and name not in LEFT_OUT
        and not getattr(obj, "is_hypothesis_test", False)
        and not any(mark.name == PERMISSIONS for mark in marks)
    )


@functools.cache
def is_of_the_core(path: Path) -> bool:
    """Return whether a file has such tests."""
    place = path.relative_to(ROOT).as_posix()
    return any(place == test or place.startswith(f"{test}/") for test in TESTS)


def main() -> int:
    """Run the tests and judge; return the exit code. The report names what was not reached."""
    from tests.traced import run  # as a plugin this needs no coverage

    data = ROOT / "build" / "coverage"
    data.parent.mkdir(exist_ok=True)
    os.chdir(ROOT)
    os.environ[INSIDE] = "1"
    words = ["-q", "-p", "no:cacheprovider", *ALONE, *TESTS]
    return run(words, str(data), MODULES, Traced())


if __name__ == "__main__":
    sys.exit(main())
