"""A log that cannot be read: it is told which, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.control.wire.errors import Refusal


@contextmanager
def told_of(service_id: str) -> Iterator[None]:
    """Read a service's log in this block."""
    try:
        yield
    except OSError as error:
        sentence = f"service '{service_id}': its log cannot be read: {error_text(error)}"
        what = "see that this user may read it, and that its disk is well"
        raise Refusal(500, "log_unreadable", f"{sentence}; {what}") from None
