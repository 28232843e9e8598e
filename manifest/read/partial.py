"""Which cross-field findings hold although parts of the bundle could not be read."""

from __future__ import annotations

from bundlevisor.manifest.format.findings import Finding, Findings

_NEED_IDS = frozenset(("unknown_dependency", "unresolved_template"))
_NEED_SECRETS = frozenset(("unknown_secret",))
_NEED_PORTS = frozenset(
    (
        "unknown_port",
        "probe_without_port",
        "port_ambiguous",
        "ui_without_port",
        "unresolved_template",
    )
)
_NEED_RANGES = frozenset(("port_range_exhausted", "port_refused_by_browsers"))
_NEED_KIND = frozenset(("page_missing", "binary_is_directory", "binary_not_executable"))
"""Of the same service: what it is decides what its files must be."""


def trustworthy(found: Findings, unread: tuple[Finding, ...]) -> Findings:
    """Return the findings that do not come from the stand-ins for what ``unread`` names."""
    paths = [finding.path for finding in unread]
    if "" in paths:  # nothing could be read
        return Findings()
    owners = {_owner(path) for path in paths}
    doubtful = frozenset[str]().union(*(_doubtful(path) for path in paths))
    kindless = {
        holder
        for holder, _, field in (path.partition(".") for path in paths)
        if field.startswith(("type", "binaries"))
    }

    def keep(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(
            _nameless(finding)
            for finding in findings
            if finding.code not in doubtful and owners.isdisjoint(_enclosing(finding.path))
            if finding.code not in _NEED_KIND or finding.path.partition(".")[0] not in kindless
        )

    return Findings(keep(found.errors), keep(found.service_errors), keep(found.warnings))


def _owner(path: str) -> str:
    """Return the part of the bundle that an unread path makes doubtful.

    That is the path itself, or the Struct around it where that lies deeper: a health check whose
    type is unknown says nothing about its port. Of a secret it is all.
    """
    holder, inside, _ = path.partition("].")
    if inside and holder.startswith("secrets["):
        return f"{holder}]"
    return path.rpartition(".")[0] if path.count(".") > 1 else path


def _enclosing(path: str) -> set[str]:
    """Return a path and everything around it: ``a.b[1]`` is in ``a.b`` and ``a``."""
    cuts = [place for place, letter in enumerate(path) if letter in ".["]
    return {path, *(path[:cut] for cut in cuts)}


def _doubtful(path: str) -> frozenset[str]:
    """Return the codes of what may only be found because this path was not read."""
    field = path.partition("].")[2]
    nameless = field in ("", "id")
    if path.startswith("secrets"):
        return _NEED_SECRETS if nameless else frozenset()
    if path.startswith("ports"):
        return _NEED_RANGES
    if not path.startswith("services"):
        return frozenset()
    if nameless:
        return _NEED_IDS | _NEED_PORTS
    return _NEED_PORTS | _NEED_RANGES if field.startswith("ports") else frozenset()


def _nameless(finding: Finding) -> Finding:
    """Take the stand-in for a missing id away: it is the service's path."""
    if not finding.service.startswith("services["):
        return finding
    return Finding(finding.code, finding.path, finding.message)
