"""What the runtime tells a UI server through its control pipe; the pipe's end means: stop."""

from __future__ import annotations

import msgspec


class SetUpstream(msgspec.Struct, frozen=True, tag=True):
    """The API listens on this port of 127.0.0.1 from now on; None: it does not run."""

    port: int | None


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Finish what is under way and end."""


Order = SetUpstream | Stop

encode = msgspec.json.encode
decode = msgspec.json.Decoder(Order).decode
