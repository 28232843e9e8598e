"""What is wrong with a bundle: findings, each with a code, a JSON path and a sentence.

The codes and their meanings stand in :mod:`bundlevisor.manifest.format.codes`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

SHOWN = 1000
"""How many findings of one severity are kept; the rest is only counted."""

TOO_MANY = "too_many_findings"
"""The code of the finding that tells how many are not shown; it stands last."""

HINTED = 100
"""How many findings are worth a search for near matches."""


def told(file: str, path: str, message: str) -> str:
    """Return a sentence behind its place; one that begins with its path has it once."""
    place = "" if message.startswith(f"{path} ") else path
    return ": ".join(part for part in (file, place, message) if part)


class InFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an overlay: its path; empty for the bundle itself."""

    file: str = ""


class Finding(InFile, frozen=True):
    """One thing that is wrong.

    ``path`` is a JSON path such as ``services[2].health.type``; empty for the file as a whole.
    ``service`` is the id of the service that it concerns, if there is one. Where ``file`` names an
    overlay, the path is the one in there.
    """

    code: str
    path: str
    message: str
    service: str = ""

    def told(self, bundle: str = "") -> str:
        """Return place and sentence for a person; ``bundle`` is the place of it as a whole."""
        place = self.file or bundle
        named = (self.path and not self.file) or repr(place) in self.message
        return told("" if named else place, self.path, self.message)

    def __post_init__(self) -> None:
        """Write line ends and the like as escapes: a sentence is one line, whatever it quotes."""
        if not self.message.isprintable():
            msgspec.structs.force_setattr(self, "message", escaped(self.message))


class TooMany(Finding, frozen=True):
    """Tells how many findings are not shown."""

    dropped: int = 0


class Findings(msgspec.Struct, frozen=True):
    """Everything that is wrong, each part sorted by path.

    ``errors`` are of the manifest itself and end the start (exit code 2). ``service_errors`` fail
    only the service that they name. ``warnings`` fail nothing.
    """

    errors: tuple[Finding, ...] = ()
    service_errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the bundle can be started at all: there are no errors."""
        return not self.errors

    def __add__(self, other: Findings) -> Findings:
        return joined((self, other))


def joined(parts: Iterable[Findings]) -> Findings:
    """Return all findings as one; of each severity the first SHOWN and how many there are more."""
    several = tuple(parts)
    return Findings(
        _bounded([one for part in several for one in part.errors], "errors"),
        _bounded([one for part in several for one in part.service_errors], "service errors"),
        _bounded([one for part in several for one in part.warnings], "warnings"),
    )


class Report:
    """Collects findings while a bundle is looked at."""

    def __init__(self) -> None:
        self._errors: list[Finding] = []
        self._service_errors: list[Finding] = []
        self._warnings: list[Finding] = []
        self._dropped: dict[str, int] = {}

    def error(self, code: str, path: str, message: str, service: str = "") -> None:
        """Add an error of the manifest."""
        self._add(self._errors, Finding(code, path, message, service))

    def service_error(self, code: str, path: str, message: str, service: str) -> None:
        """Add an error that fails only this service."""
        self._add(self._service_errors, Finding(code, path, message, service))

    def warning(self, code: str, path: str, message: str, service: str = "") -> None:
        """Add a warning."""
        self._add(self._warnings, Finding(code, path, message, service))

    @property
    def many(self) -> bool:
        """Whether so much was found that another search for a near match is not worth it."""
        return len(self._errors) + len(self._service_errors) + len(self._warnings) >= HINTED

    def findings(self) -> Findings:
        """Return everything found so far."""
        return Findings(
            _bounded(self._errors, "errors", self._dropped.get("errors", 0)),
            _bounded(
                self._service_errors, "service errors", self._dropped.get("service errors", 0)
            ),
            _bounded(self._warnings, "warnings", self._dropped.get("warnings", 0)),
        )

    def _add(self, kept: list[Finding], finding: Finding) -> None:
        if len(kept) < SHOWN:
            kept.append(finding)
        else:
            name = self._name(kept)
            self._dropped[name] = self._dropped.get(name, 0) + 1

    def _name(self, kept: list[Finding]) -> str:
        if kept is self._errors:
            return "errors"
        return "warnings" if kept is self._warnings else "service errors"


def child(path: str, key: str) -> str:
    """Return the path of a member: ``a.b``, or ``a["b c"]`` where the key is not a plain word."""
    if not key.replace("-", "_").isidentifier():
        key = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped(key)}"]'
    return f"{path}.{key}" if path else key


def escaped(text: str) -> str:
    """Return a text with what cannot be printed as in a Python string: ``\\n``, ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable() or "\ud800" <= one <= "\udfff"
        else one.encode("unicode_escape").decode()
        for one in text
    )


def _bounded(found: list[Finding], name: str, dropped: int = 0) -> tuple[Finding, ...]:
    """Return findings in their order, at most SHOWN, and last how many there are more."""
    kept = [one for one in found if not isinstance(one, TooMany)]
    dropped += sum(one.dropped for one in found if isinstance(one, TooMany))
    if len(kept) > 1:
        kept.sort(key=_order)
    dropped += max(0, len(kept) - SHOWN)
    if not dropped:
        return tuple(kept)
    sentence = f"{dropped} more {name} are not shown; mend these first."
    return (*kept[:SHOWN], TooMany(TOO_MANY, "", sentence, dropped=dropped))


def _order(finding: Finding) -> tuple[list[tuple[bool, int, str]], str, str]:
    """Order by path, numbers as numbers: ``services[2]`` before ``services[10]``."""
    parts = finding.path.replace("[", ".").replace("]", "").split(".")
    numbered = [(False, int(part), "") if _is_number(part) else (True, 0, part) for part in parts]
    return numbered, finding.code, finding.message


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10
