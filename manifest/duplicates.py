"""Keys that stand twice in one JSON object: found cheaply, named slowly.

Every key ends with a quote and a colon, and a decoded dict has one entry for each different key. So
a count of quote-colon pairs in the bytes that equals the number of entries proves that no key
repeats. Strings that begin with a colon make the count too high: then the slow way decides.
"""

from __future__ import annotations

from typing import Any

from manifest.findings import Report, child


def may_repeat_keys(source: bytes, document: object) -> bool:
    """Whether a key may stand twice in an object of ``source``, which decodes to ``document``."""
    return _colons(source) != _entries(document)


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
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for key, _ in written.pairs:
        if key in seen:
            repeated[key] = None
        seen.add(key)
    for key in repeated:
        place = child(path, key)
        report.error("duplicate_key", place, f"{place} is written twice; remove one of them.")


def _colons(source: bytes) -> int:
    """Count the quotes that a colon follows; at least one for each key."""
    count = source.count(b'":')
    if any(blank in source for blank in (b" :", b"\t:", b"\n:", b"\r:")):
        import re

        count += len(re.findall(rb'"[ \t\r\n]+:', source))
    return count


def _entries(document: object) -> int:
    count = 0
    pending = [document]
    while pending:
        value = pending.pop()
        if type(value) is dict:
            count += len(value)
            pending.extend(value.values())
        elif type(value) is list:
            pending.extend(value)
    return count
