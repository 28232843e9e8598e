"""A GPU on Linux leaves device files, or a display controller with a driver on the PCI bus."""

from __future__ import annotations

import os

FILES = (
    "dev/nvidia0",
    "proc/driver/nvidia/version",  # the device file appears at the first use only
    "dev/kfd",
    "dev/dxg",
)
"""NVIDIA's device and driver, AMD's compute interface, and the GPU that Windows lends to WSL."""
RENDER_FOLDER, RENDER_NODE = "dev/dri", "renderD"
PCI = "sys/bus/pci/devices"
DISPLAY = "0x03"
"""PCI class code 03h: display controllers (PCI Code and ID Assignment Specification, 1.4)."""
EMULATED = ("0x1234", "0x1013", "0x1a03", "0x102b")
"""Vendors of adapters that only show a console: QEMU, Cirrus, ASPEED and Matrox in servers."""


def look(root: str = "/") -> tuple[bool, str]:
    """Return whether the files below ``root`` show a GPU, and what they show, in words."""
    for name in FILES:
        if os.path.exists(os.path.join(root, name)):
            return True, f"/{name} is there"
    for name in names(os.path.join(root, RENDER_FOLDER)):
        if name.startswith(RENDER_NODE):
            return True, f"/{RENDER_FOLDER}/{name} is there"
    for device in names(os.path.join(root, PCI)):
        if _is_gpu(os.path.join(root, PCI, device)):
            return True, f"the PCI device {device} is a display controller with a driver"
    looked = f"/{', /'.join(FILES)}, /{RENDER_FOLDER}/{RENDER_NODE}* and the PCI bus"
    return False, f"no GPU was found (looked for {looked})"


def _is_gpu(device: str) -> bool:
    if not _read(os.path.join(device, "class")).startswith(DISPLAY):
        return False
    emulated = _read(os.path.join(device, "vendor")) in EMULATED
    return not emulated and os.path.exists(os.path.join(device, "driver"))


def names(folder: str) -> list[str]:
    """Return what is in a folder, in order; nothing where it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(64).decode("ascii", "replace").strip()
    except OSError:
        return ""
