"""Each finding is told in these words, at this place and of this service.

Every line of ``bundles/findings.jsonl`` is a bundle, as what it has beside :func:`bundle` of the
fixtures, with all that is found in it. ``python -m tests.manifest.test_sentences`` writes the file
anew after a sentence has been changed: what ``git diff`` shows is what users will read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.read.load import parse
from tests.manifest.conftest import document

FILE = Path(__file__).parent / "bundles" / "findings.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="ascii").splitlines()]


def found_in(case: dict[str, Any]) -> list[list[str]]:
    """All that is found: severity, code, path, service, sentence."""
    top = dict(case["bundle"])
    source = json.dumps(document(*top.pop("services", ()), **top)).encode()
    found = parse(source, case["platform"]).findings
    parts = {"error": found.errors, "service": found.service_errors, "warning": found.warnings}
    return [
        [severity, one.code, one.path, one.service, one.message]
        for severity, findings in parts.items()
        for one in findings
    ]


def name(case: dict[str, Any]) -> str:
    """Return the code of what is found first."""
    return str(case["found"][0][1]) if case["found"] else "nothing"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_found_is_told_in_these_words(case: dict[str, Any]) -> None:
    assert found_in(case) == case["found"]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_sentence_names_its_own_place_at_its_head_or_not_at_all(case: dict[str, Any]) -> None:
    """It is shown behind its place, unless it begins with it."""
    for _, _, path, _, message in case["found"]:
        assert "." not in path or path not in message.removeprefix(path), message


if __name__ == "__main__":
    lines = [json.dumps(case | {"found": found_in(case)}) for case in CASES]
    FILE.write_text("\n".join(lines) + "\n", encoding="ascii")
