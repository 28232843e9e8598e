"""No line is lost between read() and write() when the runtime is killed.

What a log reader has read from a pipe, and has not yet written to a file, is in its own memory and
dies with it: a handful of lines. So it reads into memory that the guardian holds too, and writes
from there. The state says how far it came; whatever the moment of death, the guardian finishes the
write, once and only once:

IDLE     nothing is in flight
READING  a read into the chunk may have happened; as long as its length is not known, it is what is
         not zero (the chunk is zeroed before, so only zero bytes at its very end can be lost)
WRITING  the output is to stand at ``offset`` of the log: the guardian appends what is missing of it

One thread reads all pipes, so one chunk is enough.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Callable

CHUNK = 65536
"""Bytes of one read: the capacity of a pipe as Linux makes it (pipe(7))."""
OUTPUT = 4 * CHUNK
"""Bytes for a chunk in which secrets were replaced by their (longer) names."""
NAME = 512
HELD = 16384

IDLE, READING, WRITING_CHUNK, WRITING_OUTPUT = range(4)

FIELDS = struct.Struct("=IIIIQ")
"""Lengths of the name, the chunk, the output, and what is held back; offset of the output."""
UNKNOWN = 0xFFFFFFFF

FIELDS_AT = 8
NAME_AT = 64
HELD_AT = NAME_AT + NAME
CHUNK_AT = HELD_AT + HELD
OUTPUT_AT = CHUNK_AT + CHUNK
SIZE = OUTPUT_AT + OUTPUT


class Inflight:
    """The reader's side; used by one thread.

    ``held(instance, bytes)`` is called when what a redactor holds back has changed.
    """

    def __init__(self, fd: int, held: Callable[[str, bytes], object]) -> None:
        self._map = mmap.mmap(fd, SIZE)
        self._view = memoryview(self._map)
        self._chunk = self._view[CHUNK_AT : CHUNK_AT + CHUNK]
        self._told_held = held
        self._held: dict[str, bytes] = {}
        self._instance = ""
        self._name = 0
        self._length = 0

    def read(self, instance: str, fd: int) -> memoryview:
        """Read what is there, at most CHUNK bytes; empty at the end of the pipe.

        The view is good until :meth:`done`, which must follow before the next read. Raises
        BlockingIOError, like os.read, when nothing is there.
        """
        if instance != self._instance:
            self._set_name(instance)
        self._set_fields(UNKNOWN, 0, 0, 0)
        self._map[0] = READING
        try:
            self._length = os.readv(fd, [self._chunk])
        except OSError:
            self._map[0] = IDLE
            raise
        self._set_fields(self._length, 0, 0, 0)
        return self._chunk[: self._length]

    def writing(self, offset: int, output: bytes | None = None, held: bytes = b"") -> None:
        """Say what is about to be written, at the end of a log that is ``offset`` bytes long.

        ``output`` is what the chunk became, None when it is written as it is; ``held`` is what the
        redactor holds back after it. Output or held bytes that are too long (a chunk that grew to
        more than four times its size) are written without the guardian's protection.
        """
        protected = len(output or b"") <= OUTPUT and len(held) <= HELD
        if not protected:
            self._map[0] = IDLE
        else:
            self._map[HELD_AT : HELD_AT + len(held)] = held
            if output is not None:
                self._map[OUTPUT_AT : OUTPUT_AT + len(output)] = output
            self._set_fields(self._length, len(output or b""), len(held), offset)
            self._map[0] = WRITING_CHUNK if output is None else WRITING_OUTPUT
        if held != self._held.get(self._instance, b""):
            self._hold(held)

    def done(self) -> None:
        """Say that the output stands in the log (or that there was nothing to write)."""
        self._map[0] = IDLE
        self._chunk[: self._length] = bytes(self._length)
        self._length = 0

    def forget(self, instance: str) -> None:
        """Let go of what is remembered of an instance whose pipe has ended."""
        self._held.pop(instance, None)

    def _hold(self, held: bytes) -> None:
        self._held[self._instance] = held
        self._told_held(self._instance, held)

    def _set_name(self, instance: str) -> None:
        name = instance.encode()[:NAME]
        self._map[NAME_AT : NAME_AT + len(name)] = name
        self._instance, self._name = instance, len(name)

    def _set_fields(self, chunk: int, output: int, held: int, offset: int) -> None:
        FIELDS.pack_into(self._map, FIELDS_AT, self._name, chunk, output, held, offset)


class Rescue:
    """What was in flight when the runtime died, as the guardian finds it.

    ``offset`` is -1 for raw bytes from the pipe; else ``data`` belongs at that offset of the log,
    and ``held`` is what the redactor holds back after it.
    """

    __slots__ = ("data", "held", "instance", "offset")

    def __init__(self, instance: str, data: bytes, offset: int, held: bytes) -> None:
        self.instance = instance
        self.data = data
        self.offset = offset
        self.held = held


def rescue(fd: int) -> Rescue | None:
    """Return what was in flight; None when nothing was."""
    with mmap.mmap(fd, SIZE) as memory:
        state = memory[0]
        name, chunk, output, held, offset = FIELDS.unpack_from(memory, FIELDS_AT)
        instance = memory[NAME_AT : NAME_AT + name].decode()
        data = memory[CHUNK_AT : CHUNK_AT + min(chunk, CHUNK)]
        if state == READING:
            return Rescue(instance, data if chunk != UNKNOWN else data.rstrip(b"\0"), -1, b"")
        if state == WRITING_OUTPUT:
            data = memory[OUTPUT_AT : OUTPUT_AT + output]
        elif state != WRITING_CHUNK:
            return None
        return Rescue(instance, data, offset, memory[HELD_AT : HELD_AT + held])


def shared_memory() -> int:
    """Return a descriptor (not inheritable) of SIZE bytes of zeros that two processes can map."""
    if sys.platform == "linux":
        fd = os.memfd_create("inflight")
    else:
        fd = _unlinked_file()
    os.ftruncate(fd, SIZE)
    return fd


def _unlinked_file() -> int:
    name = f"inflight-{os.getpid()}-{os.urandom(6).hex()}"
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), name)  # noqa: S108 - O_EXCL, unlinked
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    return fd
