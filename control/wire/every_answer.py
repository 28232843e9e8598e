"""What every answer of the control API says, those before Falcon is imported included."""

from __future__ import annotations

EVERY_ANSWER = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Nothing is kept (``/secrets``, logs), and no media type is guessed."""
