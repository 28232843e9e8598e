"""A program: a runtime that is nothing but its guardian and its services, one for each argument.

It prints one line of JSON: the pids of itself, the guardian and the services; then, for each new
guardian, another one with that pid. ``--dismiss`` ends it in an orderly way, when stdin ends.
"""

from __future__ import annotations

import json
import os
import sys
import time

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.spawn_request import SpawnRequest

assert sys.platform == "win32"

OBEYS_HTTP = """
import http.server, os, sys
class Stop(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(202); self.end_headers()
        open(sys.argv[2], "w").close()
        self.wfile.flush(); self.connection.close(); os._exit(0)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Stop).serve_forever()
"""
SLEEPS = "import time; time.sleep(600)"
INSTANCE = "feed"


def main() -> None:
    """Live as the arguments say: FOLDER, then ``sleeps`` or ``http:PORT`` for each service."""
    folder, *wanted = [word for word in sys.argv[1:] if word != "--dismiss"]
    guardian = Guardian.start(INSTANCE)
    loop = Loop("events", lambda what, error: print(what, error, file=sys.stderr))
    loop.start()
    guardian.attach(loop, lambda _event, details: _say({"guardian": details.get("pid")}))
    guardian.telemetry(os.path.join(folder, "telemetry.jsonl"))
    guardian.own(os.path.join(folder, "token"))
    pids = [_start(guardian, folder, number, word) for number, word in enumerate(wanted)]
    _say({"runtime": os.getpid(), "guardian": guardian.pid, "services": pids})
    if "--dismiss" in sys.argv:
        sys.stdin.read()
        _say({"dismissed": guardian.dismiss()})
    else:
        time.sleep(600)


def _start(guardian: Guardian, folder: str, number: int, word: str) -> int:
    instance = f"{INSTANCE}-{number}"
    kind, _, port = word.partition(":")
    code = [OBEYS_HTTP, port, os.path.join(folder, "obeyed")] if kind == "http" else [SLEEPS]
    address = (int(port), "/stop") if port else None
    guardian.expect(GuardedProcess(word, instance, grace_s=20.0, http=address))
    nul = os.open(os.devnull, os.O_RDWR)
    child = child_windows.spawn(
        SpawnRequest(
            argv=(sys.executable, "-c", *code),
            env=dict(os.environ) | {"SERVICE_INSTANCE_ID": instance},
            cwd=folder,
            output=nul,
            instance=instance,
        )
    )
    guardian.spawned(instance, child.pid, child.created, child.session)
    return child.pid


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
