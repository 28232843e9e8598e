"""The guardian's life: wait for the runtime's word or its death, then clean up, then end."""

from __future__ import annotations

import gc
import os
from contextlib import suppress

from bundlevisor.actors.guardian import death_report, system
from bundlevisor.actors.guardian.channel import End
from bundlevisor.actors.guardian.cleanup import Cleanup
from bundlevisor.actors.guardian.disk import Disk
from bundlevisor.actors.guardian.state import GuardianState
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import control_group
from bundlevisor.actors.process.table.exit_status import ExitStatus
from bundlevisor.actors.process.table.rlimit_mark import set_mark
from bundlevisor.manifest.format.variables import mark_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def guard(end: End) -> None:
    """Live in a process of its own, started for this; does not return.

    Without garbage collection the pages shared with the runtime stay shared: there is nothing to
    collect in a process that waits.
    """
    gc.disable()
    try:
        _live(end)
    except BaseException as error:  # noqa: BLE001 - there is nobody else who could hear of it
        death_report.tell_fault("the guardian ends before its work is done", error)
    finally:
        # Not by way of the interpreter's end: nothing that was inherited is ours to finish.
        os._exit(0)


def _live(end: End) -> None:
    system.isolate(end.fileno())
    state, heirs = _listen(system.Receiver(end), system.Heirs())
    if state.given_up:
        return  # whatever becomes of the runtime, and of who forked this one: others guard it
    state.relay = heirs.relay
    # One that was forked in the runtime's last moments hears of it when it is in no group any more.
    state.group = state.group or control_group.made_beside(os.getpid(), state.instance_id)
    if not state.dismissed and not (heirs.elder and heirs.elder.finished()):
        clean_up(state, heirs.wake)
    control_group.release(state.runtime_pid, state.group)
    control_group.remove(state.group)
    control_group.remove_abandoned(os.getpid())
    heirs.tell_done()


def _listen(receiver: system.Receiver, heirs: system.Heirs) -> tuple[GuardianState, system.Heirs]:
    """Take in what the runtime tells until it says goodbye, gives this one up, or is gone.

    Returns twice if the runtime asks for an heir: that one, in its own process, goes on with its
    own channel, on which it is told everything.
    """
    state = GuardianState()
    while (messages := receiver.receive()) is not None:
        for message, fd in messages:
            if message[0] == "reserve":
                heir = heirs.fork(fd, receiver)
                if heir is None:
                    continue
                state.close()
                receiver, heirs = heir
                state = GuardianState()
                break
            if message[0] == "stopping":
                control_group.release(state.runtime_pid, state.group)
                continue
            state.apply(message, fd)
            if message[0] == "hello":
                _take_charge(state)
                receiver.answer()
        if state.dismissed or state.given_up:
            break
    return state, heirs


def _take_charge(state: GuardianState) -> None:
    """Mark the runtime, so that all is found that comes out of it from now on.

    It goes on with its start meanwhile, and spawns nothing before the answer.
    """
    pid, born = state.runtime_pid, state.runtime_created
    state.exit_status = ExitStatus(pid, born)
    set_mark(pid, born, state.instance_id)
    state.group = control_group.group_of(os.getpid(), state.instance_id)
    control_group.release(os.getpid(), state.group)  # it was started later, by the runtime itself
    if not state.group and table.alive(pid, born):
        state.group = control_group.enclose(pid, state.instance_id)


def clean_up(state: GuardianState, wake: Callable[[], object]) -> None:
    """Do what the guardian is there for, whatever goes wrong with a part of it.

    ``wake`` has those in reserve go on that somebody has stopped. It is called first, so that one
    acts if this one is killed at its work, and again before the record is removed: of one that
    stood still then, or of the control group, no next start would know.
    Raises, for who is in reserve to act, when nobody can see what is left: then the record
    stays, for the sweep of the next start, but no secret does.
    """
    wake()
    details = death_report.cause(state)
    gc.enable()
    disk = Disk()
    disk.do(lambda: _remove(state, last=False))
    left, unseen = _stop_all(state, disk, details)
    disk = Disk()
    disk.do(lambda: death_report.publish(state.telemetry, death_report.cause(state) | details))
    wake()
    if unseen:
        disk.do(lambda: _remove(state, last=True, but=state.instance_id.encode()))
    elif not left:
        control_group.remove(state.group)
        disk.do(lambda: _remove(state, last=True))
    disk.finish()
    if unseen:
        raise unseen


def _stop_all(
    state: GuardianState, disk: Disk, details: dict[str, object]
) -> tuple[int, Exception | None]:
    """Stop what is left, and add to the details; return how much could not be, or why none knows.

    Where the orderly stop goes wrong all is killed. It may be for want of descriptors: so the logs
    are let go of first.
    """
    try:
        cleanup = Cleanup(state, disk)
        cleanup.run()
        disk.finish()
        details |= death_report.findings(cleanup)
    except Exception as error:  # noqa: BLE001 - nothing may be left, not even by a fault of ours
        details["error"] = f"{type(error).__name__}: {error}"
        with suppress(OSError):
            state.close()
        try:
            return _kill_all(mark_prefix(state.instance_id)), None
        except Exception as blind:  # noqa: BLE001 - files need no descriptor to be removed
            return 0, blind
    return cleanup.left, None


def _remove(state: GuardianState, *, last: bool, but: bytes = b"") -> None:
    for owned in state.owned_files.values():
        if owned.last == last and not (but and owned.containing == but):
            owned.remove()


def _kill_all(prefix: str) -> int:
    """End whatever carries the mark; return how many could not be ended."""
    left = 0
    for process in table.census(prefix):
        try:
            system.kill(process)
        except OSError:
            left += 1
    return left
