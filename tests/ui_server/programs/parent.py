"""A runtime in small: starts a UI server as told in JSON on argv, says its pid, waits for its end.

Its own import is counted: a child that imports its parent's main module prints a second line.
"""

from __future__ import annotations

import json
import os
import signal
import sys

sys.path.insert(0, os.getcwd())
print(f"main {__name__}", flush=True)


def main() -> None:
    from bundlevisor.actors.ui_server.config import UiConfig
    from bundlevisor.actors.ui_server.parent.ui_process import start

    told = json.loads(sys.argv[1])
    if told.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    config = UiConfig(service_id="web", root=told["root"], port=told["port"])
    process = start(config, 2, dict(os.environ, SERVICE_INSTANCE_ID="told"))
    print(process.pid, flush=True)
    sys.stdin.read()
    del process


if __name__ == "__main__":
    main()
