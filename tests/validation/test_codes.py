"""The codes of findings: all that is given is registered, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.manifest.format import codes

ROOT = Path(__file__).parent.parent.parent
OF_ISSUES = [
    "binary_not_defined",
    "binary_missing",
    "binary_is_directory",
    "binary_not_executable",
    "binary_wrong_architecture",
    "asset_missing",
    "asset_is_directory",
    "asset_unreadable",
    "checksum_mismatch",
    "asset_size_exceeded",
    "asset_size_suspicious",
    "asset_size_warning",
    "unresolved_template",
    "unknown_dependency",
    "dependency_cycle",
    "port_range_exhausted",
    "path_escapes_root",
    "unknown_field",
]


def sources() -> Iterator[str]:
    for room in ("manifest", "actors", "control"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name != "codes.py":
                yield path.read_text(encoding="utf-8")


def test_no_code_stands_in_two_parts() -> None:
    assert sum(map(len, codes.PARTS.values())) == len(codes.MEANINGS)


@pytest.mark.parametrize("code", OF_ISSUES)
def test_what_shells_know_is_registered(code: str) -> None:
    assert code in codes.MEANINGS


def test_every_code_that_is_registered_is_given_somewhere() -> None:
    words = {word for source in sources() for word in re.findall(r'"([a-z0-9_]+)"', source)}
    assert set(codes.MEANINGS) - words == set()


def test_every_code_that_is_given_is_registered() -> None:
    pattern = (
        r'(?:Finding|\.finding|Unusable|_failed|\.(?:service_)?error|\.warning)\(\s*"([a-z_]+)"'
    )
    given = {code for source in sources() for code in re.findall(pattern, source)}
    assert len(given) > 40
    assert given - set(codes.MEANINGS) == set()
