"""For which platform a file is built, read from its first bytes. Pure.

ELF: elf(5). Mach-O: ``mach-o/loader.h``, ``mach-o/fat.h``, ``mach/machine.h``. PE: the PE format
specification, https://learn.microsoft.com/windows/win32/debug/pe-format
"""

from __future__ import annotations

from typing import Literal

import msgspec

LENGTH = 4096
"""How many bytes are enough; a PE header that begins later is not looked for."""

_ELF = {3: "x86", 8: "mips", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x64", 183: "arm64"}
_ELF |= {243: "riscv64", 258: "loong64"}
_MACH = {7: "x86", 12: "arm", 18: "ppc", 0x01000007: "x64", 0x0100000C: "arm64"}
_PE = {0x14C: "x86", 0x1C4: "arm", 0x8664: "x64", 0xAA64: "arm64", 0xA641: "arm64", 0xA64E: "arm64"}

_MACH_MAGIC: dict[bytes, Literal["big", "little"]] = {
    b"\xfe\xed\xfa\xce": "big",
    b"\xfe\xed\xfa\xcf": "big",
    b"\xce\xfa\xed\xfe": "little",
    b"\xcf\xfa\xed\xfe": "little",
}
_FAT_ENTRY = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}
_MOST_PARTS = 20
"""A Java class begins like a fat file; its version stands where that has its number of parts."""

RUNS = {
    "linux-x64": ("linux-x64", "linux-x86"),
    "linux-arm64": ("linux-arm64", "linux-arm"),
    "darwin-x64": ("darwin-x64",),
    "darwin-arm64": ("darwin-arm64", "darwin-x64"),
    "win-x64": ("win-x64", "win-x86"),
    "win-arm64": ("win-arm64", "win-x64", "win-x86", "win-arm"),
}
"""What each platform runs, its own emulation and its 32-bit programs included."""


class Header(msgspec.Struct, frozen=True):
    """What a file is: a program for ``platforms``, a script, or neither."""

    platforms: tuple[str, ...] = ()
    interpreter: str = ""
    """Of a script's first line, as it stands there."""
    argument: str = ""

    @property
    def is_known(self) -> bool:
        """Whether a system can run it, some system."""
        return bool(self.platforms or self.interpreter)


def read(head: bytes) -> Header:
    """Return what the first bytes of a file say, at best :data:`LENGTH` of them."""
    if head.startswith(b"#!"):
        return _script(head)
    if head.startswith(b"\x7fELF"):
        return Header(_elf(head))
    if head.startswith(b"MZ"):
        return Header(_pe(head))
    if head[:4] in _MACH_MAGIC:
        return Header((_mach(_number(head, 4, 4, _MACH_MAGIC[head[:4]])),))
    if head[:4] in _FAT_ENTRY:
        return Header(_fat(head))
    return Header()


def is_foreign(header: Header, platform: str) -> bool:
    """Whether the file is a program, and none that ``platform`` (a canonical key) runs."""
    runs = RUNS.get(platform)
    return bool(runs and header.platforms) and not set(header.platforms).intersection(runs or ())


def _script(head: bytes) -> Header:
    line = head[2:].partition(b"\n")[0].decode("utf-8", "replace").replace("\t", " ")
    interpreter, _, argument = line.strip(" ").partition(" ")
    return Header(interpreter=interpreter, argument=argument.strip(" "))


def _elf(head: bytes) -> tuple[str, ...]:
    if len(head) < 20:
        return ()
    number = _number(head, 18, 2, "big" if head[5] == 2 else "little")
    return (f"linux-{_ELF.get(number, f'machine-{number}')}",)


def _fat(head: bytes) -> tuple[str, ...]:
    entry, parts = _FAT_ENTRY[head[:4]], _number(head, 4, 4, "big")
    if parts > _MOST_PARTS:
        return ()
    places = range(8, min(8 + parts * entry, len(head)), entry)
    return tuple(_mach(_number(head, place, 4, "big")) for place in places)


def _mach(number: int) -> str:
    return f"darwin-{_MACH.get(number, f'machine-{number}')}"


def _pe(head: bytes) -> tuple[str, ...]:
    """A program for MS-DOS has no PE header: no platform here runs it."""
    start = _number(head, 0x3C, 4, "little")
    if head[start : start + 4] != b"PE\0\0":
        return ("dos",) if start + 4 <= len(head) else ()
    number = _number(head, start + 4, 2, "little")
    return (f"win-{_PE.get(number, f'machine-{number}')}",)


def _number(head: bytes, place: int, size: int, order: Literal["big", "little"]) -> int:
    return int.from_bytes(head[place : place + size], order)
