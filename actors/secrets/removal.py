"""What follows a run, or an attempt, of a service with secrets in files: they are removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.loop.thread_start import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.secrets.files import SecretFiles


class SecretRemoval:
    """Under way on a thread of its own, for a disk may hang; ``over()`` is called on it.

    Until then no other start of the service may write them: what ends it has not been told.
    """

    def __init__(self, files: SecretFiles, service_id: str, over: Callable[[], object]) -> None:
        self._files = files
        self._service_id = service_id
        self._over = over

    def start(self) -> None:
        """Begin; where this user may have no more threads, on the calling one."""
        try:
            start_thread(self._run)
        except RuntimeError:
            self._run()

    def cancel(self) -> None:
        """Go on: nothing of a secret may stay."""

    def _run(self) -> None:
        try:
            self._files.remove_for(self._service_id)
        finally:
            self._over()
