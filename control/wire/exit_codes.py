"""What the exit codes of ``bundlevisor`` mean, of a run and of the commands that ask."""

from __future__ import annotations

OK = 0
NO = 1
"""The answer is no: not ready, failed, refused, not valid; a run could not be started."""
USAGE = 2
"""The command line or the manifest is wrong."""
HELD = 3
"""Another instance runs on the app-data folder."""
NOT_RUNNING = 4
"""There is no running instance to ask."""
NO_ANSWER = 5
"""The instance did not answer, or refused the token."""
INTERRUPTED = 130
"""Ctrl-C; the shells' custom."""
