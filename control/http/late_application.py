"""The application, made when the first request needs it: Falcon is imported for none before.

Most runs never need it: health, readiness and ports are what an application asks for, and they are
answered without (:mod:`bundlevisor.control.http.direct_answers`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from bundlevisor.actors.stand_ins import for_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundlevisor.control.api.app import Wsgi
    from bundlevisor.control.dashboard.guests import Guests
    from bundlevisor.control.http.memory import Memory
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import RuntimeApi


class LateApplication:
    """A WSGI application; the first requests wait while it is made, once, by one of them."""

    def __init__(
        self, runtime: RuntimeApi, closing: Closing, guests: Callable[[], Guests], memory: Memory
    ) -> None:
        self._runtime = runtime
        self._closing = closing
        self._guests = guests
        self._memory = memory
        self._whole: Wsgi | None = None
        self._making = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        whole = self._whole or self._make()
        return whole(environ, start_response)

    def _make(self) -> Wsgi:
        with self._making:
            if self._whole is None:
                for_api.import_falcon()
                from bundlevisor.control.api.app import make_app

                direct = self._memory.direct
                self._whole = make_app(
                    self._runtime, self._closing, self._guests, direct.meter, direct.ready
                )
            return self._whole
