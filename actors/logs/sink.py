"""Where a service's output goes: a file that may fail, without ever holding the service up."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.files.rotating_file import LogFile


class LogSink:
    """Writes, or drops and counts; the gap is told in the log itself once it can be written again.

    ``report`` hears a sentence when the log begins to fail and when it works again.
    """

    def __init__(self, service: str, file: LogFile, report: Callable[[str], None]) -> None:
        self.file = file
        self.lost = 0
        """Bytes that never reached the file."""
        self._service = service
        self._report = report
        self._gap = 0
        self._why = ""

    def open(self, *, starts: bool) -> None:
        """Make the file now, so that it is there before the first byte; begin a new line in it.

        ``starts``: what comes is another run of the service.
        """
        if not self.file.open():
            self._failed(0)
            return
        self._settle()
        if not self.file.at_line_start:
            self.file.write(b"\n")
        if starts:
            self.file.mark_start()

    def write(self, data: bytes) -> None:
        """Write, or count as lost."""
        if self._why and not self._tell_gap():
            self._failed(len(data))
            return
        taken = self.file.write(data)
        if taken < len(data):
            self._failed(len(data) - taken)

    def close(self) -> None:
        """Close the file; what was lost at its end is told in it before, if that can be."""
        self._settle()
        self.file.close()

    def _settle(self) -> None:
        if self._why:
            self._tell_gap()

    def _tell_gap(self) -> bool:
        if self._gap == 0:
            self._why = ""
            return True
        notice = f"[bundlevisor: {self._gap} bytes lost: {self._why}]\n".encode()
        if not self.file.at_line_start:
            notice = b"\n" + notice
        if self.file.write(notice) < len(notice):
            return False
        self._report(f"log of service '{self._service}': {self._gap} bytes were lost: {self._why}")
        self._gap, self._why = 0, ""
        return True

    def _failed(self, count: int) -> None:
        trouble = self.file.trouble
        why = (trouble.strerror or str(trouble)) if trouble else "unknown error"
        if not self._why:
            self._report(
                f"log of service '{self._service}': cannot write {self.file.path}: {why};"
                " its output is dropped until that works"
            )
        self._why = why
        self._gap += count
        self.lost += count
