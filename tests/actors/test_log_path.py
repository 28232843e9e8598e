from __future__ import annotations

import os

import pytest

from bundlevisor.actors.logs.path import log_path
from bundlevisor.manifest.format.schema import Service

ROOT = os.path.abspath(os.path.join(os.sep, "data", "my.app"))


@pytest.mark.parametrize(
    ("log_dir", "expected"),
    [
        ("", "logs/api.log"),
        ("logs", "logs/api.log"),
        ("logs/", "logs/api.log"),
        ("logs/api", "logs/api/api.log"),
        ("logs/api.log", "logs/api.log"),
        ("logs\\deep\\api.txt", "logs/deep/api.txt"),
        ("logs.d/", "logs.d/api.log"),
        (".logs", ".logs/api.log"),
        (".", "api.log"),
        ("./a/../b", "b/api.log"),
    ],
)
def test_a_last_part_without_a_suffix_is_a_folder(log_dir: str, expected: str) -> None:
    found = log_path(Service(id="api", log_dir=log_dir), ROOT, lambda _: False)
    assert found == os.path.join(ROOT, *expected.split("/"))


def test_what_exists_as_a_file_is_that_file() -> None:
    existing = os.path.join(ROOT, "logs", "api")
    found = log_path(Service(id="api", log_dir="logs/api"), ROOT, lambda path: path == existing)
    assert found == existing


@pytest.mark.parametrize("log_dir", ["../x", "/var/log", "a/../../b", "C:\\logs"])
def test_a_log_never_leaves_app_data(log_dir: str) -> None:
    with pytest.raises(ValueError, match=r"path '.*' (leads out|is absolute)"):
        log_path(Service(id="api", log_dir=log_dir), ROOT, lambda _: False)
