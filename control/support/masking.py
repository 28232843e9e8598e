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
AFTER = rb"(?=[/\\\"'\s:;,)\]}]|%5[Cc]|%2[Ff]|$)"
SEPARATOR = rb"([/\\]|%2[Ff]|%5[Cc])"


class Mask:
    """``apply(data)`` returns data without secrets (by id), and with ``~`` for the home folder.

    A home that is no folder of its own (``/``, a drive) is no user's, and is not masked.
    """

    def __init__(self, secrets: Mapping[str, str], home: str) -> None:
        self._secrets = forms(secrets)
        self._masked: list[tuple[re.Pattern[bytes], bytes]] = []
        folder = home.rstrip("/\\")
        *above, name = re.split(r"[/\\]", folder)
        if above:
            path = _any_of(folder, folder.replace("\\", "/"))
            self._masked.append((re.compile(BEFORE + path + AFTER), b"~"))
            if len(name) >= SHORTEST_NAME and name.lower() != "root":
                self._masked.append((re.compile(SEPARATOR + _any_of(name) + AFTER), rb"\1USER"))

    def apply(self, data: bytes) -> bytes:
        """Mask one whole file, or one whole part of it."""
        redactor = Redactor(self._secrets)
        data = redactor.feed(data) + redactor.flush()
        for pattern, instead in self._masked:
            data = pattern.sub(instead, data)
        return data


def _any_of(*texts: str) -> bytes:
    """Return a pattern of texts as files spell them: plainly, in JSON, in a URL."""
    found: list[bytes] = []
    for text in texts:
        raw = text.encode("utf-8", "surrogateescape")
        urls = [quote(raw).encode(), quote(raw, safe="").encode()]
        plain = [raw, *urls, *(re.sub(rb"%..", lambda code: code[0].lower(), url) for url in urls)]
        in_json = [form for _, form in forms({"": text})]
        found += [*plain, *in_json, json_text.encode(text)[1:-1]]
    return b"(?:" + b"|".join(map(re.escape, dict.fromkeys(found))) + b")"
