"""Random sequences on the installed command come to what the rules say, and leave nothing.

Each bundle, command and fault is drawn from the run's seed. ``BUNDLEVISOR_MODEL_SEQUENCES=1000``
in the environment plays so many. What fails is shrunk and told as a test, to be pasted here.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.model.case import drawn
from tests.model.played import play_and_shrink

SEQUENCES = int(os.environ.get("BUNDLEVISOR_MODEL_SEQUENCES") or 3)
SHRINKING_S = 900
"""A sequence that fails is played some dozen times."""


@pytest.mark.timeout(SHRINKING_S)
@pytest.mark.parametrize("number", range(SEQUENCES))
def test_the_command_does_what_the_rules_say(
    tmp_path: Path, dice: random.Random, number: int
) -> None:
    play_and_shrink(drawn(dice), tmp_path)
