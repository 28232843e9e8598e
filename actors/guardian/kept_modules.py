"""What the guardian holds of its program, for the day on which the installed files are gone.

These are the modules that it imports only when the runtime has died, because it is to be small
until then. The runtime has put them aside with its own, in a file that both share; where that
cannot be (Windows) the guardian does it itself.
"""

from __future__ import annotations

import os
import sys

from bundlevisor.actors.guardian.kept_code import KeptCode, PrivateStore, SharedStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bundlevisor.actors.guardian.code_collection import CodeCollection
    from bundlevisor.actors.guardian.kept_index import CodeSink, CodeSource

ACTORS = __name__.rpartition(".guardian.")[0]
PARTS = ("files", "guardian", "logs", "loop", "process.table", "telemetry")
NAMES = f"{ACTORS.rpartition('.')[0]}.manifest.format.app_data"
"""Of files, by which the parts above know them; the runtime has it loaded, a guardian has not."""
WHOLE = ("msgspec", *(("psutil",) if sys.platform != "linux" else ()))
LIBRARIES = """
_ast _ast_unparse _colorize _ctypes _datetime _decimal _heapq _opcode _opcode_metadata _py_warnings
_pydatetime _queue _random _struct _typing _uuid annotationlib ast bisect collections.abc contextlib
copy copyreg ctypes ctypes._endian ctypes.wintypes datetime decimal dis enum fcntl functools heapq
importlib importlib._abc importlib.machinery inspect keyword linecache mmap msvcrt
multiprocessing.reduction numbers opcode operator platform queue re re._casefix re._compiler
re._constants re._parser reprlib resource selectors shutil signal socket string struct subprocess
syslog textwrap threading token tokenize traceback types typing uuid warnings weakref
"""
MACHINE_CODE = (*LIBRARIES.split(), "msgspec._core")
"""What may be machine code."""
kept: list[KeptCode] = []
"""What this process or the one that forked it has kept; at most one."""


def keep(fd: int, offset: int, length: int, machine_code: dict[str, str]) -> None:
    """Keep all of it, once: in the file of this descriptor, or, without one, by itself.

    ``machine_code`` are the files of modules; to hold these is the last that is done.
    """
    if kept:
        if fd >= 0:
            os.close(fd)
        return
    source: CodeSource
    if fd >= 0:
        source, index_at = SharedStore(fd), (offset, length)
    else:
        source = own = PrivateStore()
        index_at, machine_code = _collect(own)
    code = KeptCode(source, index_at)
    kept.append(code)
    code.stand_in(machine_code)


def collect(collection: CodeCollection) -> None:
    """Put aside what a guardian needs, whatever this process has loaded."""
    collection.add((*LIBRARIES.split(), NAMES))
    for package in (*WHOLE, *(f"{ACTORS}.{part}" for part in PARTS)):
        collection.add_package(package)


def _collect(sink: CodeSink) -> tuple[tuple[int, int], dict[str, str]]:
    from bundlevisor.actors.guardian.code_collection import CodeCollection, machine_code

    collection = CodeCollection(sink)
    collect(collection)
    return collection.finish(), machine_code(collection.entries.get, MACHINE_CODE)
