"""What a start will spawn, built in advance while the service waits for its dependencies.

The start itself then only takes what was built, and looks at what may have changed: its inputs, the
folders that the service writes to, its ports. The program and its working folder are not looked for
again. If the system finds that they are gone, the launch is built anew, which says what is wrong.
Where building in advance fails, nothing is kept, and the start says why.
"""

from __future__ import annotations

import msgspec

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec, build_launch
from bundlevisor.actors.process import children
from bundlevisor.manifest.plan import environment
from bundlevisor.manifest.plan.readiness import Condition


class LaunchAhead:
    """At most one launch of one service; only its actor uses it."""

    def __init__(self, spec: LaunchSpec) -> None:
        self._spec = spec
        self._inputs: StartInputs | None = None
        self._launch: children.SpawnRequest | None = None

    def build(self, inputs: StartInputs, instance: str) -> None:
        """Compose the launch of a start that is given this; nothing where that cannot be done."""
        if not _is_foreseeable(self._spec):
            return
        try:
            launch = build_launch(self._spec, inputs, instance)
            encoded = children.encode(launch)
        except (CannotLaunch, OSError, ValueError):
            return  # the start says so, if it is still so
        self._inputs, self._launch = inputs, msgspec.structs.replace(launch, encoded=encoded)

    def take(self, inputs: StartInputs, instance: str) -> children.SpawnRequest | None:
        """Return the launch of this very start, and forget it; None when there is none."""
        made, launch = self._inputs, self._launch
        self._inputs = self._launch = None
        if launch is None or launch.instance != instance or made != inputs:
            return None
        return launch


def _is_foreseeable(spec: LaunchSpec) -> bool:
    """Whether a launch hangs on nothing but what a start is given, and its program is looked for.

    Not where the environment names a socket that is made for the start, or a browser that may come;
    nor where a shell executes the program, which says nobody why it could not.
    """
    service = spec.service
    return not (
        spec.page
        or spec.criterion.condition is Condition.NOTIFIED
        or environment.uses_playwright(service, spec.binary)
        or any(request.requires_socket for request in service.port_requests)
    )
