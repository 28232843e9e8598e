"""What the Windows tests share; only those of pure functions run on other platforms."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

if sys.platform == "win32":
    from tests.windows.started import Starter

    @pytest.fixture
    def start() -> Iterator[Starter]:
        """Start Python code as a service; whatever is left at the end is killed."""
        starter = Starter()
        yield starter
        starter.end_all()

else:
    collect_ignore_glob = ["test_windows_*.py"]
