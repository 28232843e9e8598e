"""Calls that may hang or run for ever, each in a process of its own that is ended in time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

T = TypeVar("T")

START_PATIENCE = 30.0
"""Seconds for the process to come up, which takes a tenth of one; the call's own time follows."""


class CallFailed(Exception):
    """The call raised: the text is the error's type, never what it said. Or why it was not made."""


def call(function: Callable[..., T], *arguments: object, timeout: float) -> T:
    """Return ``function(*arguments)``, a function of a module, as another process computes it.

    Blocks: not for an actor or a loop. What is passed and returned goes through a pipe, never
    through argv or the environment. Raises CallFailed, and TimeoutError after ``timeout`` seconds.
    """
    from multiprocessing.connection import Pipe

    from bundlevisor.actors.process.interpreter import InterpreterProcess
    from bundlevisor.actors.process.own_children import starting

    try:
        ours, theirs = Pipe()
        process = InterpreterProcess(target=_serve, args=(theirs,), name="isolated", daemon=True)
        with ours, _ended(process):
            with theirs, starting():
                process.start()
            ours.send((function, arguments))
            _await(ours, START_PATIENCE)
            worked, answer = _await(ours, timeout)
    except TimeoutError:
        raise
    except (EOFError, ConnectionError):
        raise CallFailed("its process has died") from None
    except OSError as error:
        raise CallFailed(error.strerror or str(error)) from None
    if not worked:
        raise CallFailed(answer)
    return answer  # type: ignore[no-any-return]  # what the function returns


@contextmanager
def _ended(process: BaseProcess) -> Iterator[None]:
    """End it after the block; its pid may become that of a process which is none of ours."""
    from bundlevisor.actors.process.own_children import unregister

    try:
        yield
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
            unregister(process.pid)


def _await(connection: Any, timeout: float) -> Any:
    if not connection.poll(timeout):
        raise TimeoutError(f"no answer within {timeout:g} s")
    return connection.recv()


def _serve(connection: Any) -> None:
    """Compute on a thread, so that the end of the runtime is noticed whatever that hangs in."""
    import signal

    from bundlevisor.actors.process.table.own_process import hide_memory

    hide_memory()  # what is computed may be a secret
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_compute, args=(connection, *connection.recv()), daemon=True).start()
    try:
        connection.poll(None)
    finally:
        os._exit(0)


def _compute(connection: Any, function: Callable[..., object], arguments: tuple[object]) -> None:
    connection.send("ready")
    try:
        answer = (True, function(*arguments))
    except BaseException as error:  # noqa: BLE001 - told to the runtime, by its type
        connection.send((False, type(error).__name__))
    else:
        connection.send(answer)
