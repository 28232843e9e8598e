"""Which GPU it is, and its driver: asked in another process, because drivers hang at times."""

from __future__ import annotations

import os
import sys

import msgspec

from bundlevisor.actors.gpu.linux import RENDER_NODE, names
from bundlevisor.actors.process import isolated_call

PATIENCE = 10.0
"""Seconds; macOS takes two, and a GPU that sleeps is woken."""

NVIDIA = "proc/driver/nvidia"
CARDS = "sys/class/drm"


class Details(msgspec.Struct, frozen=True):
    """The first GPU of the machine; empty texts for what is not known."""

    name: str = ""
    driver: str = ""


def ask() -> Details | None:
    """Return what can be found out; None when there was no answer in time. Blocks for seconds."""
    try:
        name, driver = isolated_call.call(read, sys.platform, timeout=PATIENCE)
    except (TimeoutError, isolated_call.CallFailed):
        return None
    return Details(name, driver)


def read(system: str, root: str = "/") -> tuple[str, str]:
    """Return name and driver on this very thread, for however long that takes."""
    if system == "win32":
        return _of_windows()
    if system == "darwin":
        return _of_mac()
    return _of_nvidia(root) or _of_card(root) or ("", "")


def _of_nvidia(root: str) -> tuple[str, str] | None:
    folder = os.path.join(root, NVIDIA)
    version = _text(os.path.join(folder, "version"))
    if not version:
        return None
    cards = names(os.path.join(folder, "gpus"))
    said = _text(os.path.join(folder, "gpus", cards[0], "information")) if cards else ""
    models = [line.partition(":")[2].strip() for line in said.splitlines() if "Model" in line]
    words = version.partition("Kernel Module")[2].split()
    number = next((word for word in words if word[0].isdigit()), "")
    return (models[0] if models else "NVIDIA"), f"nvidia {number}".strip()


def _of_card(root: str) -> tuple[str, str] | None:
    """Name a card by its PCI vendor and device: those names are in no file that must be there."""
    for name in names(os.path.join(root, CARDS)):
        device = os.path.join(root, CARDS, name, "device")
        driver = os.path.basename(os.path.realpath(os.path.join(device, "driver")))
        if name.startswith(RENDER_NODE) and driver != "driver":
            ids = [_text(os.path.join(device, part)).strip() for part in ("vendor", "device")]
            return " ".join(filter(None, ids)) or driver, driver
    return None


def _of_mac() -> tuple[str, str]:
    import subprocess

    asked = subprocess.run(
        ["/usr/sbin/system_profiler", "-json", "SPDisplaysDataType"],
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    cards = msgspec.json.decode(asked.stdout).get("SPDisplaysDataType") or [{}]
    return str(cards[0].get("sppci_model", "")), "Metal"


def _of_windows() -> tuple[str, str]:
    from bundlevisor.actors.gpu.windows import adapters

    first = next((adapter for adapter in adapters() if adapter.is_gpu), None)
    return (first.name, first.driver) if first is not None else ("", "")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""
