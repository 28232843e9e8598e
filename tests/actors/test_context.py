"""What is opened for all services by whoever needs it first."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.secrets.files import SecretFiles
from tests.waiting import WITHIN


def test_a_disk_that_hangs_as_what_preparations_remember_is_read_holds_up_nobody_s_secrets() -> (
    None
):
    """The events loop asks for these when a service has ended."""
    anything: Any = SimpleNamespace()
    reading, go_on = threading.Event(), threading.Event()

    def hang() -> Any:
        reading.set()
        go_on.wait()

    context = ServiceContext(*[anything] * 11)
    context._open_stores = hang
    found: list[SecretFiles] = []
    preparation = threading.Thread(target=lambda: context.stores, daemon=True)
    loop = threading.Thread(target=lambda: found.append(context.secret_files), daemon=True)
    preparation.start()
    assert reading.wait(WITHIN)
    loop.start()
    loop.join(WITHIN)
    waits = loop.is_alive()
    go_on.set()
    loop.join(WITHIN)
    assert not waits
    assert found == [context.secret_files]
