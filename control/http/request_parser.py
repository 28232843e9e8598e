"""Reading a request: waitress's parser, which refuses what two readers could read differently."""

from __future__ import annotations

from bundlevisor.control.http.waitress_parts import HTTPRequestParser, ParsingError

VERSIONS = ("1.1", "1.0")
MOST_HEADERS = 100
"""More are refused before they are read: 2,500 of them fit into 16 KiB, and cost 5 ms. Browsers
send some twenty."""


class Parser(HTTPRequestParser):
    """One request, as far as it has come."""

    command = ""
    path = ""
    query = ""
    admitted = False
    """Whether it carries the token."""

    def received(self, data: bytes) -> int:
        """Take bytes of the request, return how many; trailers are bounded as headers are."""
        taken = super().received(data)
        body = self.body_rcv
        if body is None:
            return taken
        trailer = getattr(body, "trailer", b"")
        if self.error is not None and self.error is body.error:
            self._refuse_body(ended=not trailer)
        pending = trailer or getattr(body, "control_line", b"")
        if len(pending) >= self.adj.max_request_header_size and self.error is None:
            self._refuse("the trailers are larger than 16 KiB")
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Raise ParsingError for a request that is not valid, or ambiguous (RFC 9112, 3.2, 6.1)."""
        if header_plus.count(b"\n") > MOST_HEADERS + 2:  # the request line, and the blank one
            super().parse_header(b"GET / HTTP/1.0\r\n")
            self._refuse(f"there are more than {MOST_HEADERS} headers")
            return
        try:
            super().parse_header(header_plus)
        except (ParsingError, ValueError) as error:
            raise _unreadable(_fault(header_plus, error)) from error
        if b"\r\ntransfer-encoding:" in header_plus.lower() and (
            self.version != "1.1" or "CONTENT_LENGTH" in self.headers
        ):
            raise _unreadable("the length of the body is given in two ways")
        if self.version not in VERSIONS:
            raise _unreadable("the request line does not end with HTTP/1.1 or HTTP/1.0")
        if not self.request_uri.startswith("/"):
            self._check_target()

    def _refuse(self, sentence: str) -> None:
        from bundlevisor.control.http.request_refusals import HeadersTooLarge

        self.error = HeadersTooLarge(sentence)
        self.completed = True

    def _refuse_body(self, ended: bool) -> None:
        """Say what is wrong with a chunk; what follows one that did not end is in the trailer."""
        from bundlevisor.control.http.request_refusals import BadBody

        self.error = BadBody(ended)

    def _check_target(self) -> None:
        """Take ``http://host/path`` for a path of that host, and ``*`` for OPTIONS."""
        if self.proxy_netloc and self.proxy_scheme.lower() == "http":
            host = self.headers.setdefault("HOST", self.proxy_netloc)
            if host.lower() != self.proxy_netloc.lower():
                raise _unreadable("the Host header and the request target name different hosts")
        elif (self.command, self.request_uri) != ("OPTIONS", "*"):
            raise _unreadable("the request target does not begin with '/'")


def _fault(head: bytes, error: Exception) -> str:
    from bundlevisor.control.http import request_faults

    if isinstance(error, ValueError):  # urlsplit's: a target such as http://[
        return request_faults.BAD_TARGET
    return request_faults.fault(head)


def _unreadable(sentence: str) -> ParsingError:
    from bundlevisor.control.http.request_refusals import Unreadable

    return ParsingError(Unreadable(sentence))
