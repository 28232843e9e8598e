"""What is spawned: the same value on every platform."""

from __future__ import annotations

import msgspec


class SpawnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One process to start, in a session (POSIX) or job (Windows) of its own.

    ``argv[0]`` is an absolute path, ``output`` the file descriptor that becomes stdout and stderr.
    ``sockets`` are listening sockets, by name, to hand over in the manner of sd_listen_fds(3).
    ``encoded`` is what ``children.encode`` has made of it before anybody waited; it may be missing.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    output: int
    sockets: tuple[tuple[str, int], ...] = ()
    instance: str = ""
    encoded: object = None

    def __repr__(self) -> str:
        """Leave the environment out, which may hold secrets."""
        return f"SpawnRequest({self.instance or self.argv[0]} in {self.cwd})"
