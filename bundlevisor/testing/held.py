"""Ports that are held: whose they are to be, and who listens on them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import psutil

from bundlevisor.testing import processes

Given = dict[str, dict[str, int]]
"""The ports that services were given: {service: {port name: number}}."""


def own_ports(document: dict[str, Any], given: Given) -> set[int]:
    """Return the ports of a bundle's own range, and those that its services were given."""
    ports = set[int]()
    with contextlib.suppress(AttributeError, KeyError, TypeError):  # of a bundle that is refused
        span = document["ports"]["default_range"]
        ports |= set(range(span["min"], span["max"] + 1))
    for of_service in given.values():
        ports |= set(of_service.values())
    return ports


def listeners(ports: Iterable[int]) -> dict[int, int | None]:
    """Return which of these ports somebody listens on, the test itself aside, and his pid.

    That is None where the system does not tell.
    """
    wanted = set(ports)
    return {
        one.laddr[1]: pid
        for pid, one in _connections()
        if one.status == "LISTEN" and one.laddr and pid != os.getpid()
        if one.laddr[1] in wanted
    }


def _connections() -> Iterator[tuple[int | None, Any]]:
    """Yield each connection with its process; macOS tells only root of those of others."""
    try:
        for one in psutil.net_connections("tcp"):
            yield one.pid, one
    except psutil.AccessDenied:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                for own in process.net_connections("tcp"):
                    yield process.pid, own


def described(held: dict[int, int | None]) -> str:
    """Name ports and who listens on them for a message, a line each."""
    lines = []
    for port, pid in sorted(held.items()):
        who = processes.described(list(processes.of_pids([pid] if pid else [])))
        lines.append(f"port {port} is held by {who.strip() or 'a process that is not told'}")
    return "\n".join(lines)
