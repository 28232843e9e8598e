"""``bundlevisor dashboard``: the page of an instance, opened in the user's browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bundlevisor.control.cli.queries import accepted, output
from bundlevisor.control.wire import exit_codes
from bundlevisor.manifest.format.loopback import url_of

if TYPE_CHECKING:
    import argparse

    from bundlevisor.control.cli.client import Client

WITH_WINDOWS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
"""Without any of these, what Linux would open is a browser in the terminal."""


def show_dashboard(client: Client, arguments: argparse.Namespace) -> int:
    """Open the page, or with ``--no-open`` print the address that lets one browser in."""
    found = accepted(client.post("/ui/codes"))
    endpoint = client.endpoint
    place = url_of(endpoint.host, endpoint.port)
    address = f"{place}{found['path']}"
    life = f"good once, for {found['expires_in_s']:.0f} s"
    if arguments.no_open or arguments.json:
        output(arguments, {"address": address, **found}, lambda: address)
        if not arguments.json:
            print(f"bundlevisor: {life}", file=sys.stderr)
        return exit_codes.OK
    if _opened(address):
        print(f"opened {place}/ui/")
        return exit_codes.OK
    print(address)
    print(
        f"bundlevisor: no browser could be opened here; open this address in one ({life})",
        file=sys.stderr,
    )
    return exit_codes.NO


def _opened(address: str) -> bool:
    """Return whether a browser was started; one in the terminal, without scripts, is none."""
    asks_environment = sys.platform not in ("win32", "darwin")
    if asks_environment and not any(map(os.environ.get, WITH_WINDOWS)):
        return False
    import webbrowser

    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
