"""Asking Linux' kernel who would accept a connection: sock_diag(7), by netlink.

A question costs 3 us, leaves no trace in the service and cannot connect to itself.
"""

from __future__ import annotations

import errno
import functools
import socket
import struct
import sys
from collections.abc import Collection

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
TCP_LISTEN = 10
NO_COOKIE = 0xFFFFFFFF
LOOPBACK = {
    socket.AF_INET: socket.inet_aton("127.0.0.1"),
    socket.AF_INET6: socket.inet_pton(socket.AF_INET6, "::1"),
}
HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence (here the port), pid."""
AT_ONCE = 64
"""Questions whose answers a socket has room for (socket(7), rmem_default), twice over: the kernel
drops what is more, and says so by ENOBUFS."""
KEPT = 1024
"""Questions that are kept: each is asked once a millisecond while a service starts."""
REQUEST = struct.Struct("=BBBBI 2s2s16s16xI II")
"""struct inet_diag_req_v2: family, protocol, wanted states; ports and addresses (source, then
destination), interface, cookie."""


if sys.platform == "linux":

    def netlink() -> socket.socket:
        """Return a socket for such questions; OSError where that is forbidden."""
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        link.settimeout(0.2)
        return link

else:

    def netlink() -> socket.socket:
        """Raise OSError: there is none."""
        raise OSError(errno.EAFNOSUPPORT, "netlink is Linux's")


def listening_ports(
    link: socket.socket, ports: Collection[int], family: socket.AddressFamily = socket.AF_INET
) -> set[int]:
    """Return those of ``ports`` on which a connection to 127.0.0.1 (or ::1) would be accepted.

    The kernel looks each up as it does for a connection (inet_diag_find_one_icsk): listeners on
    0.0.0.0 and on :: (unless for IPv6 only) are found as well. Every question has one answer.
    Raises OSError where netlink is forbidden or does not answer.
    """
    listening = set[int]()
    asked = list(ports)
    for begin in range(0, len(asked), AT_ONCE):
        some = asked[begin : begin + AT_ONCE]
        link.send(b"".join(question(port, family) for port in some))
        listening.update(_answered(link.recv(4096)) for _ in some)
    return listening - {0}


@functools.lru_cache(KEPT)
def question(port: int, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """Return what asks the kernel who would accept a connection to a loopback address."""
    sought = (port.to_bytes(2, "big"), b"\0\0", LOOPBACK[family])
    body = REQUEST.pack(
        *(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN),
        *(*sought, 0, NO_COOKIE, NO_COOKIE),
    )
    length = HEADER.size + len(body)
    return HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, port, 0) + body


def _answered(answer: bytes) -> int:
    """Return the port that is listened on, 0 for 'no such socket'; OSError when refused."""
    _, kind, _, port, _ = HEADER.unpack_from(answer)
    if kind == SOCK_DIAG_BY_FAMILY:
        return int(port)
    code = -struct.unpack_from("=i", answer, HEADER.size)[0] if kind == NLMSG_ERROR else 0
    if code != errno.ENOENT:
        raise OSError(code or errno.EPROTO, "sock_diag refused")
    return 0
