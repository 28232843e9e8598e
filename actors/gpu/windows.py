"""A GPU on Windows is a display adapter in the registry that is neither basic nor emulated.

The key may keep an adapter that was taken out, which Windows does not tell without a slow call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import msgspec

ADAPTERS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""The setup class of display adapters, below HKEY_LOCAL_MACHINE.

https://learn.microsoft.com/windows-hardware/drivers/install/system-defined-device-setup-classes-available-to-vendors
"""
HARDWARE = (r"pci\ven_", r"acpi\ven_")
"""How the ids of devices begin; the basic adapter's are ``*PNP…`` and ``PCI\\CC_0300``."""
EMULATED = (r"pci\ven_1234", r"pci\ven_1414&dev_5353")
"""QEMU's and Hyper-V's console adapters; Hyper-V's shared GPU has another device number."""


class Adapter(msgspec.Struct, frozen=True):
    """One display adapter: the id that its driver was chosen by, and that driver."""

    device: str
    name: str = ""
    driver: str = ""

    @property
    def is_gpu(self) -> bool:
        """Whether it is hardware with a driver of its own; told in whatever language."""
        device = self.device.lower()
        return device.startswith(HARDWARE) and not device.startswith(EMULATED)


def look(found: Iterable[Adapter]) -> tuple[bool, str]:
    """Return whether one of the adapters is a GPU, and which, in words."""
    for adapter in found:
        if adapter.is_gpu:
            return True, f"the display adapter {adapter.name} is installed"
    return False, "no GPU was found (only basic display adapters are installed)"


def adapters() -> list[Adapter]:
    """Return the display adapters of this machine; none where the registry cannot be read."""
    found: list[Adapter] = []
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, ADAPTERS) as key:
                for index in range(winreg.QueryInfoKey(key)[0]):
                    found += _adapter(key, winreg.EnumKey(key, index))
        except OSError:
            return found
    return found


if sys.platform == "win32":

    def _adapter(parent: object, name: str) -> list[Adapter]:
        import winreg

        try:
            with winreg.OpenKey(parent, name) as key:  # type: ignore[arg-type]  # HKEYType
                values = {
                    name: str(value)
                    for name, value, _ in (
                        winreg.EnumValue(key, index) for index in range(winreg.QueryInfoKey(key)[1])
                    )
                }
        except OSError:  # "Properties" is closed to everybody
            return []
        device = values.get("MatchingDeviceId", "")
        found = Adapter(device, values.get("DriverDesc", ""), values.get("DriverVersion", ""))
        return [found] if device else []
