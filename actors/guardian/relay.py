"""How far one guardian is with the logs, so that the one in reserve goes on at the same byte.

What has been read from a pipe is gone from it, and only Linux can look without reading (tee(2)). So
a guardian that cleans up does as the runtime did: it reads into memory that the one in reserve
holds too (:mod:`bundlevisor.actors.guardian.inflight`), and notes there what each log's redactor
holds back. What the runtime had read and not yet written must be written by one of the two
guardians and not by both: the first copies the runtime's memory, and then a single byte says that
it has.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Collection, Mapping

from bundlevisor.actors.guardian.inflight import HELD, NAME, SIZE, Inflight, Rescue

BEGUN_AT = SIZE
SLOTS_AT = SIZE + 64
LENGTHS = struct.Struct("=II")
"""Of the name, and of what is held back; a name of no bytes is behind the last slot."""
SLOT = LENGTHS.size + NAME + HELD


class Relay:
    """Made when the runtime has died, by whoever acts; used by one thread.

    ``memory`` is a descriptor that those in reserve inherit; ``redacted`` are the instances whose
    logs are redacted, ``held`` what the runtime's redactors held back, and ``inflight`` the memory
    that it read into, or -1. Of these nothing counts when another guardian has begun before. Raises
    OSError and ValueError.
    """

    def __init__(
        self, memory: int, redacted: Collection[str], held: Mapping[str, bytes], inflight: int
    ) -> None:
        size = max(os.fstat(memory).st_size, SLOTS_AT + SLOT * (len(redacted) + 1))
        os.ftruncate(memory, size)
        self._map = mmap.mmap(memory, size)
        self._slots: dict[str, int] = {}
        self.held: dict[str, bytes] = {}
        """What each redactor held back when the last one to act died, by instance."""
        if not self._map[BEGUN_AT]:
            self._begin(redacted, held, inflight)
        self._read_slots()
        self.copy = Inflight(memory, self._hold, self.held)

    def resume(self) -> Rescue | None:
        """Return what was in flight, for :attr:`copy` to go on with; None when nothing was."""
        return self.copy.resume()

    def _begin(self, redacted: Collection[str], held: Mapping[str, bytes], inflight: int) -> None:
        for number, instance in enumerate(redacted):
            name, at = instance.encode()[:NAME], SLOTS_AT + SLOT * number
            self._map[at + LENGTHS.size : at + LENGTHS.size + len(name)] = name
            self._write(at, len(name), held.get(instance, b""))
        if inflight >= 0:
            with mmap.mmap(inflight, SIZE) as theirs:
                self._map[:SIZE] = theirs[:SIZE]
        self._map[BEGUN_AT] = 1

    def _read_slots(self) -> None:
        for at in range(SLOTS_AT, len(self._map) - SLOT + 1, SLOT):
            name, held = LENGTHS.unpack_from(self._map, at)
            if not name:
                return
            text = at + LENGTHS.size
            instance = self._map[text : text + name].decode(errors="replace")
            self._slots[instance] = at
            self.held[instance] = self._map[text + NAME : text + NAME + held]

    def _hold(self, instance: str, held: bytes) -> None:
        """Note what is held back: what is in flight says the same until it stands in the log."""
        at = self._slots.get(instance)
        if at is not None:
            self._write(at, LENGTHS.unpack_from(self._map, at)[0], held)

    def _write(self, at: int, name: int, held: bytes) -> None:
        text = at + LENGTHS.size + NAME
        self._map[text : text + len(held)] = held
        LENGTHS.pack_into(self._map, at, name, len(held))
