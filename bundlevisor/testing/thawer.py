"""Who thaws what a suite has frozen once the suite has been killed: it would stand so for ever."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import sys, psutil
frozen = psutil.Process(int(sys.argv[1]))
sys.stdin.read()
frozen.resume()
"""


class Thawer:
    """A process that resumes another one at the end of this one, unless :meth:`end` comes first.

    It has a session of its own: a terminal's Ctrl-C is for the suite.
    """

    def __init__(self, pid: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
        )

    def end(self) -> None:
        """It is needed no more."""
        self._process.kill()
        self._process.communicate()
