"""A use of Hypothesis that has it look up which characters there are, and keep that."""

from __future__ import annotations

import warnings

from hypothesis import given, settings, strategies as st
from hypothesis.errors import HypothesisSideeffectWarning


def used() -> None:
    """Draw a text, though pytest has not begun."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisSideeffectWarning)
        draw()


@settings(max_examples=1, database=None, deadline=None)
@given(st.text())
def draw(_text: str) -> None:
    pass
