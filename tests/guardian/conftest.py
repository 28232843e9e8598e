from __future__ import annotations

import pytest

from bundlevisor.testing.ports import free_block


@pytest.fixture
def free_port() -> int:
    """A port that nobody else is given, nor takes by chance for a connection."""
    return free_block(1)
