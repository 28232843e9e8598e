"""``bundlevisor graph``: who needs whom, as a tree of text, for Mermaid, or for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from bundlevisor.manifest.format.schema import UI_BUNDLE, Manifest, Service
from bundlevisor.manifest.plan.graph import Graph

AGAIN = " (above)"


class Branches:
    """The strokes of a tree: such as every terminal has, or ASCII where they cannot be written."""

    def __init__(self, encoding: str | None) -> None:
        strokes = "├─ ", "└─ ", "│  "
        try:
            "".join(strokes).encode(encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            strokes = "|- ", "`- ", "|  "
        self.fork, self.last, self.on = strokes


def tree(manifest: Manifest, graph: Graph, branches: Branches, width: int | None) -> str:
    """Return every service that nobody needs, with what it needs below it.

    What a service needs is shown where it is first met; ``width`` cuts descriptions, never ids.
    """
    lines = list(_lines(manifest, graph, branches))
    columns = max(len(line) for line, _ in lines)
    return "\n".join(_beside(line, columns, said, width) for line, said in lines)


def _lines(manifest: Manifest, graph: Graph, branches: Branches) -> Iterator[tuple[str, str]]:
    """Yield each line with what is said of its service; a chain may be longer than a stack."""
    services = {service.id: service for service in manifest.services}
    seen: set[str] = set()
    pending = [(id_, "", "") for id_ in reversed(services) if not graph.dependents(id_)]
    while pending:
        id_, stroke, indent = pending.pop()
        needs = graph.dependencies(id_)
        if id_ in seen:
            yield f"{stroke}{id_}{AGAIN if needs else ''}", ""
            continue
        seen.add(id_)
        yield f"{stroke}{id_}", _said(services[id_])
        for place, needed in enumerate(reversed(needs)):
            mark, on = (branches.fork, branches.on) if place else (branches.last, "   ")
            pending.append((needed, indent + mark, indent + on))


def _said(service: Service) -> str:
    notes = [
        note
        for note, so in (("on demand", service.on_demand), ("not critical", not service.critical))
        if so
    ]
    return ", ".join([service.type, *notes]) + (
        f": {service.description}" if service.description else ""
    )


def _beside(line: str, columns: int, said: str, width: int | None) -> str:
    whole = f"{line.ljust(columns)}  {said}".rstrip()
    if width is None or len(whole) <= width:
        return whole
    return line if columns + 12 > width else f"{whole[: width - 1].rstrip()}…"


def mermaid(manifest: Manifest, graph: Graph) -> str:
    """Return a flowchart whose arrows lead from a service to what it needs."""
    names = {service.id: f"s{place}" for place, service in enumerate(manifest.services)}
    lines = ["flowchart TD"]
    for service in manifest.services:
        label = service.id.replace('"', "#quot;")
        begin, end = ('[["', '"]]') if service.type == UI_BUNDLE else ('["', '"]')
        lines.append(f"    {names[service.id]}{begin}{label}{end}")
    lines += [
        f"    {names[service.id]} --> {names[needed]}"
        for service in manifest.services
        for needed in graph.dependencies(service.id)
    ]
    return "\n".join(lines)


def dot(manifest: Manifest, graph: Graph) -> str:
    """Return the same for Graphviz."""
    lines = [f"digraph {_quoted(manifest.app.name)} {{", "    node [shape=box];"]
    for service in manifest.services:
        style = " [style=dashed]" if service.on_demand or not service.critical else ""
        lines.append(f"    {_quoted(service.id)}{style};")
    lines += [
        f"    {_quoted(service.id)} -> {_quoted(needed)};"
        for service in manifest.services
        for needed in graph.dependencies(service.id)
    ]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
