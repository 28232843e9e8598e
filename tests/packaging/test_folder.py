"""The folder for linux-x64, built as for a release and run where nothing else is."""

from __future__ import annotations

import json
import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.format import json_schema
from tests import absent
from tests.bundle_maker import bundle, starting
from tests.hidden import needs_look
from tests.packaging import bare_root
from tests.packaging.made import BUILDER, build
from tests.runtime.test_variables_of_python import HOSTILE, OPEN

if sys.platform != "linux" or platform.machine() != "x86_64":
    absent.skip("linux-x64, where the folder for it is built and run", module=True)

LIBC = re.compile(r"ld-linux-x86-64\.so\.2|lib(c|m|dl|rt|util|pthread)\.so\.\d")
"""The libraries of GNU libc."""
MOST_ON_DISK, MOST_PACKED = 16e6, 5e6
"""Bytes, the second as the quickest LZMA packs them: installers take longer and pack tighter."""


def needs_the_interpreter_of_releases(folder: Path) -> None:
    origin = json.loads((folder / "files.json").read_text())["interpreter_origin"]
    if "Debian" not in origin:
        absent.skip(f"an interpreter of releases (packaging/folder.py builds it), but: {origin}")


def test_it_does_everything_in_a_root_of_its_own(built: Path, tmp_path: Path) -> None:
    bare_root.make(tmp_path / "root", built)
    done = bare_root.exercise(tmp_path / "root")
    assert done.returncode == 0, done.stdout + done.stderr


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode for path in folder.rglob("*")}


def test_two_builds_are_the_same_the_second_where_a_link_leads_under_a_strict_umask(
    built: Path, tmp_path: Path
) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "link").symlink_to("place", target_is_directory=True)
    before = os.umask(0o077)
    try:
        build(tmp_path / "link")
    finally:
        os.umask(before)
    assert (tmp_path / "place" / "files.json").read_text() == (built / "files.json").read_text()
    assert modes(tmp_path / "place") == modes(built)


def test_the_list_of_files_tells_of_every_change(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built, copy)
    assert differences(copy) == []
    (copy / "runtime").chmod(0o644)
    (copy / "runtimectl").write_bytes(b"other")
    (copy / "lib" / "modules.bin").unlink()
    (copy / "more").touch()
    assert differences(copy) == [
        "lib/modules.bin is missing",
        "more is not in the list",
        "runtime has other content",
        "runtimectl has other content",
    ]


def test_variables_of_other_pythons_do_not_reach_it(built: Path, tmp_path: Path) -> None:
    made = bundle(tmp_path).file("dist/index.html", "hello")
    served = {"universal": {"path": "dist"}}
    made.service("ui", type="ui-bundle", binaries=served, health=None, readiness=OPEN).write()
    with starting(made, command=[str(built / "runtime")], env=HOSTILE) as run:
        run.await_listening()
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert "Traceback" not in run.stderr


def test_the_schema_says_what_each_object_is(built: Path) -> None:
    command = [str(built / "runtime"), "schema"]
    assert subprocess.check_output(command, text=True) == json_schema.text()


@needs_look
def test_its_code_does_not_become_a_standard_stream(built: Path, tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with starting(made, closed=(0, 2), command=[str(built / "runtime")]) as run:
        run.await_listening()
        run.until_ready()
        for descriptor in (0, 2):
            assert os.readlink(f"/proc/{run.pid}/fd/{descriptor}") == os.devnull


@absent.unless(os.path.exists("/dev/full"), "/dev/full")
def test_the_code_of_a_wrong_command_line_comes_also_where_nothing_can_be_said(built: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([built / "runtime", "status", "--frob"], stderr=full, check=False)
    assert done.returncode == 2


def test_there_is_a_licence_for_all_that_is_in_it(built: Path) -> None:
    there = {path.stem.rpartition("-")[0] or path.stem for path in (built / "licences").iterdir()}
    libraries = json.loads((built / "files.json").read_text())["libraries"]
    assert {*libraries, "CPython", "musl", "Zig's runtime", "bundlevisor"} <= there
    texts = [path.read_text(errors="replace").lower() for path in (built / "licences").iterdir()]
    assert all("licen" in text or "permission" in text for text in texts)


@pytest.mark.parametrize("left", [None, 0, 100_000])
def test_an_incomplete_folder_says_so(folder: Path, left: int | None) -> None:
    code = folder / "lib" / "modules.bin"
    if left is None:
        code.unlink()
    else:
        os.truncate(code, left)
    done = subprocess.run(
        [folder / "runtime", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"runtime: cannot use {code}: ")
    assert done.stderr.endswith("; the folder is incomplete, install it again\n")


def differences(folder: Path) -> list[str]:
    """Ask as a user does."""
    command = [sys.executable, str(BUILDER.parent / "check.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_it_wants_nothing_of_the_system_but_libc(built: Path) -> None:
    needs_the_interpreter_of_releases(built)
    wanted = bare_root.libraries(built)
    assert [name for name in wanted if not LIBC.fullmatch(name)] == []


def test_it_runs_with_a_libc_of_2018(built: Path) -> None:
    needs_the_interpreter_of_releases(built)
    found = {
        int(minor)
        for binary in [built / "lib" / "python", *built.rglob("*.so")]
        for minor in re.findall(rb"GLIBC_2\.(\d+)", binary.read_bytes())
    }
    assert max(found) <= 28


def test_it_is_small(built: Path) -> None:
    needs_the_interpreter_of_releases(built)
    contents = [path.read_bytes() for path in sorted(built.rglob("*")) if path.is_file()]
    assert sum(map(len, contents)) < MOST_ON_DISK
    assert len(lzma.compress(b"".join(contents), preset=1)) < MOST_PACKED


def test_it_is_built_nowhere_where_nothing_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = ["--target", "linux-x64", "--output", str(tmp_path / "file" / "out")]
    done = subprocess.run(
        [sys.executable, BUILDER, *words, "--stand-in", sys.base_prefix],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("folder.py: ")
    assert "Traceback" not in done.stderr


def test_what_a_library_tries_to_import_and_nobody_calls_is_left_out(folder: Path) -> None:
    assert sorted((folder / "lib" / "falcon" / "cyutil").glob("uri.*.so"))
    assert not sorted((folder / "lib" / "falcon" / "cyutil").glob("reader.*.so"))


def test_a_folder_that_cannot_be_built_says_what_is_missing(tmp_path: Path) -> None:
    words = ["--target", "darwin-x64", "--output", str(tmp_path / "out"), "--python", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, BUILDER, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "has no Python.h in include/" in done.stderr
    assert not (tmp_path / "out").exists()
