"""``/ui/``: the dashboard's files for those who have come in, and the codes by which one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.dashboard import cookies, page_files
from bundlevisor.control.dashboard.codes import LIFE_S
from bundlevisor.control.wire.bodies import DashboardCode
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.json_body import send

if TYPE_CHECKING:
    from collections.abc import Callable

    import falcon

    from bundlevisor.control.dashboard.guests import Guests


class CodesResource:
    """``POST /ui/codes``: for who has the token; no browser that has come in lets another in."""

    def __init__(self, guests: Callable[[], Guests]) -> None:
        self._guests = guests

    def on_post(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200 with a new code."""
        code = self._guests().codes.issue()
        send(resp, DashboardCode(code=code, path=f"/ui/enter#{code}", expires_in_s=LIFE_S))


class LeaveResource:
    """``POST /ui/leave``: the end of a browser's session."""

    def __init__(self, guests: Callable[[], Guests]) -> None:
        self._guests = guests

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 204."""
        host = req.get_header("Host", default="")
        self._guests().leave({"HOST": host, "COOKIE": req.get_header("Cookie", default="")})
        resp.append_header("Set-Cookie", cookies.ended(host))
        resp.status = 204


class FilesResource:
    """The page itself, and what it is made of."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response, name: str = "") -> None:
        """Answer 200, 404 for what is no file of the dashboard."""
        try:
            found = page_files.shipped().get(name or page_files.PAGE)
        except OSError as error:
            sentence = f"the dashboard's files cannot be read: {error.strerror}"
            raise Refusal(404, "not_found", sentence) from None
        if found is None:
            sentence = f"there is no file '{name}' in the dashboard"
            raise Refusal(404, "not_found", sentence)
        resp.set_headers(page_files.HEADERS)
        resp.content_type = found.media_type
        resp.data = found.body
