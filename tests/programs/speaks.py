"""Says of itself what it is told to: each line of the file of ``--orders`` once, as it comes.

``notify READY=1`` sends a datagram to NOTIFY_SOCKET (``;`` between assignments), ``child STATUS=x``
has a child of its own send it, ``print TEXT`` writes a line, and ``exit 3`` ends it. Without the
file it says all at once what ``--say`` has, with commas between the orders.
"""

from __future__ import annotations

import _socket
import os
import time

from tests.programs.observed import leave, option, record, say, start


def main() -> None:
    start()
    address = os.environ.get("NOTIFY_SOCKET", "")
    record("told", address=address, watchdog=os.environ.get("WATCHDOG_USEC", ""))
    for order in filter(None, option("say").split(",")):
        obey(order, address)
    done = 0
    while True:
        for order in orders()[done:]:
            done += 1
            obey(order, address)
        time.sleep(0.005)


def orders() -> list[str]:
    """Return the complete lines of the file."""
    path = option("orders")
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1]


def obey(order: str, address: str) -> None:
    """Do one thing."""
    word, _, text = order.partition(" ")
    if word == "notify":
        send(text, address)
    elif word == "child":
        child(text, address)
    elif word == "print":
        say(text + "\n")
    elif word == "exit":
        leave(int(text))
    record("obeyed", order=order)


def send(text: str, address: str) -> None:
    """Send one datagram; a name that begins with ``@`` is an abstract one."""
    name = "\0" + address[1:] if address.startswith("@") else address
    to = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    to.sendto(text.replace(";", "\n").encode(), name)
    to.close()


def child(text: str, address: str) -> None:
    """Send from a process of its own, which lives until it is told to end with its parent."""
    if os.fork() == 0:
        os.setsid()
        send(text, address)
        while os.getppid() > 1:
            time.sleep(0.05)
        os._exit(0)
