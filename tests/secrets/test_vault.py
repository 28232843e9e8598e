"""The vault on real files: nothing is given before it is kept, nothing is lost, nothing shown."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from bundlevisor.actors.core.messages import StartService
from bundlevisor.actors.files import own_file
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.launch.inputs import Concealed, StartInputs
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.secrets.former_values import FORMER, FORMER_LENGTH
from bundlevisor.actors.secrets.key_store import KeyStore
from bundlevisor.actors.secrets.store import peek, read
from bundlevisor.actors.secrets.vault import Vault, open_vault
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read import load
from tests.bundle_maker import wait_until
from tests.secrets.secret_bundle import generated, secret, with_secrets
from tests.waiting import WITHIN

HIDDEN = "zz-hidden-zz"


def manifest(folder: Path) -> Manifest:
    made = with_secrets(folder, generated("session", required=False), secret("api_key"))
    made.service("api", secrets=["session", "api_key"]).service("db", secrets=["session"])
    made.service("free").write()
    found = load.read(str(made.path)).manifest
    assert found is not None
    return found


def opened(folder: Path, warnings: list[str] | None = None, *, generates: bool = True) -> Vault:
    warn = (warnings if warnings is not None else []).append
    return open_vault(manifest(folder), str(folder), warn, {}, generates=generates)


def test_a_generated_secret_is_given_to_nobody_before_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, go = threading.Event(), threading.Event()
    sync = os.fsync

    def slow_sync(fd: int) -> None:
        go.wait(WITHIN)
        sync(fd)

    monkeypatch.setattr(os, "fsync", slow_sync)
    vault = opened(tmp_path)
    vault.when_settled(stored.set)
    vault.begin()
    assert vault.missing("db") == ("session",)
    assert vault.hindrance("db") == f"{tmp_path / 'secrets.json'} is being written"
    assert vault.missing("free") == ()
    assert not (tmp_path / "secrets.json").exists()
    go.set()
    assert stored.wait(WITHIN)
    assert vault.missing("db") == ()
    kept = json.loads((tmp_path / "secrets.json").read_text())["secrets"]
    assert vault.values_for("db") == kept
    assert vault.missing("api") == ("api_key",)


class AskedStore(KeyStore):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__("app")
        self.may_answer = threading.Event()

    def get(self, ids: Collection[str]) -> Concealed:
        assert self.may_answer.wait(WITHIN)
        return Concealed({"api_key": "k"})

    def put(self, values: Mapping[str, str]) -> frozenset[str]:
        return frozenset(values)


def test_what_has_a_value_is_not_known_before_the_key_store_has_answered(tmp_path: Path) -> None:
    asked, known = AskedStore(), threading.Event()
    vault = Vault(manifest(tmp_path), str(tmp_path), print, asked)
    vault.when_settled(known.set)
    vault.begin()
    assert vault.pending() == {"session", "api_key"}
    assert vault.present() == frozenset()
    asked.may_answer.set()
    assert known.wait(WITHIN)
    assert vault.pending() == frozenset()
    assert vault.present() == {"session", "api_key"}
    dry = Vault(manifest(tmp_path), str(tmp_path), print, asked, generates=False)
    assert dry.pending() == frozenset()


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_a_disk_that_does_not_take_it_holds_the_service_back_until_it_does(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "app-data"
    blocked.symlink_to(tmp_path / "not-there-yet")
    warnings: list[str] = []
    stored = threading.Event()
    vault = Vault(manifest(tmp_path), str(blocked), warnings.append)
    hindered: list[str] = []
    vault.when_settled(stored.set, lambda: hindered.append(vault.hindrance("db")))
    vault.begin()
    wait_until(lambda: warnings, what="the warning")
    assert "could not be stored" in warnings[0]
    assert hindered == [f"{blocked}: it is a link that leads nowhere"]
    assert vault.missing("db") == ("session",)
    assert vault.hindrance("free") == ""
    with pytest.raises(OSError, match=r"."):
        vault.store({"api_key": "k"}, 5)
    assert vault.present() == {"session"}
    (tmp_path / "not-there-yet").mkdir()
    assert stored.wait(WITHIN)
    assert (vault.missing("db"), vault.hindrance("db")) == ((), "")


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing on Windows")
@pytest.mark.permissions
def test_a_file_that_cannot_be_read_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"secrets": {"session": "precious"}}')
    file.chmod(0)
    check_that_it_is_left_alone(tmp_path)
    file.chmod(0o600)
    assert "precious" in file.read_text()


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing on Windows")
def test_a_file_whose_mode_cannot_be_changed_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FAT that the system has mounted for everybody, or on a drive of Windows in WSL."""

    def refused(path: str, mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    file = tmp_path / "secrets.json"
    file.write_text('{"secrets": {"session": "precious"}}')
    file.chmod(0o666)
    made, warnings = manifest(tmp_path), list[str]()
    with monkeypatch.context() as patched:
        patched.setattr(os, "chmod", refused)
        vault = Vault(made, str(tmp_path), warnings.append)
    assert (vault.missing("db"), vault.values_for("db")) == ((), {"session": "precious"})
    assert warnings == []


def test_a_folder_in_its_place_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").mkdir()
    check_that_it_is_left_alone(tmp_path)
    assert (tmp_path / "secrets.json").is_dir()


def test_a_file_that_a_failing_disk_does_not_give_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"secrets": {"session": "precious"}}')

    def failing(descriptor: int, count: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(own_file, "read_up_to", failing)
        check_that_it_is_left_alone(tmp_path)
    assert "precious" in file.read_text()


def check_that_it_is_left_alone(app_data: Path) -> None:
    warnings: list[str] = []
    vault = opened(app_data, warnings)
    assert "cannot be read" in warnings[0]
    assert vault.present() == frozenset()
    with pytest.raises(OSError, match=r"."):
        vault.store({"api_key": "k"}, 5)


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    vault = opened(tmp_path, generates=False)
    told = threading.Event()
    vault.begin()
    vault.when_settled(told.set)
    assert told.is_set()
    assert vault.present() == frozenset()
    assert not (tmp_path / "secrets.json").exists()


def test_values_that_the_bundle_no_longer_has_are_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"api_key": "k", "of_yesterday": "kept", "number": 5}')
    vault = opened(tmp_path)
    vault.store({"session": "s"}, 5)
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert kept == {"secrets": {"api_key": "k", "of_yesterday": "kept", "session": "s"}}


def test_storing_says_what_has_changed(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    assert vault.store({"api_key": "1", "session": "2"}, 5) == {"api_key", "session"}
    assert vault.store({"api_key": "1", "session": "3"}, 5) == {"session"}
    assert vault.store({"api_key": "1"}, 5) == frozenset()


@pytest.mark.parametrize("text", ["[]", "3", '{"secrets": {"a"', "\0\0\0\0", ""])
def test_what_is_no_store_is_set_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    kept, trouble = read(str(tmp_path))
    assert kept.values == {}
    assert trouble
    assert [path.read_text() for path in tmp_path.glob("secrets.json.corrupt-*")] == [text]


@pytest.mark.parametrize("text", ['{"secrets": {"api_key": "k-1"}}', '{"api_key": "k-1"}'])
def test_what_an_editor_saved_with_a_byte_order_mark_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text, encoding="utf-8-sig")
    assert peek(str(tmp_path)).values == {"api_key": "k-1"}
    vault = opened(tmp_path)
    assert vault.values_for("api")["api_key"] == "k-1"
    assert not vault.set_aside
    vault.store({"api_key": "k-2"}, 1)
    assert json.loads((tmp_path / "secrets.json").read_bytes())["secrets"]["api_key"] == "k-2"


def test_a_list_that_is_none_costs_no_value(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"secrets": {"api_key": "k-1"}, "in_key_store": 1}')
    kept, trouble = read(str(tmp_path))
    assert (kept, trouble) == (peek(str(tmp_path)), None)
    assert kept.values == {"api_key": "k-1"}


def test_what_a_secret_was_before_is_remembered_within_bounds(tmp_path: Path) -> None:
    vault = opened(tmp_path)
    assert vault.former_for("api") == ()
    for number in range(FORMER + 3):
        vault.store({"api_key": f"value-{number}"}, 1)
    latest = [{"api_key": f"value-{n}"} for n in range(FORMER + 1, 1, -1)]
    assert list(vault.former_for("api")) == latest
    assert vault.former_for("db") == vault.former_for("free") == ()
    vault.store({"api_key": "value-5"}, 1)
    former = [values["api_key"] for values in vault.former_for("api")]
    assert former[0] == f"value-{FORMER + 2}"
    assert "value-5" not in former
    vault.store({"api_key": "x" * FORMER_LENGTH}, 1)
    vault.store({"api_key": "short"}, 1)
    vault.store({"api_key": "shorter"}, 1)
    assert vault.former_for("api") == ({"api_key": "short"},)
    assert "value" not in (tmp_path / "secrets.json").read_text()


def test_no_text_of_what_carries_values_shows_them(tmp_path: Path) -> None:
    values = Concealed({"key": HIDDEN})
    (tmp_path / "secrets.json").write_text(json.dumps({"api_key": HIDDEN}))
    vault = opened(tmp_path)
    vault.store({"api_key": "another"}, 1)
    assert vault.former_for("api")[0]["api_key"] == HIDDEN
    carriers: list[object] = [
        values,
        StartInputs({}, values),
        StartService(1, StartInputs({}, vault.values_for("api"))),
        StartInputs({}, former=vault.former_for("api")),
        read(str(tmp_path)),
        SpawnRequest(argv=("/x",), env={"KEY": HIDDEN}, cwd="/", output=1),
        GuardedProcess("api", "x-api-1", secrets=(("key", HIDDEN.encode()),)),
        vault,
    ]
    for carrier in carriers:
        assert HIDDEN not in f"{carrier!r} {carrier} {[carrier]}"
