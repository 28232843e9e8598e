"""The folders that services run in, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
