"""What is done about a fault of ours while a request is answered."""

from __future__ import annotations

import contextlib
import sys

from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.request import Request


def failed(request: Request, error: Exception) -> Answer:
    """Write the details into the log, and answer without them."""
    import traceback

    with contextlib.suppress(OSError):  # the log may be gone with the runtime
        print(f"cannot answer {request.method} {request.target}", file=sys.stderr)
        traceback.print_exception(error)
    return plain_answers.failed()
