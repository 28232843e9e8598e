"""What the runtime tells a UI server through its control pipe; the pipe's end means: stop."""

from __future__ import annotations

from typing import Protocol

import msgspec


class SetUpstream(msgspec.Struct, frozen=True, tag=True):
    """The API listens on this port of 127.0.0.1 from now on; None: it does not run."""

    port: int | None


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Finish what is under way and end."""


Order = SetUpstream | Stop


class Pipe(Protocol):
    """One end of the control pipe: a ``multiprocessing`` connection, of whichever platform."""

    def send_bytes(self, buf: bytes) -> None:
        """Send one message; OSError when the other end is gone."""

    def recv_bytes(self) -> bytes:
        """Wait for a message; EOFError or OSError when the other end is gone."""

    def close(self) -> None:
        """Close this end; any number of times."""


encode = msgspec.json.encode
decode = msgspec.json.Decoder(Order).decode
