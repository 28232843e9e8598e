"""``bundlevisor config`` for a person: what would be started, in the order of the start."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from textwrap import wrap

from bundlevisor.control.develop.preview import PlannedSecret, PlannedService, Preview
from bundlevisor.manifest.format.loopback import url_of

SOURCES = {
    "per_install_generated": "made at the first start",
    "user_prompt": "the user is asked for it",
    "remote_fetch": "the shell fetches it",
}
HEAD = 10
"""Columns of what is said before a value."""


def text(preview: Preview, only: tuple[str, ...], width: int | None) -> str:
    """Return the whole, or only these services; no line is broken but at blanks."""
    shared = _shared(preview)
    lines = [] if only else [*_head(preview, width), *_of_all(shared, width)]
    for service in preview.services:
        if not only or service.id in only:
            lines += ["", *_service(service, {} if only else shared, width)]
    return "\n".join(lines).strip("\n")


if sys.platform == "win32":
    import subprocess

    def shell_words(command: tuple[str, ...]) -> str:
        """Return a command as it is typed."""
        return subprocess.list2cmdline(command)

else:
    import shlex

    def shell_words(command: tuple[str, ...]) -> str:
        """Return a command as it is typed."""
        return shlex.join(command)


def _head(preview: Preview, width: int | None) -> Iterator[str]:
    count = len(preview.services)
    yield f"{preview.app} {preview.version}: {count} {'service' if count == 1 else 'services'}"
    yield from _line("bundle", preview.manifest, width, "  ")
    for overlay in preview.overlays:
        yield from _line("overlay", overlay, width, "  ")
    yield from _line("root", preview.bundle_root, width, "  ")
    ours = " (an instance runs on it: its ports are shown)" if preview.running else ""
    yield from _line("app-data", preview.app_data + ours, width, "  ")
    port = url_of(preview.host, preview.port) if preview.port else f"{preview.host}, any port"
    yield from _line("control", port, width, "  ")


def _shared(preview: Preview) -> dict[str, str]:
    """Return the variables that every service is given with the same value."""
    environments = [one.environment for one in preview.services if one.environment]
    if len(environments) < 2:
        return {}
    first, *others = environments
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }


def _of_all(shared: dict[str, str], width: int | None) -> Iterator[str]:
    if shared:
        yield ""
        yield "every service gets the environment of the runtime, and"
        yield from _variables(shared, {}, width)


def _service(service: PlannedService, shared: dict[str, str], width: int | None) -> Iterator[str]:
    when = f"after {', '.join(service.after)}" if service.after else "starts first"
    demand = ", only on demand" if service.on_demand else ""
    yield f"{service.id} ({service.type}), {when}{demand}"
    if service.problem:
        yield from _line("PROBLEM", service.problem, width, "  ")
    if service.page:
        behind = f", /api from {service.upstream}" if service.upstream else ""
        yield from _line("serves", service.page + behind, width, "  ")
    if service.command:
        yield from _line("runs", shell_words(service.command), width, "  ")
        yield from _line("in", service.cwd, width, "  ")
    if service.ports:
        numbers = ", ".join(f"{name} {number}" for name, number in service.ports.items())
        yield from _line("ports", numbers, width, "  ")
    yield from _line("ready", f"when {service.ready_when}", width, "  ")
    own = {name: value for name, value in service.environment.items() if name not in shared}
    yield from _variables(own, {one.variable: one for one in service.secrets}, width)


def _variables(
    variables: dict[str, str], secrets: dict[str, PlannedSecret], width: int | None
) -> Iterator[str]:
    for name, value in sorted(variables.items()):
        note = f"  ({_told(secrets[name])})" if name in secrets else ""
        yield from _wrapped(f"{name}={value}{note}", width, "    ")


def _told(secret: PlannedSecret) -> str:
    if secret.has_value:
        return f"secret {secret.id}"
    return f"secret {secret.id}, no value yet: {SOURCES.get(secret.source, secret.source)}"


def _line(head: str, value: str, width: int | None, indent: str) -> list[str]:
    return _wrapped(f"{indent}{head.ljust(HEAD)}{value}", width, " " * (len(indent) + HEAD), "")


def _wrapped(line: str, width: int | None, below: str, first: str | None = None) -> list[str]:
    start = below if first is None else first
    whole = f"{start}{line}"
    if width is None or len(whole) <= width:
        return [whole]
    return wrap(
        line,
        max(width, 40),
        initial_indent=start,
        subsequent_indent=below if first is not None else f"{below}  ",
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
