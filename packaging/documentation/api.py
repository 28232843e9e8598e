"""``docs/api.md``: every operation of the control API, from the table that it is answered by."""

from __future__ import annotations

from bundlevisor.control.wire.operations import OPERATIONS, Operation
from bundlevisor.control.wire.parameters import HIGHEST_SEQ, Parameter


def page() -> str:
    """Return a section for each operation."""
    return "\n\n".join(section(operation) for operation in OPERATIONS)


def section(operation: Operation) -> str:
    """Return what one operation does, takes and answers."""
    lines = [f"## `{operation.method.upper()} {operation.path}`", "", operation.text]
    if operation.open:
        lines += ["", "Answered without the token."]
    if operation.parameters:
        lines += ["", "| parameter | type | default | meaning |", "|---|---|---|---|"]
        for one in operation.parameters:
            lines.append(f"| `{one.name}` | {kind(one)} | {default(one)} | {one.text} |")
    if operation.request is not None:
        lines += ["", f"The body is `{operation.request.__name__}`, as JSON."]
    answers = ", ".join(
        f"{code}: {named(answer)}" for code, answer in sorted(operation.answers.items())
    )
    return "\n".join([*lines, "", f"Answers {answers}."])


def kind(one: Parameter) -> str:
    """Return a parameter's type, with the range of a number that has one worth telling."""
    if one.highest is None or one.highest == HIGHEST_SEQ:
        return one.kind
    return f"{one.kind} {one.lowest}…{one.highest}"


def default(one: Parameter) -> str:
    """Return what a parameter is taken for where it is left out."""
    if one.required:
        return "**required**"
    return "" if one.default is None else f"`{one.default}`"


def named(answer: object) -> str:
    """Return the name of a body, or a media type."""
    return f"`{answer.__name__ if isinstance(answer, type) else answer}`"
