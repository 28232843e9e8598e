"""What is wrong with a bundle, as the command, a running instance and its telemetry say it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.actors.validation import bundle as validate
from bundlevisor.control.wire.findings import shown
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.testing.ports import free_block
from tests import absent
from tests.bundle_maker import bundle, bundlevisor, running, wait_until
from tests.validation.foreign import FOREIGN
from tests.validation.looking import codes, look, one_service, runnable


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


@pytest.mark.parametrize("known", ["torn {", ""])
def test_a_record_of_what_is_verified_is_left_as_it_is(tmp_path: Path, known: str) -> None:
    made = one_service(tmp_path, assets=[{"path": "model.bin", "sha256": "0" * 64}])
    made.file("model.bin", "abc")
    record = made.app_data / "runtime" / "verified.json"
    record.parent.mkdir(parents=True)
    record.write_text(known)
    assert codes(look(made).service_errors) == [("checksum_mismatch", "api")]
    assert [path.name for path in record.parent.iterdir()] == ["verified.json"]


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
        where = ["--manifest", str(made.path), "--app-data", str(made.app_data)]
        assert bundlevisor("validate", *where).stdout == "valid\n"
        (made.root / "a").unlink()
        said = run.get("/validate").json()
        assert said["missing_assets"] == [{"service_id": "job", "path": "a"}]
        assert [one["code"] for one in said["errors"]] == ["asset_missing"]
        assert run.ready()["ready"]


@pytest.mark.skipif(os.name == "nt", reason="a file of a terabyte has its blocks there")
@absent.unless(
    sys.platform != "linux" or os.getuid() == 0, "root: a runtime shows nobody else its files"
)
def test_what_nobody_waits_for_any_more_is_not_hashed_on(tmp_path: Path) -> None:
    asset = {"path": "model", "sha256": hashlib.sha256(b"a").hexdigest()}
    made = one_service(tmp_path, assets=[asset]).file("model", "a").write()
    model = str(made.root / "model")
    with running(made) as run:
        run.until_ready()
        runtime = psutil.Process(run.pid)

        def hashed() -> bool:
            return model in [file.path for file in runtime.open_files()]

        os.truncate(model, 1 << 40)
        client = http.client.HTTPConnection(run.host, run.port)
        client.request("GET", "/validate", headers={"Authorization": f"Bearer {run.token}"})
        wait_until(hashed, what="the file to be read")
        client.close()
        wait_until(lambda: not hashed(), what="its end")
        os.truncate(model, 1)
        assert run.get("/validate").json() == {"valid": True}


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
