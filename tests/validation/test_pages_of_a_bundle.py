"""What is wrong with a page that the runtime is to serve, before anything is started."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.launch import page
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.schema import Binary, Service
from bundlevisor.manifest.plan.command import spelled
from tests.bundle_maker import Bundle, bundle, running, wait_until
from tests.validation.looking import codes, look, look_again, one_service


@pytest.mark.parametrize("path", ["page", "page/index.html"])
def test_a_page_without_a_port_is_found(tmp_path: Path, path: str) -> None:
    binaries = {"universal": {"path": path}}
    made = one_service(tmp_path, type="ui-bundle", binaries=binaries, ports={}, health=None)
    made.file("page/index.html", "")
    assert codes(look(made).service_errors) == [("ui_without_port", "api")]


def ui(folder: Path, path: str = "", **fields: Any) -> Bundle:
    keys = [current_key()] if path else []
    binaries = {key: {"path": path} for key in keys}
    return bundle(folder).service(
        "ui", type="ui-bundle", binaries=binaries, readiness=None, health=None, **fields
    )


@pytest.mark.parametrize(
    ("path", "assets", "codes_found"),
    [
        ("site", (), []),
        ("site/index.html", (), []),
        ("", ("site/index.html",), []),
        ("", ("site",), []),
        ("none", (), ["binary_missing"]),
        ("bare", (), ["page_missing"]),
        ("site/start.html", (), ["page_missing"]),
        ("bare/style.css", (), ["binary_not_executable"]),
        ("", ("bare/style.css",), ["page_missing"]),
        ("", ("none/index.html",), ["asset_missing"]),
    ],
)
def test_a_page_must_have_something_to_serve(
    tmp_path: Path, path: str, assets: tuple[str, ...], codes_found: list[str]
) -> None:
    made = ui(tmp_path, path, assets=[{"path": one} for one in assets])
    made.file("site/index.html", "<p>").file("bare/style.css", "")
    found = look(made)
    assert [one.code for one in found.service_errors] == codes_found


def test_windows_finds_the_program_of_a_page_with_its_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "spelled", partial(spelled, windows=True))
    binary = Binary(path="bin/ui")
    service = Service(id="ui", type="ui-bundle", binaries={"universal": binary})
    program = tmp_path / "bin" / "ui.exe"
    program.parent.mkdir()
    program.touch(0o755)
    assert page.page_of(service, binary, str(tmp_path)) is None
    folder = tmp_path / "bin" / "ui"
    folder.mkdir()
    assert page.page_of(service, binary, str(tmp_path)) == page.Page(str(folder))


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
@pytest.mark.parametrize(
    ("target", "codes_found"),
    [("start.html", []), ("../other.html", ["path_escapes_root"]), ("none", ["page_missing"])],
)
def test_an_index_that_leads_out_of_its_folder_is_none(
    tmp_path: Path, target: str, codes_found: list[str]
) -> None:
    made = ui(tmp_path, "site").file("site/start.html", "<p>").file("other.html", "<p>")
    made.service("program", deps=["ui"])
    made.write()
    (made.root / "site" / "index.html").symlink_to(target)
    assert [one.code for one in look(made).service_errors] == codes_found
    with running(made) as run:
        if codes_found:
            wait_until(lambda: "index.html" in run.service("ui")["message"], what="the reason")
            assert not run.service("program")["ready"]
        else:
            run.until_ready()


@pytest.mark.skipif(os.name == "nt", reason="every file may be run there")
def test_what_a_page_lacks_is_said_alike_before_a_start_and_by_it(tmp_path: Path) -> None:
    made = bundle(tmp_path).file("site/index.html", "<p>")
    for id_, path in {"other": "site/start.html", "server": "tools/run", "gone": "none"}.items():
        page = {"universal": {"path": path}}
        policy = {"policy": "never"}
        made.service(
            id_, type="ui-bundle", binaries=page, health=None, readiness=None, restart=policy
        )
    made.write()
    site, program = made.root / "site", made.root / "tools" / "run"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    found = {one.service: one.message for one in look_again(made).service_errors}
    assert found["other"].startswith(f"service 'other': there is no start.html to serve in {site};")
    assert found["server"].startswith(f"service 'server': {program} is neither a page ")
    assert found["server"].endswith("nor executable; if it is a program, set its executable bit")
    with running(made) as run:
        for id_ in found:  # the first that fails is a reason for an answer to who waits
            wait_until(lambda: run.service(id_)["state"] == "failed", what=f"{id_} fails")  # noqa: B023
        assert {id_: run.service(id_)["message"] for id_ in found} == found
        program.chmod(0o755)
        run.post("/services/server/start?wait=30")
        assert "start the runtime again" in run.service("server")["message"]


def test_all_settings_that_the_pages_server_does_not_take_are_found_before_the_start(
    tmp_path: Path,
) -> None:
    wrong = {"response_timeout_ms": 0, "run_mode": "eager", "max_connections": "many"}
    made = ui(tmp_path, "site", metadata=wrong).file("site/index.html", "<p>")
    one, other = look(made).service_errors
    assert (one.code, one.path) == ("page_setting_invalid", "services[0].metadata")
    assert "metadata.response_timeout_ms" in one.message
    assert "metadata.max_connections" in other.message
    program = bundle(tmp_path / "other").service(
        "ui", type="ui-bundle", metadata={"response_timeout_ms": 0}
    )
    assert not look(program).service_errors, "a program of its own may mean something else by it"
