"""``docs/findings.md``: every code that a finding can have."""

from __future__ import annotations

from bundlevisor.manifest.format import codes


def page() -> str:
    """Return the codes with their meanings, by what fails."""
    parts = []
    for what, part in codes.PARTS.items():
        rows = "\n".join(f"| `{code}` | {meaning} |" for code, meaning in part.items())
        parts.append(
            f"## {what[0].upper()}{what[1:]}\n\n| code | what it means |\n|---|---|\n{rows}"
        )
    return "\n\n".join(parts)
