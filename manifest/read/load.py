"""Bytes of a ``bundle.json`` to a Manifest, or every problem at once.

A bundle without unknown fields and nulls goes the fast way, straight into the Structs. All others
are walked by :mod:`bundlevisor.manifest.read.collect`, which names every problem, leaves out what
is unknown, and hands the rest back to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.manifest.check import check
from bundlevisor.manifest.format.findings import Finding, Findings, Report
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read.duplicates import may_repeat_keys, report_repeated_keys
from bundlevisor.manifest.read.source import SourceRefused, read_bytes

if TYPE_CHECKING:
    from bundlevisor.manifest.read.overlay import Merged


class Loaded(msgspec.Struct, frozen=True):
    """What was read: ``manifest`` is None exactly when ``findings`` has errors.

    ``readable`` is what could be read, whatever the rules say of it then, with stand-ins for what
    ``unread`` names.
    """

    manifest: Manifest | None
    findings: Findings
    source: bytes = b""
    """What was read, overlays merged into it; empty where that is no bundle at all."""
    readable: Manifest | None = None
    unread: tuple[Finding, ...] = ()
    merged: Any = None
    """With overlays: :class:`bundlevisor.manifest.read.overlay.Merged`."""

    def and_found(self, more: Findings) -> Loaded:
        """Return the same with further findings, none of them an error."""
        return msgspec.structs.replace(self, findings=self.findings + self.placed(more))

    def certain(self, found: Findings) -> Findings:
        """Return the findings about what was read, and not about stand-ins."""
        if not self.unread:
            return found
        from bundlevisor.manifest.read.partial import trustworthy

        return trustworthy(found, self.unread)

    def placed(self, found: Findings) -> Findings:
        """Return findings about this bundle with the overlays that they concern, if any."""
        if self.merged is None:
            return found
        from bundlevisor.manifest.read.overlay import placed

        return placed(found, self.merged.origins)

    @property
    def sha256(self) -> str:
        """The hexadecimal SHA-256 of the bytes that were read; computed when asked for."""
        return _sha256(self.source)


def _sha256(content: bytes) -> str:
    """Return it without OpenSSL, which hashlib loads: 0.8 MiB, and 15 ms of who asks first."""
    for name in ("_sha2", "_sha256"):  # since Python 3.12, and before
        with suppress(ImportError):
            return str(__import__(name).sha256(content).hexdigest())
    import hashlib  # this Python was built without them

    return hashlib.sha256(content).hexdigest()


def read(path: str, platform_key: str | None = None, overlays: Sequence[str] = ()) -> Loaded:
    """Read and check the bundle in the file ``path``; never raises for what is in the file.

    ``overlays`` are files that change it, in their order.
    """
    try:
        source = read_bytes(path)
    except SourceRefused as refused:
        return Loaded(None, Findings(errors=(Finding(refused.code, "", str(refused)),)))
    if not overlays:
        return parse(source, platform_key)
    from bundlevisor.manifest.read.overlay import merge

    merged = merge(path, source, overlays)
    if not merged.findings.ok:
        return Loaded(None, merged.findings)
    loaded = parse(merged.source, platform_key, merged)
    return msgspec.structs.replace(loaded, findings=loaded.placed(loaded.findings))


def parse(source: bytes, platform_key: str | None = None, merged: Merged | None = None) -> Loaded:
    """Decode and check a bundle; ``platform_key`` is the platform to check it for (this one).

    ``merged`` is what its overlays have made of it.
    """
    manifest, found = decode(source)
    if manifest is None:
        return Loaded(None, found)
    if merged is not None:
        manifest = merged.developed(manifest)
    loaded = Loaded(None, found, source, manifest, found.errors, merged)
    findings = found + loaded.certain(check(manifest, platform_key))
    usable = manifest if findings.ok else None
    return msgspec.structs.replace(loaded, manifest=usable, findings=findings)


def decode(source: bytes) -> tuple[Manifest | None, Findings]:
    """Decode a bundle, its cross-field rules unchecked; None when the bytes are no JSON.

    Where the findings have errors, stand-ins take the place of what is wrong.
    """
    try:
        text = source.decode()
        document = msgspec.json.decode(text)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        from bundlevisor.manifest.read.syntax import explain

        return None, Findings(errors=(explain(source),))
    repeats = may_repeat_keys(source, document)
    if not repeats and b"\\u0000" not in source:
        try:
            return msgspec.convert(document, Manifest), Findings()
        except msgspec.ValidationError:
            pass
    report = Report()
    if repeats:
        report_repeated_keys(text, report)
    return _collect(document, report)


def _collect(document: object, report: Report) -> tuple[Manifest, Findings]:
    from bundlevisor.manifest.read.collect import collect

    known = collect(document, Manifest, report)
    return msgspec.convert(known, Manifest), report.findings()
