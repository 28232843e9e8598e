"""What every body is made of, and the body of ``/healthz``: the first answer needs no other."""

from __future__ import annotations

from typing import Literal

import msgspec

Word = Literal["ok", "degraded", "failed", "stopping"]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer and request."""


class Health(Body, frozen=True, kw_only=True):
    """Whether the supervisor answers, and how the bundle is."""

    status: Word
    services: int
    runtime: str
