"""``python -m tests.pure_core``: the tests of the pure core run every branch of it.

The core are the decisions on the life of services, on what a bundle means, on who is let in and on
what is shown: no clock, no process, no thread. What is named here is also what
``python -m tests.mutants`` changes, to see whether these tests notice.

As a plugin (``pytest -p tests.pure_core``) this leaves them out of a run beside which they run.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import pytest

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
    "actors/ui_server/server/hosts.py",
    "control/api/bundle_health.py",
    "control/cli/explanation.py",
    "control/dashboard/cookies.py",
    "control/dashboard/rights.py",
    "control/http/places.py",
    "control/support/masking.py",
    "control/wire/origin.py",
    "manifest/*",
)
"""Every file of these."""
TESTS = (
    "tests/manifest",
    "tests/actors/test_blocked_at_any_depth.py",
    "tests/actors/test_board.py",
    "tests/actors/test_commanded.py",
    "tests/actors/test_crash_reason.py",
    "tests/actors/test_desired.py",
    "tests/actors/test_every_pair_of_commands.py",
    "tests/actors/test_exits.py",
    "tests/actors/test_health_verdicts.py",
    "tests/actors/test_life.py",
    "tests/actors/test_lifecycle.py",
    "tests/actors/test_lifecycle_any_order.py",
    "tests/actors/test_lifecycle_orders.py",
    "tests/actors/test_notices.py",
    "tests/actors/test_order.py",
    "tests/actors/test_progress.py",
    "tests/actors/test_progress_figures.py",
    "tests/actors/test_progress_lines.py",
    "tests/actors/test_reallocation.py",
    "tests/actors/test_redact.py",
    "tests/actors/test_restart.py",
    "tests/actors/test_shortages.py",
    "tests/actors/test_starts.py",
    "tests/actors/test_stop_deadline.py",
    "tests/actors/test_stop_exchange.py",
    "tests/actors/test_whole_pictures.py",
    "tests/actors/test_whole_steps.py",
    "tests/control/test_explanation.py",
    "tests/control/test_health_words.py",
    "tests/control/test_masking.py",
    "tests/control/test_origin.py",
    "tests/control/test_places.py",
    "tests/dashboard/test_cookies.py",
    "tests/dashboard/test_rights.py",
    "tests/guardian/test_orders.py",
    "tests/secrets/test_former_values.py",
    "tests/secrets/test_secret_forms.py",
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
    "test_a_bundle_with_one_part_replaced_by_anything_is_read_or_explained",
    "test_every_order_respects_the_dependencies",
    "test_a_cycle_is_one_and_is_found_exactly_when_there_is_no_order",
    "test_the_choice_keeps_every_promise",
    "test_whatever_there_is_the_numbers_are_what_they_promise",
    "test_one_wrong_letter_is_always_forgiven",
)
"""They reach nothing more either. Traced they take three times as long, half of this run; the run
beside this one has them."""
LEFT_OUT = (*SLOW, *UNTRACED)
SEED = "--hypothesis-seed=0"  # what chance reaches is reached each time
PERMISSIONS = "not permissions"  # these run in a process of their own, which is not looked into


def selection() -> list[str]:
    """Return the words by which pytest runs these tests."""
    return [*TESTS, "-m", PERMISSIONS, "-k", " and ".join(f"not {name}" for name in LEFT_OUT)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what :func:`main` runs in the same way."""
    elsewhere = [item for item in items if is_run_alike(item)]
    config.hook.pytest_deselected(items=elsewhere)
    left_out = set(elsewhere)
    items[:] = [item for item in items if item not in left_out]


def is_run_alike(item: pytest.Item) -> bool:
    """Return whether it is one of these tests; by Hypothesis' examples, another each time, none."""
    return (
        is_of_the_core(item.path)
        and not any(name in item.name for name in LEFT_OUT)
        and item.get_closest_marker("permissions") is None
        and not getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
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
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *selection(), SEED]
    return run(words, str(data), MODULES)


if __name__ == "__main__":
    sys.exit(main())
