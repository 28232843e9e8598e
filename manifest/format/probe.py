"""How a service is asked whether it is ready, and whether it is well.

Annotations are evaluated as they stand: see :mod:`bundlevisor.manifest.format.schema`.
"""

from typing import Annotated, Literal

import msgspec

from bundlevisor.manifest.format.document import LARGEST, Document, Milliseconds

INTERVAL = 0.5
"""Seconds between two health checks, unless the bundle sets its own."""
WIDEST_INTERVAL = 5.0
"""Up to so many while all is well: each check stands in the service's own log. An exit is noticed
at once, without any check."""

_NEVER_IN_A_TARGET = frozenset(b' "<>\\^`{|}')


def request_target(path: str) -> str:
    """Return a path, with its query if it has one, as a request line has it; it begins with ``/``.

    What may not stand there is percent-encoded (RFC 3986, 2.1); what is encoded already stays as it
    is. A fragment is never sent (RFC 9110, 7.1).
    """
    path = path.partition("#")[0]
    return "".join(
        chr(one) if 32 < one < 127 and one not in _NEVER_IN_A_TARGET else f"%{one:02X}"
        for one in (path if path.startswith("/") else f"/{path}").encode()
    )


class Health(Document, frozen=True, kw_only=True):
    """How to ask a running service whether it is well.

    The Go runtime takes the expression of a ``log_match`` from ``path``; ``pattern`` is the name
    that authors expect. :attr:`expression` is the one that counts.
    """

    type: Literal["http", "tcp", "command", "log_match"]
    path: str = ""
    pattern: str = ""
    port_name: str = ""
    command: list[str] = []
    interval_ms: Milliseconds | None = None
    timeout_ms: Milliseconds = 2000
    retries: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] = 3

    @property
    def interval(self) -> float:
        """Seconds between two checks: half a second where the bundle says nothing."""
        return INTERVAL if self.interval_ms is None else self.interval_ms / 1000

    @property
    def widest_interval(self) -> float:
        """Seconds between two checks of a service that has been well for a while."""
        return WIDEST_INTERVAL if self.interval_ms is None else self.interval

    @property
    def request_path(self) -> str:
        """What an http check asks for."""
        return request_target(self.path)

    @property
    def expression(self) -> str:
        """The regular expression of a log_match check; empty when there is none."""
        return self.pattern or self.path


class Readiness(Document, frozen=True, kw_only=True):
    """When a starting service counts as ready; ``timeout_ms`` bounds the whole wait.

    ``notify`` and ``watchdog_ms`` are extensions of ours: the service tells by itself.
    """

    type: Literal["health_success", "port_open", "log_match", "dependencies_ready", "notify"]
    port_name: str = ""
    pattern: str = ""
    timeout_ms: Milliseconds = 30_000
    watchdog_ms: Milliseconds | None = None
