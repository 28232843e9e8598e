"""Secrets in the key store of the system, and in the file whenever that is of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("keyring", reason="keyring is not installed")

from bundlevisor.actors.secrets.given import all_values
from bundlevisor.actors.secrets.key_store import KeyStore, KeyStoreUnavailable
from bundlevisor.actors.secrets.vault import WITHHELD, Vault
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read import load
from tests.bundle_maker import running, wait_until
from tests.secrets.key_stores import FILE
from tests.secrets.secret_bundle import environments, generated, give, secret, with_secrets

BACKENDS = "tests.secrets.key_stores"


def variables(backend: str, entries: Path) -> dict[str, str]:
    root = str(Path(__file__).parent.parent.parent)
    return {
        "BUNDLEVISOR_KEYRING": "1",
        "PYTHON_KEYRING_BACKEND": f"{BACKENDS}.{backend}",
        "PYTHONPATH": root,
        FILE: str(entries),
    }


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in variables("InFile", tmp_path / "entries").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "entries"


def use(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.{backend}")


def test_values_live_in_the_key_store_and_not_in_the_file(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("session"), secret("api_key"))
    made.service("api", "reports_environment", secrets=["session", "api_key"]).write()
    made.service("free").write()
    entries = tmp_path / "entries"
    seen = []
    for turn in (1, 2):
        with running(made, env=variables("InFile", entries)) as run:
            if turn == 1:
                give(run, api_key="k-1234567")
            run.until_ready()
            env = environments(run, "api")[-1]
            seen.append((env["SESSION"], env["API_KEY"]))
            assert "BUNDLEVISOR_KEYRING" not in env
            file = json.loads((run.app_data / "secrets.json").read_text())
            assert file == {"secrets": {}, "in_key_store": ["api_key", "session"]}
            run.post("/shutdown")
            assert run.wait_gone() == 0
    assert seen[0] == seen[1]
    assert json.loads(entries.read_text()) == {
        "test-bundle/session": seen[0][0],
        "test-bundle/api_key": "k-1234567",
    }


def test_without_an_answer_the_file_serves_and_the_runtime_says_so(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("session"))
    made.service("api", "reports_environment", secrets=["session"]).service("free").write()
    with running(made, env=variables("Locked", tmp_path / "entries")) as run:
        run.until_ready()
        value = environments(run, "api")[0]["SESSION"]
        stored = json.loads((run.app_data / "secrets.json").read_text())
        assert stored == {"secrets": {"session": value}}
        run.until_said("the key store is not used: it is locked")


def test_values_of_the_file_move_into_the_key_store(tmp_path: Path, entries: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"secrets": {"session": "of-old", "gone": "kept"}}')
    vault, warnings = settled(tmp_path, KeyStore("app"))
    assert vault.values_for("api") == {"session": "of-old"}
    assert json.loads(entries.read_text()) == {"app/session": "of-old"}
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert kept == {"secrets": {"gone": "kept"}, "in_key_store": ["session"]}
    assert not warnings


@pytest.mark.parametrize("backend", ["Hanging", "Locked", None])
def test_what_the_key_store_holds_is_never_made_anew(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch, backend: str | None
) -> None:
    vault, _ = settled(tmp_path, KeyStore("app"))
    key = vault.values_for("api")
    assert key
    if backend:
        use(monkeypatch, backend)
    without, warnings = settled(tmp_path, KeyStore("app", timeout=0.5) if backend else None)
    assert without.values_for("api") == {}
    assert without.missing("api") == ("session",)
    assert len(warnings) == 1
    use(monkeypatch, "InFile")
    again, _ = settled(tmp_path, KeyStore("app"))
    assert again.values_for("api") == key


@pytest.mark.parametrize("switched_on", [True, False])
def test_who_waits_for_what_the_key_store_holds_is_told_so(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch, switched_on: bool
) -> None:
    """It may have made its data with that, which a new value would lose."""
    settled(tmp_path, KeyStore("app"))
    use(monkeypatch, "Locked")
    vault, _ = settled(tmp_path, KeyStore("app") if switched_on else None)
    assert vault.missing("api") == ("session",)
    assert vault.hindrance("api") == WITHHELD
    assert vault.pending() == frozenset(), "whoever waits for the answer would wait for ever"
    vault.store({"session": "given"}, 5)
    assert (vault.missing("api"), vault.hindrance("api")) == ((), "")
    assert vault.values_for("api") == {"session": "given"}


@pytest.mark.parametrize("backend", ["Locked", None])
def test_who_needs_no_value_does_not_wait_for_what_the_key_store_holds(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch, backend: str | None
) -> None:
    """Nobody is asked for that, and the key store may never come back."""
    settled(tmp_path, KeyStore("app"), required=False)
    if backend:
        use(monkeypatch, backend)
    vault, _ = settled(tmp_path, KeyStore("app") if backend else None, required=False)
    assert (vault.missing("api"), vault.hindrance("api")) == ((), "")
    assert (vault.values_for("api"), vault.pending()) == ({}, frozenset())


def test_what_somebody_has_removed_from_the_key_store_is_for_a_person_to_give(
    tmp_path: Path, entries: Path
) -> None:
    settled(tmp_path, KeyStore("app"))
    entries.unlink()
    vault, _ = settled(tmp_path, KeyStore("app"))
    assert (vault.missing("api"), vault.hindrance("api")) == (("session",), "")


@pytest.mark.parametrize("backend", ["Dropping", "Short"])
def test_what_the_key_store_does_not_take_is_kept_in_the_file(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    use(monkeypatch, backend)
    vault, warnings = settled(tmp_path, KeyStore("app"))
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert kept["secrets"] == vault.values_for("api")
    assert warnings == ["the key store did not take session; secrets.json does"]


def test_a_key_store_that_hangs_is_given_up(entries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "Hanging")
    with pytest.raises(KeyStoreUnavailable, match=r"did not answer within 0\.2 s"):
        KeyStore("app", timeout=0.2).get(["session"])


def test_a_key_store_that_fails_is_told_in_a_sentence(
    entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "Broken")
    with pytest.raises(KeyStoreUnavailable, match=r"^it failed \(RuntimeError\)$"):
        KeyStore("app").get(["session"])


def test_a_new_value_in_the_file_is_newer_than_the_key_store(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(tmp_path, KeyStore("app"))
    use(monkeypatch, "Locked")
    vault, _ = settled(tmp_path, KeyStore("app"))
    vault.store({"session": "newer"}, 5)
    use(monkeypatch, "InFile")
    again, _ = settled(tmp_path, KeyStore("app"))
    assert again.values_for("api") == {"session": "newer"}
    assert json.loads(entries.read_text()) == {"app/session": "newer"}


def test_what_it_holds_is_masked_in_an_archive_where_only_the_runtime_is_to_use_it(
    tmp_path: Path, entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = the_manifest(tmp_path)
    KeyStore(manifest.app.name).put({"session": "k-1234567"})
    (tmp_path / "secrets.json").write_text('{"secrets": {}, "in_key_store": ["session"]}')
    untold: list[str] = []
    found = all_values(manifest, str(tmp_path), {}, untold.append)
    assert (found, untold) == ({"session": "k-1234567"}, [])
    for bundle, backend, reason in (
        (manifest, "Locked", "the key store is not used: it is locked"),
        (None, "InFile", "the key store cannot be asked without the bundle (--manifest)"),
    ):
        use(monkeypatch, backend)
        told: list[str] = []
        assert all_values(bundle, str(tmp_path), {}, told.append) == {}
        assert told == [f"{reason}; its values cannot be masked"]


def settled(
    app_data: Path, key_store: KeyStore | None, *, required: bool = True
) -> tuple[Vault, list[str]]:
    warnings: list[str] = []
    manifest = the_manifest(app_data, required=required)
    vault = Vault(manifest, str(app_data), warnings.append, key_store)
    done: list[bool] = []
    vault.when_settled(lambda: done.append(True))
    vault.begin()
    wait_until(lambda: done, what="the vault to settle")
    return vault, warnings


def the_manifest(folder: Path, *, required: bool = True) -> Manifest:
    made = with_secrets(folder, generated("session", required=required))
    made.service("api", secrets=["session"]).write()
    found = load.read(str(made.path)).manifest
    assert found is not None
    return found
