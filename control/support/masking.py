"""Taking out of a file what must not leave the machine: secrets, the token, the user's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from bundlevisor.actors.files import json_text
from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.logs.secret_forms import forms

SHORTEST_NAME = 2
"""Letters of a user's name that is masked also where it stands apart from the home folder."""
BEFORE = rb"(?<![\w.-])"
AFTER = rb"(?=[/\\\"'\s:;,)\]}]|%5C|%2F|$)"


class Mask:
    """``apply(data)`` returns data without secrets (by id), and with ``~`` for the home folder."""

    def __init__(self, secrets: Mapping[str, str], home: str) -> None:
        self._secrets = forms(secrets)
        self._places = [(form, b"~") for form in _forms_of_path(home)]
        name = re.split(r"[/\\]", home.rstrip("/\\"))[-1]
        users = len(name) >= SHORTEST_NAME and name.lower() != "root"
        self._name = _as_folder(name) if users else None

    def apply(self, data: bytes) -> bytes:
        """Mask one whole file, or one whole part of it."""
        redactor = Redactor(self._secrets)
        data = redactor.feed(data) + redactor.flush()
        for form, instead in self._places:
            data = re.sub(BEFORE + re.escape(form) + AFTER, instead, data)
        return self._name.sub(rb"\1USER", data) if self._name else data


def _forms_of_path(home: str) -> list[bytes]:
    """Return a path as files spell it: plainly, in JSON, in a URL; the longest first."""
    if len(home.rstrip("/\\")) < SHORTEST_NAME:
        return []
    texts = {home, home.replace("\\", "/"), quote(home), quote(home, safe="")}
    texts |= {json_text.encode(text).decode()[1:-1] for text in list(texts)}
    found = {text.encode("utf-8", "surrogateescape") for text in texts}
    return sorted(found, key=len, reverse=True)


def _as_folder(name: str) -> re.Pattern[bytes]:
    return re.compile(
        rb"([/\\]|%2F|%5C)" + re.escape(name.encode("utf-8", "surrogateescape")) + AFTER
    )
