"""Keys that stand twice in one JSON object: found cheaply, named slowly.

Every key is followed by a quote and a colon, and decoding keeps one of equal keys. So the document
written again has fewer quote-colon pairs than its source exactly when a key was repeated: other
pairs stand in strings, which come out as they went in.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from bundlevisor.manifest.format.findings import Report, child

_ESCAPES = (b"\\u0022", b"\\u003a", b"\\u003A")


def may_repeat_keys(source: bytes, document: object) -> bool:
    """Whether a key may stand twice in an object of ``source``, which decodes to ``document``.

    Only an escaped quote or colon can make it say yes of a document without such keys.
    """
    if any(escape in source for escape in _ESCAPES):
        return True
    return _pairs(source) != msgspec.json.encode(document).count(b'":')


def report_repeated_keys(text: str, report: Report) -> None:
    """Add an error for each key that stands twice in an object; ``text`` is valid JSON."""
    import json

    try:
        document = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # numbers of thousands of digits, or very deep
        return
    pending: list[tuple[Any, str]] = [(document, "")]
    while pending:
        value, path = pending.pop()
        if isinstance(value, _Pairs):
            _report(value, path, report)
            pending.extend((item, child(path, key)) for key, item in value.pairs)
        elif isinstance(value, list):
            pending.extend((item, f"{path}[{place}]") for place, item in enumerate(value))


class _Pairs:
    """An object of the document as it is written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _report(written: _Pairs, path: str, report: Report) -> None:
    for key, times in Counter(key for key, _ in written.pairs).items():
        if times > 1:
            place = child(path, key)
            report.error("duplicate_key", place, f"{place} is written twice; remove one of them.")


def _pairs(source: bytes) -> int:
    """Count the quotes that a colon follows, with or without blanks between them."""
    count = source.count(b'":')
    if any(blank in source for blank in (b" :", b"\t:", b"\n:", b"\r:")):
        import re

        count += len(re.findall(rb'"[ \t\r\n]+:', source))
    return count
