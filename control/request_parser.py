"""Reading a request: waitress's parser, which refuses what two readers could read differently."""

from __future__ import annotations

from control.waitress_parts import HTTPRequestParser, ParsingError

VERSIONS = ("1.1", "1.0")


class Parser(HTTPRequestParser):
    """One request, as far as it has come."""

    command = ""
    path = ""
    query = ""

    def parse_header(self, header_plus: bytes) -> None:
        """Raise ParsingError for a request that is not valid, or ambiguous (RFC 9112, 3.2, 6.1)."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # urlsplit: a target such as http://[
            raise _unreadable("the request target is not valid") from error
        if b"\r\ntransfer-encoding:" in header_plus.lower() and (
            self.version != "1.1" or "CONTENT_LENGTH" in self.headers
        ):
            raise _unreadable("the length of the body is given in two ways")
        if self.version not in VERSIONS:
            raise _unreadable("the request line does not end with HTTP/1.1 or HTTP/1.0")
        if not self.request_uri.startswith("/"):
            self._check_target()

    def _check_target(self) -> None:
        """Take ``http://host/path`` for a path of that host, and ``*`` for OPTIONS."""
        if self.proxy_netloc and self.proxy_scheme.lower() == "http":
            host = self.headers.setdefault("HOST", self.proxy_netloc)
            if host.lower() != self.proxy_netloc.lower():
                raise _unreadable("the Host header and the request target name different hosts")
        elif (self.command, self.request_uri) != ("OPTIONS", "*"):
            raise _unreadable("the request target does not begin with '/'")


def _unreadable(sentence: str) -> ParsingError:
    from control.request_refusals import Unreadable

    return ParsingError(Unreadable(sentence))
