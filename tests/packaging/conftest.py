"""One wheel for all tests that install one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.environment import built_wheel

BUILD_S = 1500
"""Seconds for a test, the compilations before it included: some ten minutes on two busy cores."""


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the tree as pip does."""
    return built_wheel(tmp_path_factory.mktemp("tree") / "bundlevisor")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first build its time: where nothing is cached, interpreter and RE2 are compiled."""
    for item in items:
        if "packaging" in item.path.parts:
            item.add_marker(pytest.mark.timeout(BUILD_S), append=False)
