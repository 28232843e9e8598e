"""One wheel for all tests that install one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.environment import built_wheel


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the tree as pip does."""
    return built_wheel(tmp_path_factory.mktemp("tree") / "bundlevisor")
