"""No line is lost between read() and write() when the runtime is killed.

What a log reader has read from a pipe, and has not yet written to a file, is in its own memory and
dies with it: a handful of lines. So it reads into memory that the guardian holds too, and says
there how far it has come; whatever the moment of death, the guardian finishes the write, once and
only once:

IDLE     nothing is in flight
READING  a read into the chunk may have happened. As long as its length is not known, it is what is
         not zero (the chunk is zeroed before, so only zero bytes at its very end can be lost)
WRITING  of the output, ``done`` bytes stand in the log, and the rest is to stand at ``offset`` of
         the file with this inode; how much of it does is seen from the length of the file. If the
         log is another file by now it was rotated, and the rest belongs into the new one

A change of state is the store of one byte, which says which of two slots holds the present state.
One thread reads all pipes, so one chunk is enough. Costs some 15 us a chunk of 64 KiB.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Callable, Mapping

CHUNK = 65536
"""Bytes of one read: a full pipe, told by :data:`bundlevisor.actors.logs.pipe_copy.READ`."""
OUTPUT = 4 * CHUNK
"""Bytes for a chunk in which secrets were replaced by their (longer) names."""
NAME = 512
HELD = 16384

IDLE, READING, WRITING_CHUNK, WRITING_OUTPUT = range(4)

SLOT = struct.Struct("=BxxxIIIIIQQ")
"""State; lengths of name, chunk, output, held; done; inode; offset."""
UNKNOWN = 0xFFFFFFFF
INODE = 0xFFFFFFFFFFFFFFFF

SLOTS_AT = (64, 128)
NAME_AT = 256
HELD_AT = NAME_AT + NAME
CHUNK_AT = HELD_AT + HELD
OUTPUT_AT = CHUNK_AT + CHUNK
SIZE = OUTPUT_AT + OUTPUT


if sys.platform == "win32":

    def _read_into(fd: int, chunk: memoryview) -> int:
        data = os.read(fd, len(chunk))
        chunk[: len(data)] = data
        return len(data)

else:

    def _read_into(fd: int, chunk: memoryview) -> int:
        return os.readv(fd, [chunk])


class Inflight:
    """The reader's side, used by one thread: read, (output,) write, done.

    ``held(instance, bytes)`` is called when what a redactor holds back has changed; ``known`` is
    what they hold back by now.
    """

    def __init__(
        self,
        fd: int,
        held: Callable[[str, bytes], object],
        known: Mapping[str, bytes] | None = None,
    ) -> None:
        self._fd = fd
        self._map = mmap.mmap(fd, SIZE)
        self._chunk = memoryview(self._map)[CHUNK_AT : CHUNK_AT + CHUNK]
        self._told_held = held
        self._held: dict[str, bytes] = dict(known or {})
        self._instance = ""
        self._name = 0
        self._length = 0
        self._text = b""
        self._done = 0
        self._kind = IDLE
        self._holding = 0

    def read(self, instance: str, fd: int) -> bytes:
        """Read what is there, at most CHUNK bytes; empty at the end of the pipe.

        :meth:`done` must follow before the next read. Raises BlockingIOError, like os.read, when
        nothing is there.
        """
        self._call(instance)
        self._turn(READING, UNKNOWN)
        try:
            self._length = _read_into(fd, self._chunk)
        except OSError:
            self._turn(IDLE, 0)
            raise
        self._turn(READING, self._length)
        self._text = bytes(self._chunk[: self._length])
        self._kind = WRITING_CHUNK
        return self._text

    def output(self, instance: str, text: bytes, held: bytes = b"") -> None:
        """Say what the chunk has become, if it is not to be written as it was read.

        ``held`` is the state of the redactor after it. Without a chunk, ``text`` is what was held
        back to the end. Texts that are too long (a chunk that grew
        to more than four times its size) are written without protection.
        """
        self._call(instance)
        if len(text) > OUTPUT or len(held) > HELD:
            self._kind = IDLE
            self._turn(IDLE, 0)
        elif text is not self._text or held or self._held.get(self._instance):
            self._map[HELD_AT : HELD_AT + len(held)] = held
            self._map[OUTPUT_AT : OUTPUT_AT + len(text)] = text
            self._text, self._holding, self._kind = text, len(held), WRITING_OUTPUT
            self._turn(WRITING_OUTPUT, self._length)
            if held != self._held.get(self._instance, b""):
                self._held[self._instance] = held
                self._told_held(self._instance, held)

    def write(self, fd: int, data: bytes) -> int:
        """Write, as os.write, the next piece of the text; of anything else just write it."""
        ours = data is self._text or self._text.startswith(data, self._done)
        if self._kind == IDLE or not ours:
            return os.write(fd, data)
        file = os.fstat(fd)
        self._turn(self._kind, self._length, file.st_ino, file.st_size)
        written = os.write(fd, data)
        self._done += written
        self._turn(self._kind, self._length, file.st_ino, file.st_size + written)
        return written

    def done(self) -> None:
        """Say that the text stands in the log, or was given up."""
        self._turn(IDLE, 0)
        self._chunk[: self._length] = bytes(self._length)
        self._length, self._text, self._kind = 0, b"", IDLE
        self._done = self._holding = 0

    def resume(self) -> Rescue | None:
        """Take over what another process had in flight; None when nothing was.

        What is raw is to be followed by :meth:`output` and so on, as if it had been read; what is
        ``written`` by :meth:`rest`.
        """
        found = rescue(self._fd)
        if found is None:
            return None
        _, self._name, chunk, output, held, done, _, _ = SLOT.unpack_from(
            self._map, SLOTS_AT[self._map[0]]
        )
        self._instance = found.instance
        self._length = len(found.data) if chunk == UNKNOWN else chunk
        if not found.written:
            self._text, self._kind = found.data, WRITING_CHUNK
            self._turn(READING, self._length)
            return found
        self._kind = WRITING_OUTPUT if output else WRITING_CHUNK
        at, length = (OUTPUT_AT, output) if output else (CHUNK_AT, chunk)
        self._text = self._map[at : at + length]
        self._done, self._holding = done, held
        if found.held != self._held.get(found.instance, b""):
            self._held[found.instance] = found.held
            self._told_held(found.instance, found.held)
        return found

    def rest(self, found: Rescue, log: int) -> bytes:
        """Return what of a text that was being written does not stand in this log yet."""
        missing = found.missing(log)
        self._done = len(self._text) - len(missing)
        return missing

    def forget(self, instance: str) -> None:
        """Let go of what is remembered of an instance whose pipe has ended."""
        self._held.pop(instance, None)

    def _call(self, instance: str) -> None:
        """Say whose bytes these are; only while nothing of another's is in flight."""
        if instance != self._instance:
            name = instance.encode()[:NAME]
            self._map[NAME_AT : NAME_AT + len(name)] = name
            self._instance, self._name = instance, len(name)

    def _turn(self, state: int, length: int, inode: int = 0, offset: int = 0) -> None:
        slot = 1 - self._map[0]
        text = len(self._text) if state == WRITING_OUTPUT else 0
        SLOT.pack_into(
            self._map,
            SLOTS_AT[slot],
            state,
            self._name,
            length,
            text,
            self._holding,
            self._done,
            inode & INODE,
            offset,
        )
        self._map[0] = slot


class Rescue:
    """What was in flight when the runtime died, as the guardian finds it.

    Without ``written`` it is raw from the pipe. Otherwise ``data`` is what is left of the output,
    to stand at ``offset`` of the file with ``inode``, and ``held`` is the redactor's state after.
    """

    __slots__ = ("data", "held", "inode", "instance", "offset", "written")

    def __init__(self, instance: str, data: bytes) -> None:
        self.instance = instance
        self.data = data
        self.written = False
        self.inode = 0
        self.offset = 0
        self.held = b""

    def missing(self, log: int) -> bytes:
        """Return what is still to be appended to the log with this descriptor."""
        file = os.fstat(log)
        standing = file.st_size - self.offset if file.st_ino & INODE == self.inode else 0
        return self.data[standing:] if standing > 0 else self.data


def rescue(fd: int) -> Rescue | None:
    """Return what was in flight; None when nothing was."""
    with mmap.mmap(fd, SIZE) as memory:
        state, name, chunk, output, held, done, inode, offset = SLOT.unpack_from(
            memory, SLOTS_AT[memory[0]]
        )
        if state == IDLE:
            return None
        data = memory[CHUNK_AT : CHUNK_AT + min(chunk, CHUNK)]
        if chunk == UNKNOWN:
            data = data.rstrip(b"\0")
        elif state == WRITING_OUTPUT:
            data = memory[OUTPUT_AT : OUTPUT_AT + output]
        rescued = Rescue(memory[NAME_AT : NAME_AT + name].decode(errors="replace"), data[done:])
        if state != READING:
            rescued.written = True
            rescued.inode, rescued.offset = inode, offset
            rescued.held = memory[HELD_AT : HELD_AT + held]
        return rescued
