"""What the runtime reads in its environment and does not understand is told, not passed over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.files import instance_lock
from bundlevisor.manifest.format.flag import read_flag, unclear
from tests.bundle_maker import bundle, running
from tests.live_runtime import bundlevisor
from tests.secrets.secret_bundle import generated, with_secrets

ALREADY_RUNNING = 3


@pytest.mark.parametrize(
    ("value", "said"),
    [("1", True), (" TRUE ", True), ("t", True), ("0", False), ("False", False), ("F", False)],
)
def test_a_yes_and_a_no_are_clear(value: str, said: bool) -> None:
    assert read_flag({"X": value}, "X") is said
    assert unclear({"X": value}, "X") == ""


@pytest.mark.parametrize("environ", [{}, {"X": ""}, {"X": " "}])
def test_nothing_said_is_nothing_unclear(environ: dict[str, str]) -> None:
    assert read_flag(environ, "X") is None
    assert unclear(environ, "X") == ""


def test_an_unclear_word_is_named_with_those_that_are_taken() -> None:
    assert read_flag({"X": "Yes"}, "X") is None
    assert unclear({"X": "Yes"}, "X") == (
        "X is 'Yes', neither a yes (1, t, true) nor a no (0, f, false)"
    )


def test_an_unclear_word_on_the_gpu_is_told_and_the_gpu_looked_for(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("api").write()
    with running(made, env={"BUNDLE_GPU_AVAILABLE": "none"}) as run:
        assert run.until_ready()["gpu"]["method"] != "environment"
        run.until_said("BUNDLE_GPU_AVAILABLE is 'none', neither a yes (1, t, true)")


def test_a_clear_word_on_the_gpu_is_not_told(tmp_path: Path) -> None:
    with running(bundle(tmp_path).service("api").write(), env={"BUNDLE_GPU_AVAILABLE": "F"}) as run:
        assert run.until_ready()["gpu"]["method"] == "environment"
        run.until_said("ready after ")
        assert "neither" not in run.stderr


def test_an_unclear_word_on_the_key_store_is_told_and_the_file_used(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("key")).service("api", secrets=["key"]).write()
    with running(made, env={"BUNDLEVISOR_KEYRING": "on"}) as run:
        run.until_ready()
        run.until_said("BUNDLEVISOR_KEYRING is 'on', neither a yes (1, t, true)")
        run.until_said("secrets are kept in secrets.json")
        assert "key" in (run.app_data / "secrets.json").read_text()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="only others have XDG_CONFIG_HOME")
def test_a_relative_place_for_app_data_is_told(tmp_path: Path) -> None:
    made = bundle(tmp_path, name="Relative").service("api").write()
    folder = tmp_path / ".config" / "relative"
    folder.mkdir(parents=True)
    lock = instance_lock.take(str(folder))
    try:
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "somewhere"}
        done = bundlevisor("run", "--manifest", str(made.path), env=home)
    finally:
        lock.release()
    assert done.returncode == ALREADY_RUNNING
    assert "XDG_CONFIG_HOME is no absolute path (somewhere)" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="HOME is POSIX'")
@pytest.mark.parametrize("home", ["", "near"])
def test_a_command_without_a_home_looks_where_the_runtime_would_be(
    tmp_path: Path, home: str
) -> None:
    import pwd

    made = bundle(tmp_path).service("api").write()
    environ = {"HOME": home, "XDG_CONFIG_HOME": ""}
    done = bundlevisor("status", "--manifest", str(made.manifest), env=environ)
    assert f"no runtime runs on {pwd.getpwuid(os.getuid()).pw_dir}/" in done.stderr
