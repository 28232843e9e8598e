"""The command ``bundlevisor``: ``run`` goes the shortest way, everything else to the CLI.

The order is what makes a start quick, and it is the whole content of :func:`main`: first the file
that everything is imported from, then the socket, then the guardian (one thread, hardly a module),
then the libraries, then the runtime.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from bundlevisor.control.boot import code_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from bundlevisor.actors.guardian.link import Guardian


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the code of control/wire/exit_codes.py."""
    first_line = time.monotonic(), time.process_time()
    if argv is None:
        _end_on_interrupt()
    if getattr(sys, "frozen", False):
        import multiprocessing

        multiprocessing.freeze_support()
    _fill_standard_streams()
    code_file.use()
    words = _words() if argv is None else list(argv)
    if not _means_run(words):
        return _ask(words)
    gc.disable()  # there is no garbage in what is imported; the API's start enables it again
    from bundlevisor.control.boot import first_signals

    first_signals.own(keep_running=any(map(_says_keep_running, words)))
    try:
        return _run(words, first_line)
    except (OSError, ImportError, MemoryError, RuntimeError) as error:
        return _leave(_complain(error))


def _end_on_interrupt() -> None:
    """Let Ctrl-C end the process as the system does, until somebody hears it.

    Python would raise in the midst of an import, and print where.
    """
    signals: Any = __import__("_signal")
    if signals.getsignal(signals.SIGINT) is signals.default_int_handler:
        signals.signal(signals.SIGINT, signals.SIG_DFL)


def _words() -> list[str]:
    """Return the command line; under the name ``runtimectl`` it is that of the command ``ctl``."""
    name = os.path.basename(sys.argv[0]).lower().removesuffix(".exe")
    return (["ctl"] if name == "runtimectl" else []) + sys.argv[1:]


def _says_keep_running(word: str) -> bool:
    """Whether it is that switch and does not say no, before the options are read as a whole."""
    name, _, value = word.lstrip("-").partition("=")
    return name == "keep-running" and value.lower() not in ("0", "f", "false")


def _run(words: list[str], first_line: tuple[float, float]) -> int:
    from bundlevisor.control.boot import early_socket

    _widen_descriptor_table()
    early_socket.listen(words)
    socket_at = time.monotonic()
    guardian = _start_guardian()
    from bundlevisor.actors.stand_ins import for_run
    from bundlevisor.control.boot import straight_import

    for_run.import_for_opening()
    straight_import.import_part(straight_import.OPENING)
    from bundlevisor.control.run import options

    parsed = options.parse(words)
    if not isinstance(parsed, options.RunOptions):
        guardian.dismiss()
        return _ask(words)
    from bundlevisor.control.run.runtime import run

    return _leave(run(parsed, guardian, first_line, socket_at, _follow_start))


def _follow_start(*parts: Any) -> None:
    """Show in a terminal how far the start is; called when there is time to import that."""
    from bundlevisor.control.cli.start_view import follow_start

    follow_start(*parts)


def _complain(error: Exception) -> int:
    """Say what was short before there was a console to say it on; returns the exit code."""
    try:
        from bundlevisor.control.run.resource_limits import why

        reason = why(error)
    except (OSError, ImportError, MemoryError):
        reason = str(error) or type(error).__name__
    os.write(2, f"bundlevisor: cannot start: {reason}\n".encode("utf-8", "replace"))
    return 1


def _leave(code: int) -> NoReturn:
    """End at once: all is written and closed, and daemon threads need no farewell."""
    os._exit(code)


def _fill_standard_streams() -> None:
    """Open what the shell has closed of 0, 1 and 2.

    Otherwise the next socket would be one of them: read as stdin, and logged to as stderr.
    """
    for descriptor in (0, 1, 2):
        if not _is_open(descriptor):
            os.open(os.devnull, os.O_RDWR)


def _widen_descriptor_table() -> None:
    """Make room for descriptors while there is one thread; nothing happens where that is refused.

    Linux doubles the table when it is full, and in a process with threads waits each time until
    every processor has let go of the old one (synchronize_rcu in fs/file.c): ten milliseconds.
    """
    last = 1023
    if sys.platform == "linux" and not _is_open(last):
        try:
            os.close(os.dup2(2, last))
        except OSError:
            return


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _means_run(words: Sequence[str]) -> bool:
    """Whether the command line runs a bundle, by its first word: ``run``, a flag, or none."""
    if not words or words[0] == "run":
        return True
    return words[0].startswith("-") and words[0].lstrip("-") not in ("help", "h", "version")


def _start_guardian() -> Guardian:
    from bundlevisor.actors.stand_ins import for_run
    from bundlevisor.control.boot import folders, straight_import

    folders.know_folders()
    for_run.import_multiprocessing()
    straight_import.import_part(straight_import.GUARDIAN)
    from bundlevisor.actors.guardian.link import Guardian
    from bundlevisor.actors.process.table.own_process import (
        adopt_orphans,
        hide_memory,
        share_heap,
    )

    hide_memory()
    adopt_orphans()
    share_heap()
    return Guardian.start(os.urandom(6).hex())


def _ask(words: Sequence[str]) -> int:
    from bundlevisor.control.cli.dispatch import dispatch
    from bundlevisor.control.run import options

    parsed = options.parse(words)
    assert not isinstance(parsed, options.RunOptions)  # noqa: S101 - for the type checker
    return dispatch(parsed)


if __name__ == "__main__":
    sys.exit(main())
