"""Who runs at the moment, told to everybody who may have to end it: the guardian and the record.

The guardian acts when the runtime dies; the record on disk is for the sweep of the next start, for
the case that both died at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from bundlevisor.actors.files import instance as record_file
from bundlevisor.actors.files.instance import Instance, ServiceProcess
from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.in_the_making import in_the_making
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.process.table.control_group import group_of

QUIET_S = 0.05
"""Starts and ends come in bursts: one write serves all of a burst. Meanwhile the sweep would find
what is not on record by its mark."""
FIRST_S = 1.0
"""Seconds that the first process of all waits for the record to be there, on a disk that hangs."""
CHARGE_S = 3.0
"""Seconds that all services wait for a guardian that stands still, or for who follows a dead one.
As a rule it has taken charge by then, beside the start: a process is moved into a control group in
some ten milliseconds."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether the files by which we are found still stand."""


class InstanceRecord:
    """Tells the guardian what is started, and a thread of its own keeps the record up to date."""

    def __init__(
        self,
        guardian: Guardian,
        app_data: str,
        record: Instance,
        warn: Callable[[str], None],
        look: Callable[[], bool],
    ) -> None:
        """``look`` is called now and then on the thread that writes the record.

        It returns whether the record, too, is to be written again.
        """
        self._guardian = guardian
        self._app_data = app_data
        self._record = record
        self._warn = warn
        self._look = look
        self._services: dict[str, str] = {}
        self._group = ""
        self._running: dict[str, ServiceProcess] = {}
        self._changed = threading.Event()
        self._at_once = threading.Event()
        """Set while a change is not one of a burst."""
        self._guardians = guardian.in_order()
        """Those that were written last."""
        self._trouble = ""
        """Why what stands there is not up to date; it is tried again at the next look."""
        self._closing = threading.Event()
        self._written = threading.Event()
        """Set once it stands on disk: what is started is found by it if all of us die."""
        self._awaited = False
        """One start has waited, in vain perhaps: the others need not wait as well."""
        self._writer = threading.Thread(target=self._keep_written, name="record", daemon=True)
        self._writer.start()

    def expect(self, guarded: GuardedProcess, read_fd: int = -1) -> None:
        """Tell the guardian that a process is about to be started, once it stands on record."""
        if not self._awaited:
            self._written.wait(FIRST_S)
            self._awaited = True
        self._services[guarded.instance] = guarded.service
        self._guardian.expect(guarded, read_fd)

    def spawned(self, instance: str, pid: int, created: float, session: int) -> None:
        """Tell the guardian that it has been started, and write it down."""
        self._guardian.spawned(instance, pid, created, session)
        self._running[instance] = ServiceProcess(pid=pid, created=created, instance=instance)
        self._changed.set()

    def forget(self, instance: str) -> None:
        """Say that no process of this start is left."""
        self._guardian.forget(instance)
        self._services.pop(instance, None)
        if self._running.pop(instance, None) is not None:
            self._changed.set()

    def own(
        self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
    ) -> None:
        """Have the guardian remove a file if the runtime dies."""
        self._guardian.own(path, containing, last=last, named=named)

    def disown(self, path: str) -> None:
        """Have the guardian leave a file alone."""
        self._guardian.disown(path)

    def write_again(self) -> None:
        """Write it down once more: the guardian is another, or the file is gone.

        The sweep waits only for guardians on record: another one has to be there at once.
        """
        if self._guardian.in_order() != self._guardians:
            self._at_once.set()
        self._changed.set()

    def close(self) -> None:
        """Write no more."""
        self._closing.set()
        self._at_once.set()
        self._changed.set()
        self._writer.join(2)

    def await_charge(self) -> None:
        """Wait until the guardian finds all that is started.

        Before the first start of all; not on the loop, which hears of it.
        """
        if not self._guardian.await_charge(CHARGE_S):
            self._warn(
                f"the guardian has not taken charge within {CHARGE_S:g} s: what a service starts "
                "outside its session may outlive a runtime that is killed; is it stopped?"
            )

    def _keep_written(self) -> None:
        look_at = time.monotonic() + LOOK_EVERY
        while not self._closing.is_set():
            self._write()
            self._written.set()
            due = False
            while not due:  # a look is due also where something changes all the time
                due = self._changed.wait(max(0.0, look_at - time.monotonic()))
                if time.monotonic() >= look_at and not self._closing.is_set():
                    due = self._look() or bool(self._trouble) or due
                    look_at = time.monotonic() + LOOK_EVERY
            self._at_once.wait(QUIET_S)
            self._at_once.clear()
            self._changed.clear()

    def _write(self) -> None:
        services: dict[str, list[ServiceProcess]] = {}
        for instance_, process in list(self._running.items()):
            services.setdefault(self._services.get(instance_, ""), []).append(process)
        self._group = self._group or group_of(self._record.pid, self._record.instance_id)
        self._guardians = self._guardian.in_order()
        (pid, created), (reserve_pid, reserve_created) = self._guardians
        record = msgspec.structs.replace(
            self._record,
            services=services,
            guardian_pid=pid,
            guardian_created=created,
            reserve_pid=reserve_pid,
            reserve_created=reserve_created,
            group=self._group,
        )
        try:
            with in_the_making(self._guardian) as making:
                record_file.write(self._app_data, record, making)
        except OSError as error:
            before, self._trouble = self._trouble, error_text(error)
            if self._trouble != before:
                self._warn(f"the instance record could not be written: {self._trouble}")
        else:
            self._trouble = ""
