"""Everything that is wrong with a bundle's files, all at once, before anything is started."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.validation import bundle as validate
from bundlevisor.control.wire.findings import shown
from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.testing.ports import free_block
from tests.bundle_maker import Bundle, bundle, bundlevisor, running, wait_until
from tests.validation.foreign import FOREIGN

POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="POSIX has permission bits and links")


def look(made: Bundle, **options: Any) -> Findings:
    return look_again(made.write(), **options)


def look_again(made: Bundle, **options: Any) -> Findings:
    return validate.look(str(made.path), str(made.root), str(made.app_data), **options)


def codes(found: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(one.code, one.service) for one in found]


def one_service(folder: Path, program: str = "well_behaved", **fields: Any) -> Bundle:
    return bundle(folder).service("api", program, **fields)


def runnable(made: Bundle, path: str, content: bytes) -> Bundle:
    made.file(path, content).write()
    (made.root / path).chmod(0o755)
    return made


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
def test_a_script_for_nobody_is_a_warning(tmp_path: Path) -> None:
    found = look(runnable(one_service(tmp_path, "bin/api"), "bin/api", b"#!/no/such/ruby\n"))
    assert found.service_errors == ()
    assert codes(found.warnings) == [("interpreter_missing", "api")]


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


def test_a_working_folder_must_be_there(tmp_path: Path) -> None:
    made = one_service(tmp_path).write()
    binaries = made.document["services"][0]["binaries"]
    inside = {key: {**one, "cwd": "${data}/work"} for key, one in binaries.items()}
    missing = {key: {**one, "cwd": "work"} for key, one in binaries.items()}
    assert codes(look(one_service(tmp_path, binaries=inside)).service_errors) == []
    found = look(one_service(tmp_path, binaries=missing)).service_errors
    assert codes(found) == [("working_folder_missing", "api")]


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


def test_a_setting_that_the_pages_server_does_not_take_is_found_before_the_start(
    tmp_path: Path,
) -> None:
    made = ui(tmp_path, "site", metadata={"response_timeout_ms": 0}).file("site/index.html", "<p>")
    (found,) = look(made).service_errors
    assert (found.code, found.path) == ("page_setting_invalid", "services[0].metadata")
    assert "metadata.response_timeout_ms" in found.message
    program = bundle(tmp_path / "other").service(
        "ui", type="ui-bundle", metadata={"response_timeout_ms": 0}
    )
    assert not look(program).service_errors, "a program of its own may mean something else by it"


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


def test_the_command_says_it_in_the_apis_shape(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("gone", "bin/gone")
    assets = [{"path": "none"}, {"path": "data", "sha256": "ab" * 32}]
    made.service("api", assets=assets).file("data", "data").write()
    done = bundlevisor("validate", "--manifest", str(made.path), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["valid"]) == (1, False)
    key = current_key()
    path = made.document["services"][0]["binaries"][key]["path"]
    assert said["missing_binaries"] == [{"service_id": "gone", "platform": key, "path": path}]
    assert said["missing_assets"] == [{"service_id": "api", "path": "none"}]
    actual = hashlib.sha256(b"data").hexdigest()
    assert said["invalid_checksums"] == [
        {"service_id": "api", "path": "data", "expected": "ab" * 32, "actual": actual}
    ]
    text = bundlevisor("validate", "--manifest", str(made.path)).stdout
    assert "[checksum_mismatch]" in text
    assert text.endswith("not valid: 3 errors\n")


def test_a_verified_file_is_hashed_again_only_when_that_is_asked_for(tmp_path: Path) -> None:
    right = hashlib.sha256(b"right").hexdigest()
    made = one_service(tmp_path, assets=[{"path": "a", "sha256": right}]).file("a", "right").write()
    with running(made) as run:
        run.until_ready()
    before = (made.root / "a").stat()
    with (made.root / "a").open("r+b") as file:  # the same file with other bytes, as rot would do
        file.write(b"wrong")
    os.utime(made.root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    at = str(made.path), str(made.root), str(made.app_data)
    assert validate.look(*at).service_errors == ()
    assert codes(validate.look(*at, full=True).service_errors) == [("checksum_mismatch", "api")]
    where = ["--manifest", str(made.path), "--app-data", str(made.app_data)]
    assert bundlevisor("validate", *where).returncode == 0
    assert bundlevisor("validate", *where, "--verify", "full").returncode == 1


def test_a_running_bundle_is_checked_anew_at_every_request(tmp_path: Path) -> None:
    port = free_block(1)
    made = one_service(tmp_path, ports={"http": {"range": {"min": port, "max": port}}})
    made.service("job", ports=(), assets=[{"path": "a"}]).file("a", "").write()
    with running(made) as run:
        run.until_ready()
        assert run.get("/validate").json() == {"valid": True}
        (made.root / "a").unlink()
        said = run.get("/validate").json()
        assert said["missing_assets"] == [{"service_id": "job", "path": "a"}]
        assert [one["code"] for one in said["errors"]] == ["asset_missing"]
        assert run.ready()["ready"]


@pytest.mark.skipif(os.name == "nt", reason="the system's refusal is another one there")
def test_a_program_for_another_machine_fails_its_service_at_once(tmp_path: Path) -> None:
    made = runnable(one_service(tmp_path, "bin/foreign"), "bin/foreign", FOREIGN)
    made.service("other").write()
    with running(made) as run:
        wait_until(lambda: run.service("api")["state"] == "failed")
        details = run.service("api")
        assert "is built for linux-riscv64, and this machine is" in details["message"]
        assert details["restarts"] == 0
        wait_until(lambda: run.service("other")["ready"])


def test_status_and_telemetry_say_what_their_contract_asks(tmp_path: Path) -> None:
    made = one_service(tmp_path)
    made.set(telemetry={"file": "telemetry/e.jsonl", "upload_url": "https://example.org/up"})
    with running(made.write()) as run:
        run.until_ready()
        status = run.get("/status").json()
        assert set(status) >= {
            "instance_id", "started_at", "app_data_dir", "bundle_root", "dry_run", "manifest_hash",
            "manifest_schema", "target", "app_name", "app_version", "ipc_host", "ipc_port",
            "runtime_version", "build_version", "uptime_s", "pid", "services",
        }  # fmt: skip
        assert status["manifest_hash"] == hashlib.sha256(made.path.read_bytes()).hexdigest()
        assert (status["manifest_schema"], status["target"]) == ("v0.1", "desktop")
        assert (status["pid"], status["ipc_port"]) == (run.pid, run.port)
        [service] = status["services"]
        assert set(service) >= {"id", "state", "cpu_percent", "rss_bytes", "restarts", "uptime_s"}
        assert service["rss_bytes"] > 0
        assert run.get("/telemetry").json() == {
            "path": str(made.app_data / "telemetry" / "e.jsonl"),
            "upload_url": "https://example.org/up",
        }


def test_very_many_missing_assets_are_counted(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    assets = [{"path": f"models/{number}.bin"} for number in range(5000)]
    made.service("db", assets=assets).write()
    report = shown(look(made))
    assert isinstance(report.errors, tuple)
    assert isinstance(report.missing_assets, tuple)
    assert len(report.errors) == len(report.missing_assets) + 1 == 1001
    assert report.errors[-1].code == "too_many_findings"
