"""Names that are made of others: places in an app-data folder, and marks of what was started."""

from __future__ import annotations

import os

from bundlevisor.manifest.format.app_data import below
from bundlevisor.manifest.format.variables import mark_of, mark_prefix


def test_a_place_is_written_as_the_platform_does() -> None:
    assert below("data", "a/b") == os.path.join("data", "a", "b")


def test_the_mark_of_a_start_is_of_its_instance_and_of_no_other() -> None:
    mark = mark_of("4f", "api", 3)
    assert mark == "4f-api-3"
    assert mark.startswith(mark_prefix("4f"))
    assert not mark.startswith(mark_prefix("4"))
