"""What a browser sends to the dashboard, by hand: each part of it can be left out or forged."""

from __future__ import annotations

import json

from tests.control.wire import Api, Reply


class Visitor:
    """One browser: its cookie jar, its page's key, and the origin of the page that asks."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.host = f"127.0.0.1:{api.port}"
        self.origin = f"http://{self.host}"
        self.cookie = ""
        self.key = ""

    def code(self) -> str:
        """Ask for a code as the command does, with the token."""
        code: str = self.api.post("/ui/codes").json()["code"]
        return code

    def try_code(self, code: str, origin: str | None = "", **headers: str) -> Reply:
        """Send a code as the entrance's page does; ``origin`` None sends none."""
        if origin is not None:
            headers["Origin"] = origin or self.origin
        return self.api.ask(
            "POST", "/ui/sessions", None, None, 20, Bundlevisor_Code=code, **headers
        )

    def enter(self, code: str = "") -> Visitor:
        reply = self.try_code(code or self.code())
        assert reply.status == 200, reply.body
        self.cookie = reply.headers["Set-Cookie"].partition(";")[0]
        self.key = json.loads(reply.body)["key"]
        return self

    def ask(self, method: str, path: str, **headers: str | None) -> Reply:
        """Ask as the page's script does; a header that is None is left out."""
        sent: dict[str, str | None] = {
            "Cookie": self.cookie,
            "Bundlevisor_Key": self.key,
            "Sec_Fetch_Site": "same-origin",
            "Sec_Fetch_Mode": "cors",
            "Sec_Fetch_Dest": "empty",
        }
        if method == "POST":
            sent["Origin"] = self.origin
        sent |= headers
        given = {name: value for name, value in sent.items() if value is not None}
        return self.api.ask(method, path, None, None, 20, **given)

    def open(self, path: str, **headers: str | None) -> Reply:
        """Open an address in a tab."""
        opened = {"Bundlevisor_Key": None, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "none"}
        return self.ask("GET", path, **{**opened, "Sec_Fetch_Dest": "document", **headers})
