"""What the guardian holds of its program, for the day on which the installed files are gone.

The modules are those that it imports only when the runtime has died: it is small until then.
"""

from __future__ import annotations

import sys

from bundlevisor.actors.guardian.kept_code import KeptCode

ACTORS = __name__.rpartition(".guardian.")[0]
PARTS = """
logs.pipe_copy logs.pipes logs.pipes_posix logs.pipes_windows logs.redact loop.clock loop.reactor
loop.timers telemetry.event telemetry.event_file telemetry.writer
"""
LIBRARIES = """
_ast _ctypes _datetime _decimal _heapq _opcode _pydatetime _queue _random _struct _typing _uuid
ast bisect collections.abc contextlib copy copyreg ctypes ctypes._endian ctypes.wintypes datetime
decimal dis enum fcntl functools heapq importlib importlib._abc importlib.machinery inspect
keyword linecache mmap msvcrt multiprocessing.reduction numbers opcode operator platform queue re
re._casefix re._compiler re._constants re._parser reprlib resource selectors shutil signal socket
string struct subprocess syslog textwrap threading token tokenize traceback types typing uuid
warnings weakref
"""
MACHINE_CODE = "msgspec._core"
"""Kept last: once the guardian holds its file, all is kept."""
kept: list[KeptCode] = []
"""What this process or the one that forked it has kept; at most one."""


def keep() -> None:
    """Keep all of it, once; takes some hundredths of a second. Never raises for what is missing."""
    if kept:
        return
    parts = [f"{ACTORS}.{name}" for name in PARTS.split()]
    packages = [f"{ACTORS}.{name}" for name in ("files", "guardian", "process.table")]
    if sys.platform != "linux":
        packages.append("psutil")
    code = KeptCode(breath=0.0)
    kept.append(code)
    code.stand_in()
    code.keep([*LIBRARIES.split(), *parts], whole=[*packages, "msgspec"], without=[MACHINE_CODE])
    code.keep([MACHINE_CODE])
