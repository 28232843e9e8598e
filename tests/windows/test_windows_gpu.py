"""The registry's display adapters, with one of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from bundlevisor.actors.gpu import details, presence, windows

if sys.platform == "win32":
    import winreg

    KEY = windows.ADAPTERS + r"\0999"

    @pytest.fixture
    def adapter() -> Iterator[str]:
        """Put a display adapter into the registry."""
        key = winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, KEY)
        values = {
            "MatchingDeviceId": r"PCI\VEN_10DE&DEV_2684",
            "DriverDesc": "Test GPU",
            "DriverVersion": "31.0",
        }
        for name, value in values.items():
            winreg.SetValueEx(key, name, 0, winreg.REG_SZ, value)
        key.Close()
        yield "Test GPU"
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, KEY)

    def test_an_adapter_in_the_registry_is_found(adapter: str) -> None:
        names = [one.name for one in windows.adapters()]
        assert adapter in names
        found = presence.look({})
        assert (found.available, found.method) == (True, "registry")

    def test_its_name_and_driver_are_told(adapter: str) -> None:
        first = next(one for one in windows.adapters() if one.is_gpu)
        assert details.read("win32") == (first.name, first.driver)
