"""One start of one service, as the guardian knows it."""

from __future__ import annotations

from bundlevisor.actors.process.table.found import GRACE_S

SIGTERM = 15

OURS = "_"
"""What takes the place of a service's id begins so for a process of our own; no id does."""


class GuardedProcess:
    """What the guardian has to know to stop a service as the runtime would have.

    ``instance`` is the mark in the service's environment and begins with the runtime's instance id
    and a hyphen. ``depends_on`` are all dependencies, transitive ones too: a service that is not
    running must not break the order of those around it. ``http`` is the port and path of the stop
    request. ``secrets`` (id, value) are replaced in what the guardian writes to the log.
    ``leader_only``: the signal is for the leader, then for what it leaves. ``pid`` is
    0 until the service has been spawned; ``session`` is 0 when it has none of its own.

    A plain class: the guardian must not carry the memory of typing or msgspec.
    """

    __slots__ = (
        "created",
        "depends_on",
        "grace_s",
        "http",
        "instance",
        "leader_only",
        "log_path",
        "pid",
        "secrets",
        "service",
        "session",
        "signal",
    )

    def __init__(
        self,
        service: str,
        instance: str,
        signal: int = SIGTERM,
        grace_s: float = GRACE_S,
        depends_on: tuple[str, ...] = (),
        log_path: str = "",
        http: tuple[int, str] | None = None,
        secrets: tuple[tuple[str, bytes], ...] = (),
        leader_only: bool = False,
    ) -> None:
        self.service = service
        self.instance = instance
        self.signal = signal
        self.grace_s = grace_s
        self.depends_on = tuple(depends_on)
        self.log_path = log_path
        self.http = http
        self.secrets = tuple(secrets)
        self.leader_only = leader_only
        self.pid = 0
        self.created = 0.0
        self.session = 0

    def fields(self) -> tuple[object, ...]:
        """Return what :meth:`__init__` takes, in its order: only types that marshal knows."""
        return (
            self.service,
            self.instance,
            int(self.signal),
            self.grace_s,
            self.depends_on,
            self.log_path,
            self.http,
            self.secrets,
            self.leader_only,
        )


def stray(instance: str) -> GuardedProcess:
    """Return the process of a start that the guardian was not told of, or told to forget."""
    return GuardedProcess("", instance)
