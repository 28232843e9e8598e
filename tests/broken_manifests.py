"""Manifests that are broken in one to three places, the same ones at each run: made from a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PICKER = Path(__file__).parent / "manifest" / "bundles" / "picker.json"
COUNT = 1000
SEED = 20

PATHS = (
    "../x.log", "/etc/x", "C:\\x", "c:x.log", "..\\..\\x", "a/../../b", ".", "", "./", "logs",
    "secrets.json", "runtime/lock", "RUNTIME/Lock", "telemetry/events.jsonl", "nul", "a:b", "x. ",
    "${data}", "${data}/../x", "${bundle}/bin", "${api.http}", "${ap.http}", "${x", "a\u0000b",
    "\u00e9", "a\nb", "x" * 300, "bin/store", "data/store", "snapshots", "//x", "\\\\host\\x",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, 1e300, 2**53, 10**25, 65536, [], {}, [None], [[]], {"a": 1},
    {"": ""}, "x", " ", "always", "(", "(?=a)", "SIGKILL", "log_match", "http", "file", "0.1",
)  # fmt: skip
NAMING = ("path", "log_dir", "data_dirs", "cwd", "auth_token_path", "file", "name")
NAMES = ("depends_on", "environment", "x", "", "Id", "a b", "\u0000", "command", "$schema")


def broken() -> Iterator[bytes]:
    """Yield manifests, most of them broken."""
    return map(broken_one, range(COUNT))


def broken_one(number: int) -> bytes:
    """Return one of these manifests."""
    chance = random.Random(f"{SEED}/{number}")
    document = json.loads(PICKER.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _break(document, chance)
    source = json.dumps(document).encode()
    return _torn(source, chance) if chance.random() < 0.02 else source


def _break(document: Any, chance: random.Random) -> None:
    """Change one place somewhere in the document."""
    places = _places(document)
    if chance.random() < 0.3:
        holder, key = chance.choice([place for place in places if place[1] in NAMING])
        holder[key] = [chance.choice(PATHS)] if key == "data_dirs" else chance.choice(PATHS)
        return
    holder, key = chance.choice(places)
    value = holder[key]
    act = chance.random()
    if act < 0.15:
        del holder[key]
    elif act < 0.25 and isinstance(holder, dict):
        holder[chance.choice(NAMES)] = holder.pop(key)
    elif act < 0.35 and isinstance(holder, list):
        holder.append(copy.deepcopy(value))
    elif act < 0.4 and isinstance(value, (dict, list)):
        holder[key] = type(value)()
    elif act < 0.75 and isinstance(value, str):
        holder[key] = chance.choice(PATHS)
    else:
        holder[key] = chance.choice(VALUES)


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Return every holder of a value with the key or number under which it has it."""
    places: list[tuple[Any, Any]] = []

    def gather(holder: Any) -> None:
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            places.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                gather(holder[key])

    gather(document)
    return places


def _torn(source: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(source))
    return chance.choice(
        (source[:at], source[:at] + b"\xff" + source[at:], b"\xef\xbb\xbf" + source)
    )
