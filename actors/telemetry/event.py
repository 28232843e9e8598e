"""One telemetry event: a line of JSON.

Annotations are evaluated as they stand, as in :mod:`bundlevisor.manifest.format.schema`.
"""

from typing import Any

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.actors.files.json_text import readable


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``ts`` is RFC 3339 in UTC with milliseconds; ``seq`` grows by one, across starts too."""

    ts: str
    seq: int
    event: str
    service_id: str = ""
    details: dict[str, Any] = {}


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same, with details that are JSON already."""

    ts: str
    seq: int
    event: str
    service_id: str = ""
    details: msgspec.Raw | None = None


class _Numbered(msgspec.Struct, frozen=True):
    seq: int


_encoder = msgspec.json.Encoder(enc_hook=str)
_events = msgspec.json.Decoder(Event)
_numbers = msgspec.json.Decoder(_Numbered)


def encode_details(details: dict[str, object]) -> bytes:
    """Return JSON. What is not of JSON's kinds becomes its ``str``; never raises."""
    try:
        return _encoder.encode(details)
    except UnicodeEncodeError:
        return json_text.encode(details)
    except Exception:  # noqa: BLE001 - a strange value costs itself only, not the event
        return _encoder.encode({_text(key): _plain(value) for key, value in details.items()})


def encode(ts: str, seq: int, event: str, service_id: str, details: bytes) -> bytes:
    """Return the event's line; ``details`` is JSON, or empty."""
    raw = msgspec.Raw(details) if details else None
    line = _Line(ts=ts, seq=seq, event=event, service_id=service_id, details=raw)
    return _encoder.encode(line) + b"\n"


def decode(line: bytes) -> Event | None:
    """Return the event of a line; None for a line that is none (torn by a crash)."""
    try:
        return _events.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def number(line: bytes) -> int | None:
    """Return the sequence number of a line; None for a line that is no event."""
    try:
        return _numbers.decode(line).seq
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _plain(value: object) -> object:
    try:
        _encoder.encode(value)
    except Exception:  # noqa: BLE001 - see encode_details
        return _text(value)
    return value


def _text(value: object) -> str:
    try:
        return readable(str(value))
    except Exception:  # noqa: BLE001 - a __str__ that raises
        return f"<{type(value).__name__}>"
