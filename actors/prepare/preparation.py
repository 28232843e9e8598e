"""What comes before a service is spawned, as far as it may block.

On a thread of its own, once per start of the service: data of an upgrade that was cut short is put
back, the files of its secrets are written, which may lie among that data, its assets looked at, its
migrations run. The actor hears of it by messages, and can cancel it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bundlevisor.actors.core.messages import LaunchFailed, Prepared
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.launch.spec import CannotLaunch
from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.actors.process.children import SHORTAGES
from bundlevisor.actors.telemetry import milestones

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.prepare.installation import Installation
    from bundlevisor.actors.prepare.means import Task


class Preparation:
    """One preparation for one incarnation. Every method may be called from any thread."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._means = task.means
        self._cancelled = threading.Event()
        self._installation: Installation | None = None

    def start(self) -> None:
        """Begin, on a thread of its own; it ends with Prepared or LaunchFailed.

        RuntimeError where the system gives no thread.
        """
        start_thread(self._run)

    def cancel(self) -> None:
        """Give up as soon as possible; what is told then is LaunchFailed."""
        self._cancelled.set()
        if self._installation is not None:
            self._installation.cancel()

    def _run(self) -> None:
        with self._means.alone:
            answer = (
                self._install(lambda installation: installation.put_back())
                or self._place_secrets()
                or self._install(lambda installation: installation.run())
                or Prepared(self._task.incarnation)
            )
            if isinstance(answer, LaunchFailed) and self._task.spec.reads_secret_files:
                self._means.secret_files().remove_for(self._task.spec.service.id)
        self._task.tell(answer)

    def _place_secrets(self) -> LaunchFailed | None:
        try:
            files = self._task.spec.secret_files(self._task.inputs)
            if files:
                with self._means.timed(milestones.SECRETS):
                    self._means.secret_files().place(self._task.spec.service.id, files)
        except CannotLaunch as error:
            return LaunchFailed(self._task.incarnation, str(error), error.fatal)
        except OSError as error:
            reason = f"a secret could not be written: {error_text(error)}"
            return LaunchFailed(self._task.incarnation, str(self._task.spec.refusal(reason)))
        except Exception as error:  # noqa: BLE001 - an error of ours fails this start, not the actor
            return self._broken(error)
        return None

    def _install(self, step: Callable[[Installation], str]) -> LaunchFailed | None:
        """Do one step of the installation, which returns why the service cannot be started."""
        if not self._means.installs:
            return None
        fatal = True
        try:
            if self._installation is None:
                from bundlevisor.actors.prepare.installation import Installation

                self._installation = Installation(self._task)
            if self._cancelled.is_set():
                self._installation.cancel()
            trouble = step(self._installation)
        except CannotLaunch as error:  # nothing has been run: the next start may do better
            return LaunchFailed(self._task.incarnation, str(error), error.fatal)
        except OSError as error:
            trouble, fatal = error_text(error), error.errno not in SHORTAGES
        except Exception as error:  # noqa: BLE001 - an error of ours fails this start, not the actor
            return self._broken(error)
        return LaunchFailed(self._task.incarnation, trouble, fatal) if trouble else None

    def _broken(self, error: Exception) -> LaunchFailed:
        self._means.fault(f"preparation of {self._task.spec.service.id!r}", error)
        return LaunchFailed(self._task.incarnation, f"an error in the runtime: {error}", fatal=True)
