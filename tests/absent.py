"""What a machine may lack, and whether a run that leaves it out is still a good one."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

NOT_HERE = "not here: "
"""How the reason begins when a test needs what this machine has not, whatever the project does."""
DEMAND = "BUNDLEVISOR_DEMAND"


def unless(there: object, what: str) -> pytest.MarkDecorator:
    """Return the mark of tests that need something: ``unless(shutil.which("node"), "node")``."""
    return pytest.mark.skipif(not there, reason=NOT_HERE + what)


def skip(what: str, *, module: bool = False) -> NoReturn:
    """Skip the running test, or the module that is being read, for what is not here."""
    pytest.skip(NOT_HERE + what, allow_module_level=module)


def is_tolerated(reason: str) -> bool:
    """Return whether a test may be skipped for this reason, by what ``DEMAND`` asks for."""
    demand = os.environ.get(DEMAND, "")
    if demand not in ("", "possible", "everything"):
        raise ValueError(f"{DEMAND} is {demand!r}: say 'possible' or 'everything'")
    return not demand or (demand == "possible" and reason.startswith(NOT_HERE))
