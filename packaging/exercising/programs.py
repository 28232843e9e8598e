"""The folder's programs: a command that is asked, a runtime that runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

from exercising.place import Place
from exercising.verdict import DEADLINE, Wrong


def ask(
    place: Place,
    code: int,
    *words: str,
    accept: tuple[int, ...] = (),
    text: str | None = None,
    program: str = "runtime",
) -> None:
    """Run a command of the folder; :class:`Wrong` unless it ends with the exit code."""
    command = place.command(program, *words)
    ended = subprocess.run(
        command,
        env=environment(place),
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE * 2,
        check=False,
    )
    said = f"{ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    if ended.returncode not in (accept or (code,)) or "Traceback" in said:
        raise Wrong(f"'{' '.join(words)}' ended with {ended.returncode}, not {code}:\n{said}")


@contextlib.contextmanager
def running(place: Place, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the runtime as long as the block lasts."""
    log = place.outside("runtime.log")
    with open(log, "ab") as output:  # through a pipe: in Wine no file of ours can be written to
        copying = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=output)
    assert copying.stdin is not None
    with copying.stdin as pipe:
        process = subprocess.Popen(
            place.command("runtime", *words),
            env=environment(place),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
        )
    try:
        yield process
    except Exception as error:
        with open(log, encoding="utf-8", errors="replace") as said:
            text = said.read()[-3000:]
        raise Wrong(f"{error}\nthe runtime said:\n{text}") from error
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
        process.wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            copying.wait(20)
        copying.kill()
        copying.wait()
    with open(log, encoding="utf-8", errors="replace") as said:
        text = said.read()
    if "Traceback" in text or "Error:" in text:
        raise Wrong(f"the runtime said:\n{text[-3000:]}")


def environment(place: Place) -> dict[str, str]:
    """Return what wine and qemu need; nothing where the folder runs by itself."""
    wanted = ("WINEPREFIX", "WINEDEBUG", "HOME", "QEMU_LD_PREFIX") if place.command("x")[1:] else ()
    return {name: os.environ[name] for name in wanted if name in os.environ}


def set_loopback_up() -> None:
    """Set the loopback interface up, in a network of our own."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("16sh14x", b"lo", 1)  # IFF_UP
        fcntl.ioctl(asking, 0x8914, request)  # SIOCSIFFLAGS
