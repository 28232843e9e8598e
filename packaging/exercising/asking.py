"""Everything that a running instance can be asked, and what may happen to it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal

from exercising.control_api import Api, fetch
from exercising.place import Place
from exercising.programs import ask
from exercising.verdict import Wrong, done, expect, until

QUESTIONS = (
    ("status",),
    ("status", "--json"),
    ("health",),
    ("ports",),
    ("ready",),
    ("port", "--service", "api"),
    ("logs", "--service", "api", "--lines", "5"),
    ("logs", "--timestamps", "--since", "1h"),
    ("logs", "api", "tcp", "--json"),
    ("secrets", "list"),
    ("telemetry",),
    ("events", "--lines", "5"),
    ("events", "--service", "api", "--json"),
    ("timeline",),
    ("dashboard", "--no-open"),
    ("restart", "tcp", "--wait", "20"),
    ("stop", "tcp", "--wait", "20"),
    ("start", "tcp", "--wait", "20"),
)
"""What the client can be asked, and have done, of the bundle that has one of everything."""


def asking_by_command(place: Place) -> None:
    """Use every command of the client."""
    data = ("--app-data", place.app_data)
    api = Api(place)
    until("all but what waits for a secret is ready", lambda: api.states("asks") <= {"ready"})
    ask(place, 0, "secrets", "set", "asked", *data, "--stdin", text="wörd")
    ask(place, 1, "secrets", "set", "asked", *data, "--stdin", text="NOT A WORD", accept=(1, 2))
    ask(place, 0, "ready", *data, "--wait", "40")
    for words in (
        *QUESTIONS,
        ("timeline", "--svg", os.path.join(place.work, "timeline.svg")),
        ("status", "--manifest", place.manifest),
    ):
        ask(place, 0, *words, *(data if "--manifest" not in words else ()), accept=(0, 4))
    suffix = ".exe" if os.path.exists(place.outside("bundle", "bin", "program.exe")) else ""
    ask(place, 0, "exec", "api", *data, "--", f"bin/program{suffix}", "check")
    token = os.path.join(place.app_data, "runtime", "auth-token")
    for command in ("health", "status", "ports"):
        there = ("--port", str(api.port), "--token-file", token)
        ask(place, 0, *there, command, program="runtimectl")
    if not os.path.exists(place.outside("app data", "migrated")):
        raise Wrong("the migration did not run")
    done("every command, secrets by command, a migration")


def asking_by_http(api: Api) -> None:
    """Ask every endpoint, also wrongly."""
    if api.get("/healthz", bearer=False)[0] != 200 or api.get("/status", bearer=False)[0] != 401:
        raise Wrong("only /healthz is answered without a token")
    for path in (
        "/readyz?wait=1",
        "/ports",
        "/status",
        "/validate",
        "/secrets",
        "/telemetry",
        "/logs/tail?serviceId=api",
        "/logs/tail?serviceId=api&lines=3",
        "/logs/lines?services=api,tcp&lines=3&since=60",
        "/metrics",
        "/timeline",
        "/openapi.json",
        "/events?after=0&limit=5",
        "/readyz?strict=1",
        "/ui/",
        "/ui/main.js",
    ):
        expect(200, path, api.get(path))
    expect(200, "the picture", api.get("/timeline", accept="image/svg+xml"))
    expect(404, "an unknown service", api.get("/logs/tail?serviceId=nobody"))
    expect(404, "an unknown path", api.get("/nothing"))
    expect(400, "a wrong number", api.get("/logs/tail?serviceId=api&lines=x"))
    expect(200, "secrets", api.post("/secrets", {"secrets": {"asked": "another"}}))
    expect(400, "a wrong secret", api.post("/secrets", {"secrets": {"asked": "NO"}}))
    expect(400, "no JSON", api.post("/secrets", None))
    expect(202, "a restart", api.post("/services/tcp/restart?wait=10", {}))
    expect(202, "on demand", api.post("/services/later/start?wait=10", {}))
    api.stream("/events?after=0", "text/event-stream", b"data:")
    api.stream("/logs/follow?serviceId=api", "text/plain", b"")
    done("every endpoint, both streams")


def a_page(api: Api) -> None:
    """Use a page: all, a part, not modified, compressed, fallback, missing, the API behind."""
    port = api.json("/ports")["services"]["web"]["http"]
    status, headers, body = fetch(port, "/")
    expect(200, "the page", (status, body))
    expect(206, "a part", fetch(port, "/index.html", Range="bytes=0-9")[::2])
    expect(304, "not modified", fetch(port, "/", **{"If-None-Match": headers["ETag"]})[::2])
    expect(200, "compressed", fetch(port, "/", **{"Accept-Encoding": "gzip, br"})[::2])
    expect(200, "a route of the page", fetch(port, "/some/route")[::2])
    expect(404, "a missing file", fetch(port, "/missing.js")[::2])
    expect(200, "the API behind the page", fetch(port, "/api/x")[::2])
    done("a page and the API behind it")


def services(place: Place, api: Api) -> None:
    """Let a service crash, and see it replaced."""
    port = api.json("/ports")["services"]["api"]["http"]
    before = api.json("/readyz")["details"]["api"]["restarts"]
    with contextlib.suppress(OSError, http.client.HTTPException):
        fetch(port, "/crash")
    until(
        "the crashed service is there again",
        lambda: api.json("/readyz")["details"]["api"]["restarts"] > before,
    )
    ask(place, 0, "ready", "--app-data", place.app_data, "--wait", "40")
    done("a crash and a restart")


def a_killed_guardian(api: Api) -> None:
    """Kill the guardian, and see the next one, which is a new interpreter."""
    (guardian,) = api.guardians()
    os.kill(guardian, signal.SIGKILL)
    until("there is another guardian", lambda: bool(api.guardians() - {guardian}))
    expect(200, "the API afterwards", api.get("/readyz"))
    done("a killed guardian is replaced")
