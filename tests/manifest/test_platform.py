"""Platform keys, aliases and the choice of a binary."""

from __future__ import annotations

import platform
import sys

import pytest

from bundlevisor.manifest.format import platform as keys
from bundlevisor.manifest.format.platform import (
    KEYS,
    canonical,
    current_key,
    key_of,
    minds_case,
    pick_binary,
    windows_machine,
)
from bundlevisor.manifest.format.schema import Binary, Service


def service_with(*given: str) -> Service:
    return Service(id="s", binaries={key: Binary(path=f"bin/{key}") for key in given})


def picked(service: Service, key: str) -> tuple[str | None, list[str]]:
    binary, warnings = pick_binary(service, key)
    return (binary.path if binary else None), [warning.code for warning in warnings]


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("linux-x64", "linux-x64"),
        ("Linux-AMD64", "linux-x64"),
        ("linux-aarch64", "linux-arm64"),
        ("mac-x64", "darwin-x64"),
        ("macOS-aarch64", "darwin-arm64"),
        ("windows-amd64", "win-x64"),
        ("WIN32-arm64", "win-arm64"),
        (" win-x64 ", "win-x64"),
        ("linux-x86_64", "linux-x64"),
        ("universal", "universal"),
        ("amiga-68k", "amiga-68k"),
        ("mac-x64-old", "darwin-x64-old"),
        ("", ""),
    ],
)
def test_aliases_have_one_canonical_form(key: str, answer: str) -> None:
    assert canonical(key) == answer


@pytest.mark.parametrize(
    ("system", "machine", "key"),
    [
        ("linux", "x86_64", "linux-x64"),
        ("linux", "aarch64", "linux-arm64"),
        ("darwin", "arm64", "darwin-arm64"),
        ("win32", "AMD64", "win-x64"),
        ("win32", "ARM64", "win-arm64"),
        ("linux", "riscv64", "linux-riscv64"),
    ],
)
def test_the_systems_own_names_give_the_key(system: str, machine: str, key: str) -> None:
    assert key_of(system, machine) == key


def test_a_32_bit_process_on_windows_sees_the_real_machine() -> None:
    assert windows_machine({"PROCESSOR_ARCHITECTURE": "AMD64"}) == "AMD64"
    both = {"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "AMD64"}
    assert windows_machine(both) == "AMD64"
    assert windows_machine({}) == ""


def test_this_machine_has_a_key() -> None:
    key = current_key()
    assert key == canonical(key)
    assert key == key_of(sys.platform, platform.machine())
    if sys.platform in ("linux", "darwin", "win32"):
        assert key.split("-")[0] in {known.split("-")[0] for known in KEYS}


@pytest.mark.parametrize(
    ("given", "wanted", "path", "warnings"),
    [
        (["linux-x64"], "linux-x64", "bin/linux-x64", []),
        (["linux-amd64"], "linux-x64", "bin/linux-amd64", []),
        (["linux-amd64", "linux-x64"], "linux-x64", "bin/linux-x64", []),
        (["LINUX-X64", "linux-amd64"], "linux-x64", "bin/LINUX-X64", []),
        (["universal", "linux-amd64"], "linux-x64", "bin/linux-amd64", []),
        (["win-x64", "universal"], "linux-x64", "bin/universal", []),
        (["Universal"], "linux-arm64", "bin/Universal", []),
        (["mac-x64"], "darwin-arm64", "bin/mac-x64", ["binary_emulated"]),
        (["windows-x64"], "win-arm64", "bin/windows-x64", ["binary_emulated"]),
        (["darwin-x64", "universal"], "darwin-arm64", "bin/universal", []),
        (["darwin-x64", "macos-arm64"], "darwin-arm64", "bin/macos-arm64", []),
        (["linux-x64"], "linux-arm64", None, []),
        (["darwin-arm64"], "darwin-x64", None, []),
        (["linux-x64"], "windows-amd64", None, []),
        (["win32-x64"], "windows-amd64", "bin/win32-x64", []),
        ([], "linux-x64", None, []),
    ],
)
def test_the_fitting_binary_is_picked(
    given: list[str], wanted: str, path: str | None, warnings: list[str]
) -> None:
    assert picked(service_with(*given), wanted) == (path, warnings)


def test_the_order_in_the_manifest_decides_between_aliases() -> None:
    assert picked(service_with("mac-x64", "macos-x64"), "darwin-x64")[0] == "bin/mac-x64"
    assert picked(service_with("macos-x64", "mac-x64"), "darwin-x64")[0] == "bin/macos-x64"


def test_entries_without_a_path_are_passed_over() -> None:
    service = Service(
        id="s", binaries={"linux-x64": Binary(path=""), "linux-amd64": Binary(path="bin/real")}
    )
    assert picked(service, "linux-x64") == ("bin/real", [])


def test_the_warning_names_the_layer_and_the_remedy() -> None:
    _, (warning,) = pick_binary(service_with("darwin-x64"), "darwin-arm64")
    assert "Rosetta" in warning.message
    assert "darwin-arm64" in warning.message
    assert (warning.path, warning.service) == ("binaries.darwin-x64", "s")


@pytest.mark.parametrize("here", KEYS)
def test_whether_case_counts_is_asked_of_this_platform_unless_another_is_named(
    here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "current_key", lambda: here)
    assert minds_case() is here.startswith("linux-")
    assert minds_case("linux-x64")
    assert not minds_case("win-x64")
