from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.logs.path import log_path
from bundlevisor.manifest.format.app_data import ROTATED, TIMES
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.schema import Service
from bundlevisor.manifest.plan.claims import claims_of
from tests.manifests import manifest_of

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
    found = log_path(Service(id="api", log_dir=log_dir), ROOT)
    assert found == os.path.join(ROOT, *expected.split("/"))


def test_what_exists_as_a_file_is_that_file(tmp_path: Path) -> None:
    existing = tmp_path / "logs" / "api"
    existing.parent.mkdir()
    existing.touch()
    found = log_path(Service(id="api", log_dir="logs/api"), str(tmp_path))
    assert found == str(existing)


@given(log_dir=st.text(alphabet="ab./\\", max_size=12))
def test_what_is_written_is_what_the_checks_of_a_manifest_look_at(log_dir: str) -> None:
    """A conflict is looked for where the log will be, however its place is written."""
    service = Service(id="api", log_dir=log_dir)
    claimed = {one.path for one in claims_of(manifest_of(service), every=True) if one.service}
    try:
        path = log_path(service, ROOT)
    except PathRefused:
        assert claimed == set() or os.name == "nt"  # where more is refused, such as "a."
        return
    place = os.path.relpath(path, ROOT).replace(os.sep, "/")
    assert claimed == {f"{place}{part}{index}" for part in ROTATED for index in ("", TIMES)}


@pytest.mark.parametrize("log_dir", ["../x", "/var/log", "a/../../b", "C:\\logs"])
def test_a_log_never_leaves_app_data(log_dir: str) -> None:
    with pytest.raises(ValueError, match=r"path '.*' (leads out|is absolute)"):
        log_path(Service(id="api", log_dir=log_dir), ROOT)
