"""What the runtime has told the guardian: the whole memory of the guardian."""

from __future__ import annotations

import os

from bundlevisor.actors.guardian import kept_modules
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.owned_file import Identity, OwnedFile
from bundlevisor.actors.guardian.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bundlevisor.actors.process.table.exit_status import ExitStatus


class GuardianState:
    """Filled message by message; acted on only when the runtime is dead."""

    def __init__(self) -> None:
        self.instance_id = ""
        self.runtime_pid = 0
        self.runtime_created = 0.0
        self.telemetry = ""
        self.all_guarded: dict[str, GuardedProcess] = {}
        self.owned_files: dict[str, OwnedFile] = {}
        self.pipes: dict[str, int] = {}
        """Spare read ends of the log pipes, by instance."""
        self.held: dict[str, bytes] = {}
        """What the runtime's redactors hold back, by instance."""
        self.inflight = -1
        """Descriptor of the memory that the log reader reads into."""
        self.relay = -1
        """Descriptor of the memory that tells how far a clean-up is, which the reserve has too."""
        self.dismissed = False
        self.given_up = False
        """Whether the runtime lives, and has another guardian in the place of this one."""
        self.exit_status: ExitStatus | None = None
        self.group = ""
        """The folder of the control group that the runtime is in."""

    def apply(self, message: Message, fd: int = -1) -> None:
        """Take in one message and the descriptor that came with it."""
        kind, *fields = message
        getattr(self, f"_take_{kind}")(fd, *fields)

    def close(self) -> None:
        """Let go of every descriptor that was told of."""
        for instance in list(self.pipes):
            self._let_go(instance)
        if self.inflight >= 0:
            os.close(self.inflight)
        if self.exit_status:
            self.exit_status.close()

    def _take_hello(self, _fd: int, instance_id: str, pid: int, created: float) -> None:
        self.instance_id = instance_id
        self.runtime_pid = pid
        self.runtime_created = created

    def _take_telemetry(self, _fd: int, path: str) -> None:
        self.telemetry = path

    def _take_own(
        self, _fd: int, path: str, identity: Identity | None, containing: bytes, last: bool
    ) -> None:
        self.owned_files[path] = OwnedFile(path, identity, containing, last)

    def _take_disown(self, _fd: int, path: str) -> None:
        self.owned_files.pop(path, None)

    def _take_expect(self, fd: int, fields: tuple[object, ...]) -> None:
        guarded = GuardedProcess(*fields)  # type: ignore[arg-type]  # as its fields() made them
        self._let_go(guarded.instance)
        self.all_guarded[guarded.instance] = guarded
        if fd >= 0:
            self.pipes[guarded.instance] = fd

    def _take_spawned(
        self, _fd: int, instance: str, pid: int, created: float, session: int
    ) -> None:
        guarded = self.all_guarded.get(instance)
        if guarded is not None:
            guarded.pid, guarded.created, guarded.session = pid, created, session

    def _take_forget(self, _fd: int, instance: str) -> None:
        self.all_guarded.pop(instance, None)
        self._let_go(instance)

    def _take_inflight(self, fd: int) -> None:
        self.inflight = fd

    def _take_held(self, _fd: int, instance: str, held: bytes) -> None:
        if instance in self.all_guarded:
            self.held[instance] = held

    def _take_hold_code(
        self, fd: int, offset: int, length: int, machine_code: dict[str, str]
    ) -> None:
        kept_modules.keep(fd, offset, length, machine_code)

    def _take_bye(self, _fd: int) -> None:
        self.dismissed = True

    def _take_given_up(self, _fd: int) -> None:
        self.given_up = True

    def _let_go(self, instance: str) -> None:
        self.held.pop(instance, None)
        fd = self.pipes.pop(instance, -1)
        if fd >= 0:
            os.close(fd)
