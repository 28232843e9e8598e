"""One wheel for all tests that install one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging.environment import built_wheel
from tests.packaging.test_folder import build

BUILD_S = 1500
"""Seconds for a test, the compilations before it included: some ten minutes on two busy cores."""


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the tree as pip does."""
    return built_wheel(tmp_path_factory.mktemp("tree") / "bundlevisor")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped folder of this platform; not to be changed."""
    made = tmp_path_factory.mktemp("shipped") / "folder"
    build(made)
    return made


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may move, replace or remove."""
    copy = tmp_path / "shipped"
    shutil.copytree(built, copy, symlinks=True)
    return copy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first build its time: where nothing is cached, interpreter and RE2 are compiled."""
    for item in items:
        if "packaging" in item.path.parts:
            item.add_marker(pytest.mark.timeout(BUILD_S), append=False)
