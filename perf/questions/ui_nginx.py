"""nginx with one worker, as somebody would set it up for a page and its API: to compare with."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

from bundlevisor.perf import client
from bundlevisor.testing.deadline import wait_until

NAME = "nginx"
CONFIG = """
daemon off; worker_processes 1; master_process off; pid {folder}/nginx.pid;
error_log {folder}/error.log; events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream api {{ server 127.0.0.1:{api}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port}; root {root};
    location /api/ {{
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


def is_there() -> bool:
    """Return whether nginx is installed."""
    return shutil.which(NAME) is not None


@contextlib.contextmanager
def serving(root: str, port: int, api: int, folder: str) -> Iterator[int]:
    """Serve ``root``, and ``/api/`` from the API's port; yield its pid. NotWithin if it fails."""
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(folder=folder, root=root, port=port, api=api))
    with subprocess.Popen([NAME, "-c", path, "-p", folder], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: client.ask(port, "/index.html"), "nginx to answer")
            yield process.pid
        finally:
            process.terminate()
