"""Nothing is left to look by: that says nothing of a user's data, and another start may look."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bundlevisor.actors.core.messages import LaunchFailed, Message
from bundlevisor.actors.files import own_file
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import BundleSite, LaunchSpec
from bundlevisor.actors.prepare.means import Task
from bundlevisor.actors.prepare.preparation import Preparation
from bundlevisor.actors.prepare.stores import Stores, open_stores
from bundlevisor.manifest.format.schema import Migration, Service
from tests.actors.prepare.test_preparation import means, nobody
from tests.manifests import manifest_of
from tests.waiting import wait_until


@pytest.mark.parametrize("file", ["migrations.json", "snapshot.json"])
@pytest.mark.parametrize(
    ("code", "fatal"), [(errno.EMFILE, False), (errno.ENFILE, False), (errno.EIO, True)]
)
def test_what_cannot_be_looked_at_for_want_of_a_descriptor_fails_this_start_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    code: int,
    fatal: bool,
) -> None:
    usual = own_file.read

    def read(path: str, *rest: Any, **named: Any) -> bytes:
        if os.path.basename(path) == file:
            raise OSError(code, os.strerror(code), path)
        return usual(path, *rest, **named)

    made = manifest_of(Service(id="db", migrations=[Migration(version="1", command=["m"])]))
    opened: list[Stores] = []

    def stores() -> Stores:
        opened[:] = opened or [open_stores(made, str(tmp_path), report=nobody, verify_all=False)]
        return opened[0]

    monkeypatch.setattr(own_file, "read", read)
    site = BundleSite(str(tmp_path), str(tmp_path), {}, "instance")
    spec = LaunchSpec(made.services[0], None, site, "db.log")
    works = msgspec.structs.replace(means(), installs=True, stores=stores)
    told: list[Message] = []
    Preparation(Task(spec, works, StartInputs({}), 1, told.append)).start()
    wait_until(lambda: bool(told), what="it has ended")
    (answer,) = told
    assert isinstance(answer, LaunchFailed)
    assert answer.fatal is fatal
    assert file in answer.reason
    assert ("not known" in answer.reason) is fatal
    monkeypatch.undo()
    if not fatal:
        assert stores().migrations.plan("db").pending == tuple(made.services[0].migrations)
