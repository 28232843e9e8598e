"""The client's commands, run in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.files import endpoint, instance
from bundlevisor.actors.files.instance import Instance
from bundlevisor.actors.process import table
from bundlevisor.control.__main__ import main
from tests.control.fake_runtime import BUNDLE
from tests.control.wire import TOKEN


class Cli:
    """Runs commands in this process against the instance whose record lies in ``app_data``."""

    def __init__(self, app_data: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.app_data = app_data
        self._capture = capture

    def __call__(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = main([*argv, "--app-data", str(self.app_data)])
        out, err = self._capture.readouterr()
        return code, out.decode(), err.decode()


def record(
    app_data: Path,
    port: int,
    pid: int | None = None,
    token: str = TOKEN,
    created: float | None = None,
) -> None:
    token_path = str(app_data / "runtime" / "auth-token")
    endpoint.write_token(token_path, token)
    endpoint.write_port(str(app_data), port)
    one = Instance(
        instance_id="instance-1",
        pid=pid or os.getpid(),
        created=created or table.created(pid or os.getpid()) or 0.0,
        host="127.0.0.1",
        port=port,
        token_path=token_path,
        manifest="/bundle/bundle.json",
        started_at=0.0,
    )
    instance.write(str(app_data), one)


Run = Callable[..., tuple[int, str, str]]


def bundle_of(**ipc: Any) -> dict[str, Any]:
    return BUNDLE | {"ipc": BUNDLE["ipc"] | ipc}
