"""The body of ``/healthz``: the first answer of a runtime needs no other shape."""

from __future__ import annotations

from typing import Literal

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every answer and request."""


class Health(Body, frozen=True, kw_only=True):
    """Whether the supervisor answers, and how the bundle is."""

    status: Literal["ok", "degraded", "failed", "stopping"]
    services: int
    runtime: str
