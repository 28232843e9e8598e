"""Whose work takes long is waited for as long as that may take."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bundlevisor.actors.process import isolated_call
from bundlevisor.actors.secrets import key_store
from bundlevisor.control.cli import queries, secret_commands
from bundlevisor.control.cli.client import Client
from bundlevisor.control.cli.find import Endpoint
from tests.control.wire import Api


def test_a_disk_and_a_person_are_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    connect = Client._connection

    @contextmanager
    def noted(client: Client, timeout: float) -> Iterator[Any]:
        waits.append(timeout)
        with connect(client, timeout) as connection:
            yield connection

    monkeypatch.setattr(Client, "_connection", noted)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"k-1")))
    client = Client(
        Endpoint(host="127.0.0.1", port=api.port, token=api.token, token_path="", app_data="")
    )
    queries.validate(client, argparse.Namespace(json=False))
    assert waits[-1] >= 600, "checksums of all assets are read from a slow disk"
    secret_commands.put(client, argparse.Namespace(secret="api_key", stdin=True))
    assert waits[-1] >= isolated_call.START_PATIENCE + key_store.TIMEOUT, "it is unlocked"
