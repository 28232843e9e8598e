"""Overlays: files that change a bundle for a run, such as another binary while it is developed.

As JSON Merge Patch (RFC 7396) says: objects are merged, null removes, anything else replaces. Lists
of what has a name of its own (``services``, ``secrets``, a service's ``ports.requested``) are
merged by that name, and may be written as objects with it as key, so that null removes here too.
Two things are meant for development: ``universal`` stands for every platform, and a binary's
``path`` and ``cwd`` may lead out of the bundle, as seen from the overlay's folder; a program that
the bundle has not is looked for on PATH.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from bundlevisor.manifest.format.findings import Finding, Findings, Report, child
from bundlevisor.manifest.format.platform import UNIVERSAL, canonical
from bundlevisor.manifest.format.schema import Binary, Manifest
from bundlevisor.manifest.plan.command import on_path
from bundlevisor.manifest.plan.launch import DevelopedBinary
from bundlevisor.manifest.read.duplicates import may_repeat_keys, report_repeated_keys
from bundlevisor.manifest.read.origins import Origins, Steps, origin_of
from bundlevisor.manifest.read.source import SourceRefused, read_bytes

NAMED_BY: dict[Steps, str] = {
    ("services",): "id",
    ("secrets",): "id",
    ("services", "*", "ports", "requested"): "name",
}
"""The lists that are merged item by item, with what names an item; ``*`` is any."""
_LEAVES = re.compile(r"\.\.([/\\]|$)")


class Merged(msgspec.Struct, frozen=True):
    """A bundle with its overlays: ``source`` is JSON, merged in part where there are errors."""

    source: bytes
    findings: Findings
    origins: Origins = msgspec.field(default_factory=Origins)
    outside: frozenset[str] = frozenset()
    """Absolute programs and folders that may lie outside of the bundle."""

    def developed(self, manifest: Manifest) -> Manifest:
        """Return the manifest in which these binaries are allowed to be where they are."""
        return msgspec.structs.replace(
            manifest,
            services=[
                msgspec.structs.replace(
                    service,
                    binaries={key: self._developed(one) for key, one in service.binaries.items()},
                )
                for service in manifest.services
            ],
        )

    def _developed(self, binary: Binary) -> Binary:
        if self.outside.isdisjoint((binary.path, binary.cwd)):
            return binary
        return DevelopedBinary(**msgspec.structs.asdict(binary))


def merge(bundle: str, source: bytes, overlays: Sequence[str]) -> Merged:
    """Merge the overlays (paths of files, in their order) into the bundle of ``source``.

    Where ``source`` itself is no JSON it is returned as it is: its reader says what is wrong.
    """
    try:
        document = msgspec.json.decode(source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Merged(source, Findings())
    origins, outside = Origins(), set[str]()
    found = _repeated(source, document, "")
    for path in overlays:
        overlay, wrong = _read(path)
        found += wrong
        if wrong.ok and isinstance(document, dict):
            _take_programs(overlay, path, os.path.dirname(os.path.abspath(bundle)), outside)
            merging = _Merging(path, origins)
            document = merging.objects(document, overlay, (), "")
            found += Findings(errors=tuple(merging.errors))
    origins.document = document
    return Merged(msgspec.json.encode(document), found, origins, frozenset(outside))


def _read(path: str) -> tuple[dict[str, Any], Findings]:
    try:
        source = read_bytes(path)
    except SourceRefused as refused:
        sentence = f"cannot read the overlay {path!r}: {refused.reason}."
        return {}, Findings(errors=(Finding(refused.code, "", sentence, file=path),))
    try:
        document = msgspec.json.decode(source.decode())
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        from bundlevisor.manifest.read.syntax import explain

        return {}, Findings(errors=(msgspec.structs.replace(explain(source), file=path),))
    if not isinstance(document, dict):
        sentence = "an overlay must be an object with the fields of a bundle that it changes."
        return {}, Findings(errors=(Finding("overlay_unclear", "", sentence, file=path),))
    return document, _repeated(source, document, path)


def _repeated(source: bytes, document: object, file: str) -> Findings:
    if not may_repeat_keys(source, document):
        return Findings()
    report = Report()
    report_repeated_keys(source.decode(), report)
    errors = report.findings().errors
    return Findings(errors=tuple(msgspec.structs.replace(one, file=file) for one in errors))


class _Merging:
    """One overlay on its way into the document."""

    def __init__(self, file: str, origins: Origins) -> None:
        self._file = file
        self._origins = origins
        self.errors: list[Finding] = []

    def objects(
        self, base: dict[str, Any], over: dict[str, Any], to: Steps, at: str
    ) -> dict[str, Any]:
        """Return an object with what another one changes in it."""
        merged = dict(base)
        of_platforms = to[:1] == ("services",) and to[2:] == ("binaries",)
        named = []
        for key, value in over.items():
            name = _spelled_in(base, key) if of_platforms else key
            named.append(name)
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = self._value(merged.get(name), value, (*to, name), child(at, key))
        if of_platforms and UNIVERSAL in over:
            return {name: one for name, one in merged.items() if name in named}
        return merged

    def _value(self, base: Any, over: Any, to: Steps, at: str) -> Any:
        if (name := naming(to)) and isinstance(over, (list, dict)):
            if isinstance(base, list) or base is None:
                return self._list(base or [], over, name, to, at)
            return base  # the reader says what is wrong with it
        if not (isinstance(base, dict) and isinstance(over, dict)):
            self._origins.places[to] = (self._file, at)
        if isinstance(over, dict):
            return self.objects(base if isinstance(base, dict) else {}, over, to, at)
        return over

    def _list(
        self, base: list[Any], over: list[Any] | dict[str, Any], name: str, to: Steps, at: str
    ) -> list[Any]:
        """Return a list with its items changed, added and removed by their names."""
        merged = list(base)
        for item, place in self._items(over, name, at):
            id_ = item[name]
            index = next((n for n, one in enumerate(merged) if _named(one, name) == id_), None)
            if item.get(_REMOVED):
                self._origins.removed[*to, id_] = self._file
                merged = [one for one in merged if _named(one, name) != id_]
            elif index is None:
                self._origins.places[*to, id_] = (self._file, place)
                merged.append(self.objects({}, item, (*to, id_), place))
            else:
                merged[index] = self.objects(merged[index], item, (*to, id_), place)
        return merged

    def _items(
        self, over: list[Any] | dict[str, Any], name: str, at: str
    ) -> list[tuple[dict[str, Any], str]]:
        """Return each item with its place in the overlay; what has no name is an error."""
        if isinstance(over, dict):
            written = [(self._by_key(key, one, name), child(at, key)) for key, one in over.items()]
        else:
            written = [(one, f"{at}[{index}]") for index, one in enumerate(over)]
        items = []
        for item, place in written:
            if isinstance(_named(item, name), str):
                items.append((item, place))
            else:
                sentence = f"{place} must be an object with '{name}': that says what it changes."
                self.errors.append(Finding("overlay_unclear", place, sentence, file=self._file))
        return items

    @staticmethod
    def _by_key(key: str, item: Any, name: str) -> Any:
        if item is None:
            return {name: key, _REMOVED: True}
        return {name: key, **item} if isinstance(item, dict) else item


_REMOVED = "\0removed"
"""Marks an item that null takes away; no JSON of ours has such a key."""


def naming(steps: Steps) -> str | None:
    """Return by which member the items of a list are known; None for other lists."""
    return NAMED_BY.get(steps) or NAMED_BY.get((*steps[:1], "*", *steps[2:]))


def placed(findings: Findings, origins: Origins) -> Findings:
    """Return findings with the overlay and the place in it where that is what is wrong."""
    return Findings(
        *(
            tuple(origin_of(finding, origins, naming) for finding in part)
            for part in (findings.errors, findings.service_errors, findings.warnings)
        )
    )


def _spelled_in(base: dict[str, Any], key: str) -> str:
    """Return how the bundle spells a platform: ``linux-amd64`` is ``linux-x64``."""
    if key in base:
        return key
    return next((one for one in base if canonical(one) == canonical(key)), key)


def _named(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else None


def _take_programs(overlay: dict[str, Any], file: str, bundle: str, outside: set[str]) -> None:
    """Make the paths of binaries absolute that lie outside, and remember them."""
    services = overlay.get("services")
    folder = os.path.dirname(os.path.abspath(file))
    if isinstance(services, dict):
        services = list(services.values())
    for service in services if isinstance(services, list) else ():
        binaries = service.get("binaries") if isinstance(service, dict) else None
        for binary in binaries.values() if isinstance(binaries, dict) else ():
            for field in ("path", "cwd") if isinstance(binary, dict) else ():
                found = _outside(field, binary.get(field), folder, bundle)
                if found:
                    binary[field] = found
                    outside.add(found)


def _outside(field: str, text: object, folder: str, bundle: str) -> str:
    """Return the absolute path that an overlay means, empty for one within the bundle."""
    if not isinstance(text, str) or "\0" in text:
        return ""
    if os.path.isabs(text) or _LEAVES.match(text):
        return os.path.normpath(os.path.join(folder, text.replace("\\", os.sep)))
    if field == "path" and not os.path.exists(os.path.join(bundle, text)):
        return on_path(text, os.environ)
    return ""
