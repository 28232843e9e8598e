"""What goes wrong in a page's server, in words, however little is left to find them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundlevisor.actors.ui_server.server.page_log import PageLog

if TYPE_CHECKING:
    import asyncio

STANDARD_ERROR = 2


def traced(error: BaseException) -> str:
    """Return the error with its trace; without where that cannot be imported, as the installed
    files are gone or there is no descriptor to read them by."""
    try:
        import traceback
    except (ImportError, OSError):
        return _plain(error)
    return "".join(traceback.format_exception(error)).rstrip()


def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what asyncio reports, as that a connection could not be accepted.

    Its own way takes several imports, and a failure of these would end the loop, and all pages.
    """
    error, said = context.get("exception"), str(context.get("message", "an error"))
    if error is not None:
        said += f": {_plain(error) if isinstance(error, OSError) else traced(error)}"
    PageLog(STANDARD_ERROR).say(said)


def _plain(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
