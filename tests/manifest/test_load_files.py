"""What stands where a bundle is looked for: files of every kind, and none."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.read.load import Loaded, read
from bundlevisor.manifest.read.source import LIMIT, SourceRefused, read_bytes
from tests import absent


def codes(loaded: Loaded) -> list[str]:
    return [finding.code for finding in loaded.findings.errors]


def test_the_sum_of_the_bytes_is_there_for_status(tmp_path: Path, picker: bytes) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(picker)
    loaded = read(str(path), "linux-x64")
    assert loaded.manifest is not None
    assert loaded.sha256 == hashlib.sha256(picker).hexdigest()


def test_openssl_is_not_loaded_for_that_sum() -> None:
    program = (
        "import sys\n"
        f"sys.path += {sys.path!r}\n"
        "from bundlevisor.manifest.format.findings import Findings\n"
        "from bundlevisor.manifest.read.load import Loaded\n"
        "print(Loaded(None, Findings(), source=b'a bundle').sha256, '_hashlib' in sys.modules)\n"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [hashlib.sha256(b"a bundle").hexdigest(), "False"]


@pytest.mark.parametrize("version", ["_sha2", "_sha256"])
def test_each_version_of_python_has_its_own_module_for_that_sum(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    own, expected = SimpleNamespace(sha256=hashlib.sha256), hashlib.sha256(b"a").hexdigest()
    for name in ("_sha2", "_sha256", "hashlib"):
        monkeypatch.setitem(sys.modules, name, own if name == version else None)
    assert Loaded(None, Findings(), source=b"a").sha256 == expected


def test_the_sum_is_had_from_a_python_built_without_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "_sha2", None)
    monkeypatch.setitem(sys.modules, "_sha256", None)
    expected = hashlib.sha256(b"a bundle").hexdigest()
    assert Loaded(None, Findings(), source=b"a bundle").sha256 == expected


def refused(path: str, code: str, reason: str) -> bool:
    """Whether exactly this is found of a path."""
    sentence = f"cannot read the bundle {path!r}: {reason}."
    return read(path) == Loaded(None, Findings(errors=(Finding(code, "", sentence),)))


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    missing = "there is no such file; check the path"
    assert refused(str(tmp_path / "none.json"), "manifest_missing", missing)
    (tmp_path / "file").touch()
    below = (
        missing if sys.platform == "win32" else "a part of the path is no folder; check the path"
    )
    assert refused(str(tmp_path / "file" / "none.json"), "manifest_missing", below)


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_an_impossible_path_is_a_finding(path: str) -> None:
    lone = "there is no such file; check the path"  # names are UTF-16 there, and not looked into
    possible = sys.platform == "win32" and path == "\ud800"
    assert refused(path, "manifest_missing", lone if possible else "that is no possible path")
    assert codes(read("x" * 10_000)) == ["manifest_missing"]


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows knows another limit, and finds nothing"
)
def test_a_path_that_is_too_long_is_a_finding() -> None:
    assert refused("x" * 10_000, "manifest_missing", "the path is too long for this system")


def test_a_folder_is_a_finding(tmp_path: Path) -> None:
    named = "it is a folder; name the bundle.json in it"
    assert refused(str(tmp_path), "manifest_not_a_file", named)


def test_a_folder_that_must_not_be_opened_is_told_as_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So Windows answers for every folder."""
    path = tmp_path / "bundle.json"

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as changed:
        changed.setattr(os, "open", refuse)
        with pytest.raises(SourceRefused) as refused:
            read_bytes(str(path))
        assert refused.value.code == "manifest_unreadable"
        path.mkdir()
        with pytest.raises(SourceRefused) as refused:
            read_bytes(str(path))
        assert refused.value.code == "manifest_not_a_file"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs in folders")
def test_pipes_devices_and_sockets_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (str(tmp_path / "pipe"), os.devnull, "/dev/zero", str(tmp_path / "socket")):
            regular = "it is no regular file; name a bundle.json"
            assert refused(path, "manifest_not_a_file", regular)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_in_a_circle_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    circle = "its links lead in a circle; mend them"
    assert refused(str(tmp_path / "a"), "manifest_unreadable", circle)


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing on Windows")
@pytest.mark.permissions
def test_a_file_without_permission_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text("{}")
    path.chmod(0)
    forbidden = "it must not be read; check its permissions"
    assert refused(str(path), "manifest_unreadable", forbidden)


@absent.unless(sys.platform == "linux" and os.path.exists("/proc/self/mem"), "/proc")
def test_a_file_that_the_system_does_not_read_is_a_finding_in_its_words() -> None:
    own_memory = "/proc/self/mem"  # nothing lies at its beginning
    assert refused(own_memory, "manifest_unreadable", os.strerror(errno.EIO).lower())


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    large = "it is larger than 16 MiB; name the bundle.json itself"
    assert refused(str(path), "manifest_too_large", large)


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    limit = 2 * 1024 * 1024
    path.write_bytes(b" " * limit)
    assert read_bytes(str(path), limit) == path.read_bytes()
    with pytest.raises(SourceRefused) as caught:
        read_bytes(str(path), limit - 1)
    assert caught.value.code == "manifest_too_large"
    assert caught.value.reason == "it is larger than 1 MiB; name the bundle.json itself"
    assert LIMIT == 16 * 1024 * 1024


@absent.unless(os.path.exists("/proc/sys/kernel/ostype"), "/proc")
def test_a_file_whose_size_is_not_told_is_read_to_its_end_or_the_limit() -> None:
    path = "/proc/sys/kernel/ostype"
    assert read_bytes(path) == read_bytes(path, limit=6) == b"Linux\n"
    for limit in (0, 5):
        with pytest.raises(SourceRefused) as caught:
            read_bytes(path, limit)
        too_large = "it is larger than 0 MiB; name the bundle.json itself"
        assert str(caught.value) == f"cannot read the bundle '{path}': {too_large}."
