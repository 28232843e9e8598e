"""What is done for a service on a thread beside its actor: before a spawn, or after an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.core.messages import LaunchFailed, Message, PortsLost, Prepared, TreeEmptied
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.manifest.format.paths import PathRefused

if TYPE_CHECKING:
    from bundlevisor.actors.context import ServiceContext
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.prepare.preparation import Preparation
    from bundlevisor.actors.secrets.removal import SecretRemoval

ANSWERS = (Prepared, LaunchFailed, PortsLost, TreeEmptied)
"""What it ends with."""


class BackgroundWork:
    """At most one is under way, and it answers by one message; without one the answer is at hand.

    What returns messages returns what is known at once, and nothing where it will be told.
    """

    def __init__(
        self, spec: LaunchSpec, context: ServiceContext, tell: Callable[[Message], None]
    ) -> None:
        self._spec = spec
        self._service = spec.service
        self._context = context
        self._tell = tell
        self._under_way: Preparation | SecretRemoval | None = None

    def prepare(self, inputs: StartInputs, incarnation: int) -> tuple[Message, ...]:
        """Do what comes before a spawn, as far as it may block."""
        refused = self._refuse_log(incarnation)
        if refused is not None:
            return (refused,)
        if not (self._spec.reads_secret_files or self._context.installs(self._service)):
            return (Prepared(incarnation),)
        from bundlevisor.actors.prepare.means import Task
        from bundlevisor.actors.prepare.preparation import Preparation

        means = self._context.means(self._spec)
        begun = Preparation(Task(self._spec, means, inputs, incarnation, self._tell))
        try:
            begun.start()
        except RuntimeError:
            reason = "it cannot be prepared: this user may have no more threads (see ulimit -u)"
            return (LaunchFailed(incarnation, str(self._spec.refusal(reason))),)
        self._under_way = begun
        return ()

    def without_secrets(self, message: Message) -> tuple[Message, ...]:
        """Go on with this once the files of its secrets, if it has any, are removed."""
        if not self._spec.reads_secret_files:
            return (message,)
        from bundlevisor.actors.secrets.removal import SecretRemoval

        files, tell = self._context.secret_files, self._tell
        self._under_way = SecretRemoval(files, self._service.id, lambda: tell(message))
        self._under_way.start()
        return ()

    def cut_short(self) -> bool:
        """End it as soon as may be, which it then tells; False where none is under way."""
        if self._under_way is None:
            return False
        self._under_way.cancel()
        return True

    def hear(self, message: Message) -> None:
        """Take note of an answer: nothing is under way any more."""
        if isinstance(message, ANSWERS):
            self._under_way = None

    def _refuse_log(self, incarnation: int) -> LaunchFailed | None:
        try:
            self._spec.keep_log_inside()
        except PathRefused as error:
            refusal = self._spec.refusal(f"log_dir: {error}", fatal=True)
            return LaunchFailed(incarnation, str(refusal), fatal=True)
        return None
