"""What a service's life has its actor do: the effects that :mod:`bundlevisor.actors.core.lifecycle`
decides on."""

from __future__ import annotations

import msgspec

from bundlevisor.actors.core.messages import Timer


class Effect(msgspec.Struct, frozen=True):
    """Something for the actor to do."""


class Prepare(Effect, frozen=True):
    """Do what comes before the spawn; answer Prepared or LaunchFailed."""


class Launch(Effect, frozen=True):
    """Spawn; answer Launched or LaunchFailed."""


class AwaitReadiness(Effect, frozen=True):
    """Probe eagerly; answer BecameReady."""


class AwaitFailure(Effect, frozen=True):
    """Probe at the health check's interval; answer ProbeAnswered each time."""


class EndTree(Effect, frozen=True):
    """Stop probing and ask the whole tree to stop."""


class ClearTree(Effect, frozen=True):
    """The leader is gone: see whether others are left and answer TreeEmptied once none is."""


class KillTree(Effect, frozen=True):
    """Kill whatever is left of the tree; answer TreeEmptied."""


class Arm(Effect, frozen=True):
    """Set a timer, replacing the one of the same name."""

    timer: Timer
    seconds: float


class Extend(Effect, frozen=True):
    """Let a timer that is set fire in so many seconds at the earliest; none is brought forward."""

    timer: Timer
    seconds: float


class Disarm(Effect, frozen=True):
    """Cancel a timer; it need not be set."""

    timer: Timer


class EmitEvent(Effect, frozen=True):
    """Write a telemetry event."""

    event: str
    details: dict[str, object] = {}


class ReportFailure(Effect, frozen=True):
    """Tell the supervisor that a run failed and is repeated: its strategy may involve others."""

    reason: str


class ReportPorts(Effect, frozen=True):
    """Tell the supervisor which ports are lost; it starts the service with others."""

    names: tuple[str, ...]


class ReleasePorts(Effect, frozen=True):
    """The service stays down: give its sockets back."""
