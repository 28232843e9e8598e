"""Changes to the pure core that change nothing: no test can notice them, and why."""

from __future__ import annotations

from tests.equivalent_mutants import (
    actors_and_control,
    manifest_format,
    manifest_plan,
    manifest_read,
)
from tests.equivalent_mutants.change import Change

EQUIVALENT: dict[Change, str] = {
    **actors_and_control.EQUIVALENT,
    **manifest_format.EQUIVALENT,
    **manifest_plan.EQUIVALENT,
    **manifest_read.EQUIVALENT,
}
