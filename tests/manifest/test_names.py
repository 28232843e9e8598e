"""What the runtime's files and the marks of its processes are called."""

from __future__ import annotations

import os

from bundlevisor.manifest.format.app_data import FILES, INSTANCE, OF_A_LOG, below, log_name
from bundlevisor.manifest.format.variables import mark_of, mark_prefix


def test_a_file_has_its_path_as_the_platform_writes_it() -> None:
    assert below("data", INSTANCE) == os.path.join("data", "runtime", "instance.json")
    assert below("data", "a") == os.path.join("data", "a")
    assert len(set(FILES)) == len(FILES)


def test_a_log_has_parts_and_an_index_beside_each() -> None:
    assert log_name("api") == "api.log"
    assert OF_A_LOG == ("", ".1", ".2", ".times", ".1.times", ".2.times")


def test_the_marks_of_an_instance_begin_alike_and_unlike_those_of_others() -> None:
    assert mark_of("1a", "api", 3) == "1a-api-3"
    assert mark_of("1a", "api", 3).startswith(mark_prefix("1a"))
    assert not mark_of("1ab", "api", 3).startswith(mark_prefix("1a"))
