"""Everything that is wrong with a bundle's files, all at once, before anything is started."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.validation import bundle as validate
from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.format.platform import current_key
from tests.bundle_maker import bundle
from tests.validation.foreign import FOREIGN
from tests.validation.looking import codes, look, look_again, one_service, runnable

POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="POSIX has permission bits and links")


def test_a_bundle_without_faults_is_valid(tmp_path: Path) -> None:
    made = one_service(
        tmp_path,
        assets=[{"path": "data"}, {"path": "data/a", "sha256": hashlib.sha256(b"a").hexdigest()}],
        migrations=[{"version": "1", "command": ["bin/step"]}],
        health={"type": "command", "command": ["bin/step", "--check"]},
        data_dirs=["notes"],
    )
    assert look(made.file("data/a", "a").script("bin/step", "")) == Findings()
    assert not made.app_data.exists()


def test_files_are_looked_at_beside_fields_that_cannot_be_read(tmp_path: Path) -> None:
    made = bundle(tmp_path).file("ui/a.js", "").file("bin/sub/a", "")
    gone, sub, ui = ({"universal": {"path": path}} for path in ("bin/gone", "bin/sub", "ui"))
    made.service("gone", "bin/gone", binaries=gone, restart={"policy": "sometimes"})
    made.service("step", migrations=[{"version": "1", "command": ["bin/none"], "run_on": "x"}])
    made.service("asset", assets=[{"path": "model.bin"}, {"path": 3}], critical="no")
    made.service("page", "ui", type=["ui-bundle"], binaries=ui)
    made.service(
        "also", "", type="ui-bundle", binaries={"universal": 5}, assets=[{"path": "ui/a.js"}]
    )
    made.service("dir", "bin/sub", binaries=sub, data_dirs=[4])
    found = look(made)
    assert [(one.code, one.path) for one in found.errors] == [
        ("unknown_value", "services[0].restart.policy"),
        ("unknown_value", "services[1].migrations[0].run_on"),
        ("wrong_type", "services[2].assets[1].path"),
        ("wrong_type", "services[2].critical"),
        ("wrong_type", "services[3].type"),
        ("wrong_type", "services[4].binaries.universal"),
        ("wrong_type", "services[5].data_dirs[0]"),
    ]
    assert sorted(codes(found.service_errors)) == [
        ("asset_missing", "asset"),
        ("binary_is_directory", "dir"),
        ("binary_missing", "gone"),
    ]
    assert validate.look(str(made.file("bundle.json", "[]").path), str(made.root)).errors


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    made = bundle(tmp_path).file("bin/sub/a", "")
    for name in ("gone", "sub", "text", "foreign"):
        made.service(name, f"bin/{name}", binaries={"universal": {"path": f"bin/{name}"}})
    made.service("step", migrations=[{"version": "1", "command": ["bin/none"]}])
    made.service("asked", health={"type": "command", "command": ["bin/none"]})
    made.service("asset", assets=[{"path": "model.bin"}])
    made.service("template", env={"A": "${gone.htpp}"})
    runnable(made, "bin/foreign", FOREIGN)
    runnable(made, "bin/text", b"just text\n")
    found = look(made)
    assert found.errors == ()
    assert sorted(codes(found.service_errors)) == [
        ("asset_missing", "asset"),
        ("binary_is_directory", "sub"),
        ("binary_missing", "gone"),
        ("binary_not_executable", "text"),
        ("binary_wrong_architecture", "foreign"),
        ("command_missing", "asked"),
        ("command_missing", "step"),
        ("unresolved_template", "template"),
    ]
    by_service = {one.service: one for one in found.service_errors}
    assert by_service["step"].path == "services[4].migrations[0].command[0]"
    assert by_service["asked"].path == "services[5].health.command[0]"
    assert by_service["gone"].path == "services[0].binaries.universal.path"
    assert "is built for linux-riscv64" in by_service["foreign"].message


OUTSIDE = {"binaries": {"universal": {"path": "../x"}}}
ASKED = {"health": {"type": "command", "command": ["python3"]}}
MIGRATED = {"migrations": [{"version": "1", "command": ["python3"]}]}


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"assets": [{"path": "../a"}]}, "path_escapes_root", "services[0].assets[0].path"),
        ({"secrets": ["key"]}, "path_escapes_root", "secrets[0].target.name"),
        ({"health": {"type": "command", "command": [" "]}}, "empty_command", "health.command"),
        ({"migrations": [{"version": "1", "command": [""]}]}, "empty_command", "[0].command"),
        ({"ports": {"p": {"range": {"min": 9, "max": 8}}}}, "port_range_inverted", "[0].range"),
        (OUTSIDE | ASKED, "path_escapes_root", "binaries.universal.path"),
        (OUTSIDE | MIGRATED, "path_escapes_root", "binaries.universal.path"),
    ],
)
def test_one_cause_has_one_finding(
    tmp_path: Path, fields: dict[str, Any], code: str, path: str
) -> None:
    made = bundle(tmp_path).service("api", **fields)
    target = {"type": "file", "name": "../key"}
    secrets = [
        {"id": id_, "class": "user_prompt", "target": target} for id_ in fields.get("secrets", ())
    ]
    found = look(made.set(secrets=secrets))
    [fault] = (*found.errors, *found.service_errors, *found.warnings)
    assert (fault.code, fault.path.endswith(path)) == (code, True)


def test_ports_are_not_short_while_a_range_cannot_be_read(tmp_path: Path) -> None:
    made = one_service(tmp_path, ports=("a", "b"), health=None, readiness=None)
    found = look(made.set(ports={"default_range": 3}))
    assert codes((*found.errors, *found.warnings)) == [("wrong_type", "")]


@POSIX_ONLY
def test_a_health_command_without_permission_is_not_executable(tmp_path: Path) -> None:
    health = {"type": "command", "command": ["bin/check"]}
    made = bundle(tmp_path).service("db", health=health).file("bin/check", "#!/bin/sh\n")
    [fault] = look(made).service_errors
    assert (fault.code, fault.path) == (
        "binary_not_executable",
        "services[0].health.command[0]",
    )
    assert "command is not executable: bin/check" in fault.message


@POSIX_ONLY
def test_a_file_without_permission_is_not_executable(tmp_path: Path) -> None:
    made = one_service(tmp_path, "bin/plain").file("bin/plain", "#!/bin/sh\n")
    [fault] = look(made).service_errors
    assert (fault.code, "set its executable bit" in fault.message) == (
        "binary_not_executable",
        True,
    )


@POSIX_ONLY
@pytest.mark.parametrize("health", [None, {"type": "command", "command": ["bin/check"]}])
def test_a_script_for_nobody_is_found(tmp_path: Path, health: dict[str, Any] | None) -> None:
    scripts = {"api": b"#!/bin/sh\n", "check": b"#!/no/such/ruby\n"}
    made = one_service(tmp_path, "bin/api" if health else "bin/check", health=health)
    for name, script in scripts.items():
        runnable(made, f"bin/{name}", script)
    found = look(made)
    assert codes(found.service_errors) == [("interpreter_missing", "api")]
    assert found.warnings == ()


@POSIX_ONLY
@pytest.mark.parametrize("place", ["binary", "asset", "working folder", "data"])
def test_a_link_that_leads_out_is_found(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("#!/bin/sh\n")
    made = one_service(tmp_path, "bin/api" if place != "binary" else "out/file")
    made.script("bin/api", "")
    if place == "asset":
        made.service("api", "bin/api", assets=[{"path": "out/file"}])
    elif place == "working folder":
        made.service("api", "bin/api", binaries={current_key(): {"path": "bin/api", "cwd": "out"}})
    elif place == "data":
        made.service("api", "bin/api", data_dirs=["out/notes"])
    made.write()
    made.app_data.mkdir()
    ((made.app_data if place == "data" else made.root) / "out").symlink_to(outside)
    assert codes(look(made).service_errors) == [("path_escapes_root", "api")]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"size_bytes": 1}, "asset_size_exceeded"),
        ({"size_bytes": 9_000_000}, "asset_size_suspicious"),
        ({"size_bytes": 2_999_999}, "asset_size_warning"),
        ({"sha256": "ab" * 32}, "checksum_mismatch"),
        ({"sha256": "pending"}, None),
        ({"sha256": "xyz"}, "checksum_malformed"),
        ({"path": "data", "sha256": "ab" * 32}, "asset_is_directory"),
        ({"path": "data", "sha256": "pending", "size_bytes": 5}, None),
    ],
)
def test_assets_are_measured_and_hashed(
    tmp_path: Path, entry: dict[str, Any], code: str | None
) -> None:
    made = one_service(tmp_path, assets=[{"path": "data/model", **entry}])
    found = look(made.file("data/model", b"x" * 3_000_000))
    told = [one.code for one in (*found.service_errors, *found.warnings)]
    assert told == ([code] if code else [])


@POSIX_ONLY
@pytest.mark.permissions
def test_an_asset_that_cannot_be_read_is_told_from_a_missing_one(tmp_path: Path) -> None:
    made = one_service(tmp_path, assets=[{"path": "data/a", "sha256": "ab" * 32}])
    made.file("data/a", "a").write()
    (made.root / "data/a").chmod(0)
    assert codes(look_again(made).service_errors) == [("asset_unreadable", "api")]


@POSIX_ONLY
def test_an_asset_that_is_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    made = one_service(tmp_path, assets=[{"path": "pipe", "sha256": "ab" * 32}]).write()
    os.mkfifo(made.root / "pipe")
    assert codes(look(made).service_errors) == [("asset_unreadable", "api")]


def test_a_manifests_own_errors_do_not_hide_those_of_its_files(tmp_path: Path) -> None:
    made = one_service(tmp_path, "bin/gone", deps=["nobody"])
    found = look(made)
    assert [one.code for one in found.errors] == ["unknown_dependency"]
    assert [one.code for one in found.service_errors] == ["binary_missing"]


def test_what_no_file_can_be_told_from_is_only_what_it_is(tmp_path: Path) -> None:
    made = one_service(tmp_path).write()
    made.path.write_text("{")
    found = validate.look(str(made.path), str(made.root))
    assert [one.code for one in found.errors] == ["truncated"]
    missing = validate.look(str(tmp_path / "none.json"), str(tmp_path))
    assert [one.code for one in missing.errors] == ["manifest_missing"]


def test_a_generator_that_does_not_make_what_the_format_asks_for_is_a_warning(
    tmp_path: Path,
) -> None:
    def secret(id_: str, format_: str, **generator: Any) -> dict[str, Any]:
        target = {"type": "env"}
        made = {"id": id_, "class": "per_install_generated", "target": target, "format": format_}
        return {**made, "generator": {"type": "random", **generator}}

    right = secret("right", "^[0-9a-f]{64}$", charset="hex", length=64)
    wrong = secret("wrong", "^[0-9a-f]{64}$", charset="hex", length=32)
    made = one_service(tmp_path).set(secrets=[right, wrong])
    assert [(one.code, one.path) for one in look(made).warnings] == [
        ("generated_format", "secrets[1].generator")
    ]


def test_a_range_that_is_wholly_in_use_now_is_a_warning(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        made = one_service(tmp_path, ports={"http": {"range": {"min": port, "max": port}}})
        found = look(made)
        assert codes(found.warnings) == [("port_range_exhausted", "api")]
        assert look(made, ports={"api": {"http": port}}) == Findings()


def test_two_services_that_want_the_same_port_are_an_error_of_the_second(tmp_path: Path) -> None:
    same = {"http": {"range": {"min": 47777, "max": 47777}}}
    made = one_service(tmp_path, ports=same).service("other", ports=same).write()
    assert codes(look(made).service_errors) == [("port_range_exhausted", "other")]


@pytest.mark.parametrize("path", ["../up", "C:x", "\\x", "NUL", "a/con.txt", "x ", "a<b"])
def test_a_path_that_is_refused_is_told_once_where_it_stands(tmp_path: Path, path: str) -> None:
    made = one_service(tmp_path, data_dirs=["notes", path], log_dir=path, secrets=["key"])
    made.service("step", migrations=[{"version": "1", "command": [f"bin/{path}"]}])
    made.service("program", binaries={current_key(): {"path": f"bin/{path}", "cwd": path}})
    target = {"type": "file", "name": path}
    made.set(secrets=[{"id": "key", "class": "user_prompt", "target": target}])
    made.set(telemetry={"file": path}).document["ipc"]["auth_token_path"] = path
    found = look(made)
    of_paths = ("path_escapes_root", "path_not_allowed")
    told = [one.path for one in (*found.errors, *found.service_errors) if one.code in of_paths]
    assert sorted(told) == sorted(set(told))
    refused = path in ("../up", "C:x", "\\x") or sys.platform == "win32"
    chosen = {"ipc.auth_token_path", "telemetry.file", "services[0].data_dirs[1]"}
    chosen |= {"services[0].log_dir", "secrets[0].target.name"}
    assert chosen <= set(told) or not refused
