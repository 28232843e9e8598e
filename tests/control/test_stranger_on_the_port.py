"""The port of an instance that was killed with its guardians may be another program's by now."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket

import msgspec
import pytest

from bundlevisor.actors.files import instance
from tests.acceptor import Acceptor
from tests.control.commands import Cli, Run, record
from tests.control.wire import TOKEN

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Stranger:
    """A program that has a good answer to everything."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def answer(self, client: socket) -> None:
        with client:
            self.heard.append(client.recv(1 << 16))
            client.sendall(HELLO)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[list[bytes]]:
    """What a stranger hears on the port that a dead process has left on record."""
    stranger = Stranger()
    with closing(Acceptor(stranger.answer)) as acceptor:
        record(tmp_path, acceptor.port, created=1.0)
        yield stranger.heard


@pytest.mark.parametrize(
    "words", ["status", "status --watch", "secrets list", "logs -f", "events -f", "stop db"]
)
def test_another_program_is_not_sent_the_token(
    run: Run, tmp_path: Path, heard: list[bytes], words: str
) -> None:
    code, out, err = run(*words.split(), "--app-data", str(tmp_path))
    assert (code, out) == (5, "")
    assert "another program answers" in err
    assert heard
    assert TOKEN.encode() not in b"".join(heard)


def test_an_archive_is_not_said_to_be_made_beside_what_only_another_program_answers_for(
    run: Run, tmp_path: Path, heard: list[bytes]
) -> None:
    target = tmp_path / "archive.zip"
    code, out, _ = run("support", "--output", str(target), "--app-data", str(tmp_path))
    assert code == 0
    assert "beside a running instance" not in out
    assert "status.json: another program answers" in out
    assert TOKEN.encode() not in b"".join(heard)
    assert zipfile.is_zipfile(target)


def test_an_instance_whose_process_is_not_to_be_seen_is_asked_all_the_same(cli: Cli) -> None:
    """It is in another pid namespace."""
    found = instance.peek(str(cli.app_data))
    assert found is not None
    instance.write(str(cli.app_data), msgspec.structs.replace(found, created=1.0))
    assert cli("status")[0] == 0
