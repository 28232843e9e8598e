"""What ``service.c`` does, for machines without a C compiler: same arguments, same records.

Run with ``python -I -S``, so that it imports little; its own start still takes the interpreter's
time, and is counted by whoever compares runtimes with it (the report says which program ran).
"""

from __future__ import annotations

import time

BEGAN = time.monotonic_ns()

import os  # noqa: E402 - the clock is read before anything else is loaded
import selectors  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
    b'{"status":"ok"}'
)


def note(record: str, event: str, service: str, when: int) -> None:
    """Append one line to the record, in one write."""
    fd = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, f"{event} {service} {os.getpid()} {when}\n".encode())
    os.close(fd)


def serve(listener: socket.socket) -> None:
    """Answer every request with 200, for ever."""
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if connection is listener:
                ready.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            try:
                if connection.recv(4096):
                    connection.sendall(ANSWER)
                    continue
            except OSError:
                pass
            ready.unregister(connection)
            connection.close()


def main(argv: list[str]) -> None:
    """Start, wait, listen and answer, noting each."""
    options = dict(zip(argv[0::2], argv[1::2], strict=False))
    service, record = options["--id"], options["--record"]

    def stop(*_: object) -> None:
        note(record, "stop", service, time.monotonic_ns())
        os._exit(0)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    note(record, "start", service, BEGAN)
    time.sleep(int(options.get("--delay-ms", "0")) / 1000)
    port = int(options.get("--port", "0"))
    if not port:
        while True:
            time.sleep(3600)
    listener = socket.socket()
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    note(record, "listen", service, time.monotonic_ns())
    serve(listener)


if __name__ == "__main__":
    main(sys.argv[1:])
