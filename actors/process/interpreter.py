"""A new interpreter for a process of ours, in the manner of multiprocessing's spawn.

The stock way has the child run the parent's main file again, for functions that may be defined
there. Ours is the command that starts a runtime, and nothing that a child is given is defined in
it: so the child is told of no main file. It starts no resource tracker either, a process of 8 MiB
that only shared memory needs.

Whatever is started as a process of multiprocessing is started by :class:`InterpreterProcess`, or
forked before there is a thread (the first guardian); a test looks through the sources for others.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.actors.process.interpreter_windows import InterpreterProcess
else:
    from bundlevisor.actors.process.interpreter_posix import InterpreterProcess

__all__ = ["InterpreterProcess"]
