"""The folders that services run in, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bundlevisor.actors.launch.spec import BundleSite
from bundlevisor.actors.validation import bundle as validate
from tests.validation.looking import codes, look, one_service


def test_a_working_folder_must_be_there(tmp_path: Path) -> None:
    made = one_service(tmp_path).write()
    binaries = made.document["services"][0]["binaries"]
    inside = {key: {**one, "cwd": "${data}/work"} for key, one in binaries.items()}
    missing = {key: {**one, "cwd": "work"} for key, one in binaries.items()}
    assert codes(look(one_service(tmp_path, binaries=inside)).service_errors) == []
    found = look(one_service(tmp_path, binaries=missing)).service_errors
    assert codes(found) == [("working_folder_missing", "api")]


def test_a_working_folder_below_app_data_that_nobody_makes_is_a_warning(tmp_path: Path) -> None:
    def runs_in(folder: str) -> dict[str, Any]:
        binaries = one_service(tmp_path).write().document["services"][0]["binaries"]
        return {key: {**one, "cwd": folder} for key, one in binaries.items()}

    made = one_service(tmp_path, binaries=runs_in("${data}/work"))
    (found,) = look(made).warnings
    assert (found.code, found.service) == ("working_folder_missing", "api")
    assert found.path.endswith(".cwd")
    assert "name it in data_dirs" in found.message
    for data_dirs in (["work"], ["${data}/work/notes"]):
        assert look(made.service("other", data_dirs=data_dirs)).warnings == ()
    assert look(one_service(tmp_path, binaries=runs_in("${data}"))).warnings == ()
    (made.app_data / "work").mkdir(parents=True)
    assert look(one_service(tmp_path, binaries=runs_in("${data}/work"))).warnings == ()


def test_a_bundle_that_lies_in_app_data_is_looked_at_like_any_other(tmp_path: Path) -> None:
    """Its programs and folders are there or not: no service makes them."""
    made = one_service(tmp_path).write()
    binaries = made.document["services"][0]["binaries"]
    missing = {key: {**one, "cwd": "work"} for key, one in binaries.items()}
    health = {"type": "command", "command": ["bin/check"]}
    migrations = [{"version": "1", "command": ["bin/migrate"]}]
    made = one_service(tmp_path, binaries=missing, health=health, migrations=migrations).write()
    found = validate.look(str(made.path), str(made.root), str(tmp_path))
    assert found.warnings == ()
    folder, *commands = sorted(found.service_errors, key=lambda one: one.path)
    assert "is the bundle complete?" in folder.message
    assert codes([folder, *commands]) == [
        ("working_folder_missing", "api"),
        ("command_missing", "api"),
        ("command_missing", "api"),
    ]


def test_data_is_what_lies_in_app_data_and_not_in_a_bundle_in_there(tmp_path: Path) -> None:
    def is_data(root: str, data: str, path: str) -> bool:
        root, data = str(tmp_path / root), str(tmp_path / data)
        site = BundleSite(bundle_root=root, app_data=data, environment={}, instance_id="")
        return site.is_data(str(tmp_path / path))

    assert is_data("a", "b", "b/x")
    assert not is_data("a", "b", "a/x")
    assert is_data("a", "a/b", "a/b/x")
    assert is_data("a", "a", "a/x")
    assert is_data("b/a", "b", "b/x")
    assert not is_data("b/a", "b", "b/a/x")
