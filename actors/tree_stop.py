"""Asking the process tree of one start to end, ever more urgently."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.launch.tracked_process import TrackedProcess, until_next_look
from bundlevisor.actors.process import children
from bundlevisor.manifest.format.policy import StopPolicy

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.actors.process.process_tree import ProcessTree
    from bundlevisor.actors.ui_server.parent.page_server import PageServer


class StopProgress(enum.Enum):
    """How urgently the tree has been told to end."""

    NOT_YET = 0
    ASKED = 1
    """The leader, or all at once."""
    REST_ASKED = 2
    """What the leader has left."""
    KILLED = 3


class TreeStop:
    """Asks as the bundle says: over HTTP, by a signal to the leader or to all; then kills."""

    def __init__(self, spec: LaunchSpec, process: TrackedProcess, loop: Loop) -> None:
        self.page: PageServer | None = None
        """A server of ours, which is asked through its pipe."""
        self._spec = spec
        self._policy = spec.service.stop
        self._process = process
        self._loop = loop
        self._progress = StopProgress.NOT_YET
        self._looked: dict[StopProgress, float] = {}
        """When the tree was first looked at as it had been told so."""

    @property
    def is_hopeless(self) -> bool:
        """Whether the tree is to be killed rather than waited for."""
        return self._progress is StopProgress.KILLED

    def ask(self, inputs: StartInputs, refused: Callable[[], object]) -> None:
        """Ask the tree to stop, once: over HTTP if the service has that, else by its signal.

        What the leader leaves is asked by the signal when it has ended. ``refused`` is called,
        from any thread, when the service did not take the HTTP request. Where nobody can be asked,
        the tree is to be killed.
        """
        child = self._process.child
        if child is None:
            return
        if self._progress is StopProgress.ASKED and self.page is None and _left_others(child):
            self._signal_tree(child)
        if self._progress is not StopProgress.NOT_YET:
            return
        self._progress = StopProgress.ASKED
        address = self._spec.stop_address(inputs)
        if self.page is not None:
            self.page.stop()
        elif address is not None and child.poll() is None:
            port, path = address
            from bundlevisor.actors.probes.stop_request import request_stop

            request_stop(self._loop, port, path, refused)
        else:
            self.signal()

    def signal(self) -> None:
        """Send the stop signal to the leader, or to the whole tree as the bundle says.

        Not again to what the leader has left, for which a second one may mean haste.
        """
        child = self._process.child
        if child is None or self._progress is not StopProgress.ASKED:
            return
        if child.poll() is None and leader_only(self._policy):
            if not child.ask_to_stop(self._policy.signal, leader_only=True):
                self.insist()
            return
        self._signal_tree(child)

    def until_next_look(self) -> float:
        """Return in how many seconds to look again what is left."""
        now = time.monotonic()
        return until_next_look(now - self._looked.setdefault(self._progress, now))

    def insist(self) -> None:
        """From now on the tree is killed."""
        self._progress = StopProgress.KILLED

    def _signal_tree(self, child: ProcessTree) -> None:
        self._progress = StopProgress.REST_ASKED
        if not child.ask_to_stop(self._policy.signal):
            self.insist()


def leader_only(stop: StopPolicy) -> bool:
    """Whether the stop signal is for the leader alone; SIGKILL leaves it nobody to tell."""
    return children.LEADER_ALONE and stop.to == "leader" and stop.signal != "SIGKILL"


def stop_signal(name: str) -> int:
    """Return the number of a stop signal; SIGTERM's where the platform does not know it."""
    import signal

    return int(getattr(signal, name, signal.SIGTERM))


def _left_others(child: ProcessTree) -> bool:
    """Whether there may be others that the leader alone was asked for."""
    return children.LEADER_ALONE and child.poll() is not None
