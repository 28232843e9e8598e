"""The process table, under the name by which the trees of services know it."""

from __future__ import annotations

from actors.table import alive, census, created, mark_of, send, status_of

__all__ = ["alive", "census", "created", "mark_of", "send", "status_of"]
