"""Reading a request: waitress's parser, which refuses what two readers could read differently."""

from __future__ import annotations

from control.waitress_parts import HTTPRequestParser, ParsingError


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
            raise ParsingError("the request target is not valid") from error
        if b"\r\ntransfer-encoding:" in header_plus.lower() and (
            self.version != "1.1" or "CONTENT_LENGTH" in self.headers
        ):
            raise ParsingError("the length of the body is given in two ways")
        if self.proxy_netloc:
            self._check_target()

    def _check_target(self) -> None:
        host = self.headers.setdefault("HOST", self.proxy_netloc)
        if host.lower() != self.proxy_netloc.lower():
            raise ParsingError("the Host header and the request target name different hosts")
