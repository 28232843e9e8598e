"""The parts of waitress that the server builds on, undocumented ones included.

Their types stand beside this file: the published stubs have several of them wrong, and what is
declared there is exactly what a new version of waitress must still have (a test compares).
"""

from __future__ import annotations

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.wasyncore import close_all, loop

__all__ = [
    "Adjustments",
    "ErrorTask",
    "HTTPChannel",
    "HTTPRequestParser",
    "ParsingError",
    "TcpWSGIServer",
    "WSGITask",
    "close_all",
    "loop",
]
