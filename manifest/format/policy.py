"""How services are restarted and stopped, and the bounds of a start.

Annotations are evaluated as they stand: see :mod:`bundlevisor.manifest.format.schema`.
"""

from typing import Annotated, Literal

import msgspec

from bundlevisor.manifest.format.document import Count, Extension, Milliseconds, NonEmpty
from bundlevisor.manifest.format.probe import request_target

STARTUP = 120.0
"""Seconds that a start may take where the bundle names no bound, nor gives readiness longer."""


class RestartPolicy(Extension, frozen=True, kw_only=True):
    """When and how fast a service is restarted; at most ``intensity`` times in ``period_ms``."""

    policy: Literal["always", "on_failure", "never"] = "on_failure"
    backoff_ms: Count = 100
    backoff_factor: Annotated[float, msgspec.Meta(ge=1, le=100)] = 2.0
    backoff_max_ms: Milliseconds = 30_000
    intensity: Count = 5
    period_ms: Milliseconds = 60_000


class StopHttp(Extension, frozen=True, kw_only=True):
    """The request (POST, without a body) by which a service is asked to stop."""

    path: NonEmpty
    port_name: str = ""

    @property
    def request_path(self) -> str:
        """What is asked for."""
        return request_target(self.path)


class StopPolicy(Extension, frozen=True, kw_only=True):
    """How a service is asked to stop and how long it may take before its tree is killed.

    ``to`` says who gets the signal: the ``leader`` (the process that was started) alone, as with
    systemd's ``KillMode=mixed``, or every process of its ``tree``. Once the leader has ended, what
    is left of the tree gets the signal too. On Windows all get it always.
    """

    signal: Literal["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL"] = (
        "SIGTERM"
    )
    to: Literal["leader", "tree"] = "leader"
    timeout_ms: Count = 5000
    http: StopHttp | None = None

    @property
    def grace_s(self) -> float:
        """Seconds from the asking to the kill."""
        return self.timeout_ms / 1000


class Startup(Extension, frozen=True, kw_only=True):
    """A bound on a start from the spawn to ready; preparation has bounds of its own."""

    timeout_ms: Milliseconds | None = None


class DataSnapshot(Extension, frozen=True, kw_only=True):
    """The copy of a service's data_dirs before its first upgrade migration.

    Data larger than ``max_bytes`` is not copied: the upgrade goes on without a way back.
    """

    max_bytes: Count = 2 * 1024**3


class Supervision(Extension, frozen=True, kw_only=True):
    """What happens to the others when a service fails (OTP's supervisor strategies).

    ``intensity`` and ``period_ms`` bound how often a whole group (``rest_for_one``,
    ``one_for_all``) is restarted; a service's own restarts are bounded by its ``restart``.
    """

    strategy: Literal["one_for_one", "rest_for_one", "one_for_all"] = "one_for_one"
    intensity: Count = 5
    period_ms: Milliseconds = 60_000
