"""A start whose socket cannot be watched fails before it has a process, which nobody would own."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.service_notifications import ServiceNotifications
from bundlevisor.manifest.plan.readiness import Condition

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")


class FullLoop:
    """A loop of a user with too many watches (epoll(7), max_user_watches)."""

    def watch(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def unwatch(self, _: int) -> bool:
        return False


def test_a_socket_that_cannot_be_watched_is_refused_as_it_is_opened(tmp_path: Path) -> None:
    spec: Any = SimpleNamespace(
        criterion=SimpleNamespace(condition=Condition.NOTIFIED),
        service=SimpleNamespace(watchdog=0.0),
        site=SimpleNamespace(app_data=str(tmp_path)),
        index=0,
    )
    guardian = SimpleNamespace(own=lambda *_, **__: None, disown=lambda _: None)
    context: Any = SimpleNamespace(loop=FullLoop(), guardian=guardian)
    made = ServiceNotifications(spec, context, StartInputs({}), 1, lambda _: None)
    try:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            made.open()
    finally:
        made.close()
