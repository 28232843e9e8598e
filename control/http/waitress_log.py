"""Where waitress logs: exceptions go to the runtime's log, remarks nowhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR = 40
"""The level of errors in :mod:`logging`."""


class Faults:
    """Where waitress logs: exceptions go to the runtime's log, remarks nowhere."""

    def __init__(self, fault: Callable[[str, BaseException], None]) -> None:
        self._fault = fault

    def exception(self, message: str, *arguments: object) -> None:
        """Report the exception that is being handled."""
        error = sys.exc_info()[1]
        if error is not None:
            self._fault(message % arguments if arguments else message, error)

    def log(self, level: int, message: str, *arguments: object) -> None:
        """Report errors, which waitress logs in this way too; say nothing of the rest."""
        if level >= ERROR:
            self.exception(message, *arguments)

    def remark(self, *_arguments: object) -> None:
        """Say nothing."""

    debug = info = warning = remark
