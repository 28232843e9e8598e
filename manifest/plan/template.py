"""``${data}``, ``${bundle}`` and ``${SERVICE.PORT}`` in a service's environment and arguments.

``${WORD}`` of any other shape stays as it is: it may be the program's own. ``${x.y}`` that names
no port is an error. Where ``x`` itself has dots, it is one only when ``x`` is a service, or nearly
one that has dots itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

import msgspec

from bundlevisor.manifest.format.suggest import COMPARED, near, quoted

Names = Mapping[str, Collection[str]]
"""The port names of every service."""

_LONGEST = 512
"""What is longer than this is no reference: it is the program's own."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What templates are rendered with: absolute folders, and the allocated ports."""

    data: str
    bundle: str
    ports: dict[str, dict[str, int]] = {}


class Unresolved(ValueError):
    """A reference that names no port; the message is a sentence without its service."""

    def __init__(self, reference: str, near: list[str]) -> None:
        """``reference`` is what stands between the braces, ``near`` the ports that may be meant."""
        meant = quoted([f"${{{match}}}" for match in near], "or")
        did_you_mean = f"; did you mean {meant}?" if meant else "; no service has such a port."
        super().__init__(f"${{{reference}}} names no port{did_you_mean}")


def render(text: str, scope: Scope) -> str:
    """Return ``text`` with its templates replaced; raises Unresolved."""
    if "${" not in text:
        return text
    pieces: list[str] = []
    end = 0
    for start, stop in _braces(text):
        pieces += (text[end:start], _value(text[start + 2 : stop - 1], scope))
        end = stop
    return "".join((*pieces, text[end:]))


def references(text: str, ports: Names) -> set[tuple[str, str]]:
    """Return the ports that ``text`` names, as (service, port name)."""
    pairs = (split(text[start + 2 : stop - 1], ports) for start, stop in _braces(text))
    return {pair for pair in pairs if pair}


def unresolved(text: str, ports: Names) -> list[str]:
    """Return every reference in ``text`` that looks like a port and names none."""
    missing: list[str] = []
    for start, stop in _braces(text):
        token = text[start + 2 : stop - 1]
        if "." in token and not split(token, ports) and _means_port(token, ports):
            missing.append(token)
    return missing


def first_template(text: str, ports: Names) -> str:
    """Return the first ``${...}`` of a text that would be replaced; empty when there is none."""
    for start, stop in _braces(text):
        token = text[start + 2 : stop - 1]
        if token in ("data", "bundle") or split(token, ports):
            return text[start:stop]
    return ""


def split(token: str, ports: Names) -> tuple[str, str] | None:
    """Split ``SERVICE.PORT`` at the last dot that gives a known pair; None when none does."""
    if len(token) > _LONGEST:
        return None
    dot = token.rfind(".")
    while dot > 0:
        service, port = token[:dot], token[dot + 1 :]
        if port in ports.get(service, ()):
            return service, port
        dot = service.rfind(".")
    return None


def _value(token: str, scope: Scope) -> str:
    if token == "data":  # noqa: S105 - the name of a template
        return scope.data
    if token == "bundle":  # noqa: S105
        return scope.bundle
    pair = split(token, scope.ports)
    if pair:
        return str(scope.ports[pair[0]][pair[1]])
    if _means_port(token, scope.ports):
        raise Unresolved(token, near_ports(token, scope.ports))
    return f"${{{token}}}"


def _braces(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each ``${...}`` starts and ends; of nested ones, the innermost."""
    stop = 0
    while (start := text.find("${", stop)) >= 0 and (brace := text.find("}", start)) >= 0:
        start = text.rfind("${", start, brace)
        stop = brace + 1
        yield start, stop


def _means_port(token: str, ports: Names) -> bool:
    service, dot, port = token.rpartition(".")
    if not dot or not service or not port or len(token) > _LONGEST:
        return False
    if not _PLAIN.issuperset(token):
        return False
    if not service[0].isalnum() or not service[-1].isalnum():
        return False
    if "." not in service or service in ports:
        return True
    return bool(near(service, [id_ for id_ in islice(ports, COMPARED) if "." in id_]))


def near_ports(token: str, ports: Names) -> list[str]:
    """Return up to three ports that a reference may mean, the likeliest first."""
    service, _, port = token.rpartition(".")
    known = (f"{id_}.{name}" for id_, names in ports.items() for name in names)
    own = [f"{service}.{name}" for name in islice(ports.get(service, ()), 3)]
    same_name = [f"{id_}.{port}" for id_ in near(service, ports) if port in ports[id_]]
    return list(dict.fromkeys(same_name + near(token, known) + own))[:3]
