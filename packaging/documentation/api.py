"""``docs/api.md``: every operation of the control API, from the table that it is answered by."""

from __future__ import annotations

from bundlevisor.control.wire.operations import OPERATIONS, Operation


def page() -> str:
    """Return a section for each operation."""
    return "\n\n".join(section(operation) for operation in OPERATIONS)


def section(operation: Operation) -> str:
    """Return what one operation does, takes and answers."""
    lines = [f"## `{operation.method.upper()} {operation.path}`", "", operation.text]
    if operation.open:
        lines += ["", "Answered without the token."]
    if operation.parameters:
        lines += ["", "| parameter | type | meaning |", "|---|---|---|"]
        for one in operation.parameters:
            needed = " (required)" if one.required else ""
            lines.append(f"| `{one.name}`{needed} | {one.kind} | {one.text} |")
    if operation.request is not None:
        lines += ["", f"The body is `{operation.request.__name__}`, as JSON."]
    answers = ", ".join(f"{code}: {named(answer)}" for code, answer in operation.answers.items())
    return "\n".join([*lines, "", f"Answers {answers}."])


def named(answer: object) -> str:
    """Return the name of a body, or a media type."""
    return f"`{answer.__name__ if isinstance(answer, type) else answer}`"
