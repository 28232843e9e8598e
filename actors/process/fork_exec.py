"""A program executed in a session of its own, as :class:`subprocess.Popen` does it, and no more.

Popen takes twice as long as the system does (0.15 ms, with an environment of fifty variables), and
its import 3 ms of a start. What is left out are its pipes, its lock, and the environment, which may
be encoded before anybody waits for it. The function that both call is CPython's own, and
multiprocessing calls it as well: it is called here in the versions of Python whose arguments are
known, and by Popen in later ones.
"""

from __future__ import annotations

import os
import sys

import msgspec

from bundlevisor.actors.process.spawn_request import SpawnRequest

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

KNOWN = sys.version_info < (3, 15)
"""Whether this Python's ``fork_exec`` takes the arguments that it is given here."""


class Encoded(msgspec.Struct, frozen=True):
    """What execve(2) takes; child_windows has CreateProcess'. Never shown: it may hold secrets."""

    argv: tuple[bytes, ...]
    environment: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "<encoded>"


def encode(launch: SpawnRequest) -> Encoded:
    """Return arguments and environment as bytes; ValueError for what cannot be a variable."""
    environment = []
    for name, value in launch.env.items():
        if "=" in name:
            raise ValueError("illegal environment variable name")
        environment.append(variable(name, value))
    return Encoded(tuple(map(os.fsencode, launch.argv)), tuple(environment))


def variable(name: str, value: str) -> bytes:
    """Return one as execve(2) takes it; ValueError where the locale cannot write it."""
    try:
        return os.fsencode(f"{name}={value}")
    except UnicodeEncodeError:  # whose words would show a letter of what may be a secret
        lacking = f"the encoding of this locale, {sys.getfilesystemencoding()}, does not have"
        reason = f"{name} holds a letter that {lacking}; start bundlevisor in a UTF-8 locale"
        raise ValueError(reason) from None


def execute(launch: SpawnRequest) -> int:
    """Start a process and return its pid; it inherits nothing but ``output``, and /dev/null.

    Raises OSError with the name of the program, or of the folder that cannot be entered; ValueError
    for what no argument or variable can be.
    """
    return _execute(launch) if KNOWN else _execute_by_popen(launch)


def _execute(launch: SpawnRequest) -> int:
    sys.audit("subprocess.Popen", launch.argv[0], launch.argv, launch.cwd, launch.env)
    encoded = launch.encoded if isinstance(launch.encoded, Encoded) else encode(launch)
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        hear, tell = _pipe()
        try:
            try:
                pid = _fork_exec(encoded, launch, nothing, hear, tell)
            finally:
                os.close(tell)
            trouble = _read(hear)
        finally:
            os.close(hear)
    finally:
        os.close(nothing)
    if trouble:
        os.waitpid(pid, 0)
        raise _error(trouble, launch)
    return pid


def _fork_exec(encoded: Encoded, launch: SpawnRequest, nothing: int, hear: int, tell: int) -> int:
    import _posixsubprocess

    output, program = launch.output, (encoded.argv[0],)
    vfork = () if sys.version_info >= (3, 14) else (True,)
    pid: int = _posixsubprocess.fork_exec(
        *(encoded.argv, program, True, (tell,), launch.cwd, encoded.environment),  # closes others
        *(nothing, -1, -1, output, -1, output, hear, tell),
        *(True, True, -1, None, None, None, -1, None, *vfork),  # signals restored, a new session
    )
    return pid


def _read(hear: int) -> bytes:
    """Return all that the child has to say: nothing, once the program is executed."""
    said = b""
    while more := os.read(hear, 1000):
        said += more
    return said


def _pipe() -> tuple[int, int]:
    """Return a pipe whose writing end is none of the descriptors that the program begins with."""
    hear, tell = os.pipe()
    if tell > 2:
        return hear, tell
    import fcntl

    high = fcntl.fcntl(tell, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(tell)
    return hear, high


def _error(trouble: bytes, launch: SpawnRequest) -> OSError:
    """Return what the child said: ``OSError:ERRNO in hexadecimal digits:what it was about``."""
    _, number, about = trouble.split(b":", 2)
    code = int(number, 16)
    name = launch.cwd if about.startswith(b"noexec") else launch.argv[0]
    return OSError(code, os.strerror(code), name)


def _execute_by_popen(launch: SpawnRequest) -> int:
    import subprocess

    process = subprocess.Popen(
        launch.argv,
        stdin=subprocess.DEVNULL,
        stdout=launch.output,
        stderr=launch.output,
        cwd=launch.cwd,
        env=launch.env,
        start_new_session=True,
    )
    process.returncode = 0  # it is waited for elsewhere
    return process.pid
