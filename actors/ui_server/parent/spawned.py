"""What a start of the UI server's process gives, on every platform."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bundlevisor.actors.process.children import Child


class Spawned(msgspec.Struct, frozen=True):
    """The process, and how to free what was kept for it here (any number of times)."""

    child: Child
    release: Callable[[], None]
