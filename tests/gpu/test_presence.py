"""Whether there is a GPU, told from made-up machines: there is none where this is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundlevisor.actors.gpu import linux, presence, windows
from bundlevisor.actors.gpu.windows import Adapter


def machine(root: Path, files: dict[str, str]) -> str:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return str(root)


def display(
    vendor: str = "0x8086", kind: str = "0x030000", driver: str = "driver"
) -> dict[str, str]:
    folder = "sys/bus/pci/devices/0000:00:02.0"
    return {
        f"{folder}/class": f"{kind}\n",
        f"{folder}/vendor": f"{vendor}\n",
        f"{folder}/{driver}": "",
    }


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ({"dev/nvidia0": ""}, "/dev/nvidia0 is there"),
        ({"proc/driver/nvidia/version": "NVRM"}, "/proc/driver/nvidia/version is there"),
        ({"dev/kfd": ""}, "/dev/kfd is there"),
        ({"dev/dxg": ""}, "/dev/dxg is there"),
        ({"dev/dri/card0": "", "dev/dri/renderD128": ""}, "/dev/dri/renderD128 is there"),
        (display(), "the PCI device 0000:00:02.0 is a display controller with a driver"),
        (display("0x10de", "0x030200"), "0000:00:02.0"),
    ],
)
def test_a_gpu_on_linux_is_known_by_its_files(
    tmp_path: Path, files: dict[str, str], seen: str
) -> None:
    available, reason = linux.look(machine(tmp_path, files))
    assert available
    assert seen in reason


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"dev/dri/card0": ""},
        display(kind="0x020000"),
        display(vendor="0x1234"),
        display(driver="no-driver"),
        {"sys/bus/pci/devices/0000:00:02.0/vendor": "0x10de\n"},
    ],
)
def test_what_is_no_gpu_on_linux_is_not_taken_for_one(
    tmp_path: Path, files: dict[str, str]
) -> None:
    available, reason = linux.look(machine(tmp_path, files))
    assert not available
    assert "/dev/dri/renderD*" in reason


@pytest.mark.parametrize(
    ("device", "available"),
    [
        (r"PCI\VEN_10DE&DEV_2684", True),
        (r"pci\ven_8086&dev_9a49&subsys_0a201028", True),
        (r"ACPI\VEN_QCOM&DEV_0C36", True),
        (r"PCI\VEN_1414&DEV_008E", True),
        (r"PCI\VEN_1414&DEV_5353", False),
        (r"PCI\VEN_1234&DEV_1111", False),
        ("*PNP0900", False),
        (r"PCI\CC_0300", False),
        (r"ROOT\BasicRender", False),
        (r"VMBUS\{DA0A7802-E377-4AAC-8E77-0558EB1073F8}", False),
    ],
)
def test_a_gpu_on_windows_is_an_adapter_with_a_driver_of_its_own(
    device: str, available: bool
) -> None:
    basic = Adapter("*PNP0900", "Grafikkarte")
    found, reason = windows.look([basic, Adapter(device, "Some GPU", "31.0.15")])
    assert found is available
    assert ("Some GPU" in reason) is available


@pytest.mark.parametrize(
    ("system", "methods"), [("linux", {"files", "none"}), ("win32", {"registry", "none"})]
)
def test_how_it_is_known_is_said(system: str, methods: set[str]) -> None:
    found = presence.look({}, system)
    assert found.method in methods
    assert found.available is (found.method != "none")


def test_every_mac_has_metal() -> None:
    assert presence.look({}, "darwin").method == "metal"


@pytest.mark.parametrize(
    ("word", "available"),
    [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False), (" f ", False)],
)
def test_the_environment_decides_before_anything_is_looked_for(word: str, available: bool) -> None:
    for system in ("linux", "darwin", "win32"):
        found = presence.look({"BUNDLE_GPU_AVAILABLE": word}, system)
        assert (found.available, found.method) == (available, "environment")


@pytest.mark.parametrize("word", ["", "maybe", "2"])
def test_a_word_that_means_nothing_decides_nothing(word: str) -> None:
    assert presence.look({"BUNDLE_GPU_AVAILABLE": word}, "darwin").method == "metal"
