"""Where the interpreter of a target comes from."""

from __future__ import annotations

from shipping.interpreter import Interpreter
from shipping.targets import Target


def interpreter(target: Target, python: str | None) -> Interpreter:
    """Return the interpreter that the user gave, or the best that the registries have."""
    if python is not None:
        from shipping import standalone

        return standalone.interpreter(target, python)
    if target.system == "linux":
        from shipping import cpython_build

        return cpython_build.build(target)
    from shipping import prebuilt

    return prebuilt.interpreter(target)


def is_at_hand(target: Target) -> bool:
    """Return whether all that has to be compiled for minutes has been before."""
    from shipping import cpython_build, re2_build

    if target.system == "linux" and not cpython_build.is_built(target):
        return False
    return re2_build.is_built(target) or not re2_build.is_for(target)
