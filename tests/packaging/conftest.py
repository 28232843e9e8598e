"""One wheel and one shipped folder for all tests that need them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging import made


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the tree as pip does."""
    return made.wheel(tmp_path_factory)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped folder of this platform; not to be changed."""
    return made.shipped_folder(tmp_path_factory)


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
            item.add_marker(pytest.mark.timeout(made.BUILD_S), append=False)
