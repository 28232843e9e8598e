"""What is done about a fault of ours while a request is answered."""

from __future__ import annotations

from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.server.page_log import PageLog


def failed(request: Request, error: Exception, log: PageLog) -> Answer:
    """Write the details into the page's log, and answer without them."""
    import traceback

    details = "".join(traceback.format_exception(error)).rstrip()
    log.say(f"cannot answer {request.method} {request.target}\n{details}")
    return plain_answers.failed()
