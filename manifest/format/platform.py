"""Platform keys, their aliases, and which binary of a service fits this platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from bundlevisor.manifest.format.findings import Finding, child
from bundlevisor.manifest.format.schema import Binary, Service

KEYS = ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win-x64", "win-arm64")
"""The canonical keys of the format."""

UNIVERSAL = "universal"
"""The key of a binary that fits every platform."""

_SYSTEMS = {"mac": "darwin", "macos": "darwin", "windows": "win", "win32": "win"}
_MACHINES = {"amd64": "x64", "x86_64": "x64", "aarch64": "arm64"}
_EMULATED = {"darwin-arm64": ("darwin-x64", "Rosetta"), "win-arm64": ("win-x64", "emulation")}


def canonical(key: str) -> str:
    """Return the canonical form of a platform key: ``Windows-AMD64`` is ``win-x64``.

    A key that is none (see :data:`KEYS`) comes back in lower case.
    """
    system, dash, machine = key.strip().lower().partition("-")
    return f"{_SYSTEMS.get(system, system)}{dash}{_MACHINES.get(machine, machine)}"


def current_key() -> str:
    """Return the key of the platform that this process runs on."""
    return key_of(sys.platform, _machine())


def minds_case(key: str = "") -> bool:
    """Whether two names that differ only in case are two files on a platform (this one)."""
    return not (key or current_key()).startswith(("win-", "darwin-"))


if sys.platform == "win32":

    def _machine() -> str:
        return windows_machine(os.environ)

else:

    def _machine() -> str:
        return os.uname().machine


def key_of(system: str, machine: str) -> str:
    """Return the key for a ``sys.platform`` and a machine name as the system spells it."""
    return canonical(f"{system}-{machine}")


def windows_machine(environ: Mapping[str, str]) -> str:
    """Return the machine's architecture; a 32-bit process sees the real one in ARCHITEW6432."""
    return environ.get("PROCESSOR_ARCHITEW6432") or environ.get("PROCESSOR_ARCHITECTURE", "")


def pick_binary(service: Service, key: str) -> tuple[Binary | None, tuple[Finding, ...]]:
    """Return the binary of ``service`` for the platform ``key``, and warnings about the choice.

    The key itself goes before its aliases, these in the manifest's order; then ``universal``; then
    what the platform can emulate. Entries without a path are passed over. The warnings' paths are
    relative to the service.
    """
    wanted = canonical(key)
    for fitting in (wanted, UNIVERSAL):
        if found := _find(service, fitting):
            return service.binaries[found], ()
    substitute, layer = _EMULATED.get(wanted) or (wanted, None)
    if layer and (found := _find(service, substitute)):
        sentence = (
            f"service '{service.id}': there is no binary for {wanted}, so the one for {found} runs"
            f" under {layer}; add a '{wanted}' entry to make it fast."
        )
        return service.binaries[found], (
            Finding("binary_emulated", child("binaries", found), sentence, service.id),
        )
    return None, ()


def _find(service: Service, wanted: str) -> str | None:
    """Return the service's own spelling of a canonical key."""
    exact = service.binaries.get(wanted)
    if exact and exact.path:
        return wanted
    for key, binary in service.binaries.items():
        if binary.path and canonical(key) == wanted:
            return key
    return None
