"""What macOS' binaries say of themselves, read and checked without macOS."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field

FAT, FAT_64, THIN = 0xCAFEBABE, 0xCAFEBABF, 0xFEEDFACF
CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}
LOADS = {0xC: "load", 0x80000018: "weak", 0x8000001F: "re-export", 0xD: "id", 0x8000001C: "rpath"}
THERE = ("/usr/lib/", "/System/", "@loader_path/", "@rpath/")
"""Where libraries lie that are in the system or in the folder."""
VERSION_MIN, BUILD_VERSION, CODE_SIGNATURE = 0x24, 0x32, 0x1D


@dataclass
class Binary:
    """One architecture of one file."""

    machine: str
    minimum: str = ""
    """The oldest macOS that it runs on."""
    libraries: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    signed: bool = False


def thin(path: str, machine: str) -> None:
    """Leave one architecture in a file; its signature stays valid."""
    with open(path, "rb") as file:
        data = file.read()
    for one, offset, size in _slices(data):
        if one == machine:
            with open(path, "wb") as file:
                file.write(data[offset : offset + size])
            return
    raise ValueError(f"{path} is not for {machine}")


def read(path: str) -> list[Binary]:
    """Return what a file says, for each of its architectures; nothing for another kind of file."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 32 or not (_is_fat(data) or struct.unpack_from("<I", data)[0] == THIN):
        return []
    return [_binary(data, offset, machine) for machine, offset, _ in _slices(data)]


def complaints(folder: str, machine: str, oldest: str) -> tuple[list[str], list[str]]:
    """Return a line for each Mach-O file of a folder, and one for each thing that is wrong."""
    lines, wrong = [], []
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(where, name)
            inside = os.path.relpath(path, folder)
            for one in read(path):
                rpaths = f", rpath {' '.join(one.rpaths)}" if one.rpaths else ""
                signed = "signed" if one.signed else "not signed"
                lines.append(f"{inside}: {one.machine}, macOS {one.minimum}{rpaths}, {signed}")
                wrong += [f"{inside}: {text}" for text in _complaints(one, machine, oldest)]
    return lines, wrong


def _complaints(one: Binary, machine: str, oldest: str) -> list[str]:
    found = []
    if one.machine != machine:
        found.append(f"is for {one.machine}")
    if _number(one.minimum) > _number(oldest):
        found.append(f"needs macOS {one.minimum}")
    strange = [name for name in one.libraries if not name.startswith(THERE)]
    return found + [f"wants {name}, which is not in the folder" for name in strange]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _is_fat(data: bytes) -> bool:
    return struct.unpack_from(">I", data)[0] in (FAT, FAT_64)


def _slices(data: bytes) -> list[tuple[str, int, int]]:
    if not _is_fat(data):
        return [(CPUS.get(struct.unpack_from("<I", data, 4)[0], "unknown"), 0, len(data))]
    wide = struct.unpack_from(">I", data)[0] == FAT_64
    found = []
    for number in range(struct.unpack_from(">I", data, 4)[0]):
        if wide:
            cpu, _, offset, size = struct.unpack_from(">IIQQ", data, 8 + 32 * number)
        else:
            cpu, _, offset, size = struct.unpack_from(">IIII", data, 8 + 20 * number)
        found.append((CPUS.get(cpu, "unknown"), offset, size))
    return found


def _binary(data: bytes, start: int, machine: str) -> Binary:
    found = Binary(machine)
    place = start + 32
    for _ in range(struct.unpack_from("<I", data, start + 16)[0]):
        command, size = struct.unpack_from("<II", data, place)
        kind = LOADS.get(command)
        if kind is not None:
            text = place + struct.unpack_from("<I", data, place + 8)[0]
            name = data[text : data.index(b"\0", text)].decode()
            if kind == "rpath":
                found.rpaths.append(name)
            elif kind != "id":
                found.libraries.append(name)
        elif command in (VERSION_MIN, BUILD_VERSION):
            at = place + (8 if command == VERSION_MIN else 12)
            (packed,) = struct.unpack_from("<I", data, at)
            found.minimum = f"{packed >> 16}.{packed >> 8 & 0xFF}"
        found.signed = found.signed or command == CODE_SIGNATURE
        place += size
    return found
