"""Being told at once that nobody listens on a port of this machine.

Windows does not believe a refusal: it asks again every half second, and tells of it after two
seconds. Who begins to listen meanwhile is noticed half a second late. It can be asked not to, as
libuv and Go do (uv__tcp_try_connect, net.(*netFD).connect). A health check does not ask for that,
nor who asks a runtime that is alive: the refusal may come from a listener with a full backlog,
which the next attempt would reach.
"""

from __future__ import annotations

import socket
import sys

TOLD_LATE = sys.platform == "win32"
"""Whether who connects in the ordinary way is told seconds late that nobody listens."""

WITHIN = 0.5
"""Seconds for a listener of this machine, or for the system in its place, to answer."""

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    SIO_TCP_INITIAL_RTO = 0x98000011
    """From mstcpip.h; obeyed since Windows 10 1709."""
    ONCE = b"\xff\xff\xfe\0"
    """TCP_INITIAL_RTO_PARAMETERS: the usual time for an answer, and no second attempt."""

    _ioctl = ctypes.WinDLL("ws2_32").WSAIoctl
    _ioctl.argtypes = (ctypes.c_size_t, wintypes.DWORD, ctypes.c_char_p, wintypes.DWORD,
                       ctypes.c_void_p, wintypes.DWORD, ctypes.POINTER(wintypes.DWORD),
                       ctypes.c_void_p, ctypes.c_void_p)  # fmt: skip

    def tell_at_once(unconnected: socket.socket) -> None:
        """Have a socket try once; where Windows does not know how, it tries as ever."""
        size = ctypes.byref(wintypes.DWORD())
        _ioctl(
            unconnected.fileno(), SIO_TCP_INITIAL_RTO, ONCE, len(ONCE), None, 0, size, None, None
        )

else:

    def tell_at_once(_unconnected: socket.socket) -> None:
        """Others do so anyhow."""


def refuses(host: str, port: int) -> bool:
    """Whether a port of this machine refuses a connection at the first attempt; False in doubt."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            tell_at_once(attempt)
            attempt.settimeout(WITHIN)
            attempt.connect((host, port))
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False
