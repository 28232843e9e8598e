"""For which platform a file is built: the first bytes of real programs, as compilers wrote them."""

from __future__ import annotations

import os
import sys

import pytest

from bundlevisor.actors.process.binary_header import LENGTH, Header, is_foreign, read
from bundlevisor.manifest.format.platform import current_key

ELF = {
    "linux-x64": "7f454c4602010100000000000000000003003e00010000004010000000000000",
    "linux-arm64": "7f454c460201010000000000000000000100b700010000000000000000000000",
    "linux-arm": "7f454c4601010100000000000000000001002800010000000000000000000000",
    "linux-x86": "7f454c4601010100000000000000000001000300010000000000000000000000",
    "linux-riscv64": "7f454c460201010000000000000000000100f300010000000000000000000000",
    "linux-s390x": "7f454c4602020100000000000000000000010016000000010000000000000000",
}
MACH = {
    "darwin-arm64": "cffaedfe0c000001000000000100000004000000180100000020000000000000",
    "darwin-x64": "cffaedfe07000001030000000100000002000000a80000000020000000000000",
}
PE = {
    "win-x86": "504500004c0105000b0dee620000000000000000e0000201",
    "win-x64": "5045000064860600090dee620000000000000000f0002200",
    "win-arm64": "5045000064aa0600e21aee620000000000000000f0002200",
}
DOS = (
    "4d5a90000300000004000000ffff0000b80000000000000040000000000000000000000000000000000000000000"
    "0000000000000000000000000000"
)
PARTS = {"darwin-x64": "01000007", "darwin-arm64": "0100000c"}


def pe(header: str) -> bytes:
    place = 0xF8
    start = bytes.fromhex(DOS) + place.to_bytes(4, "little")
    return start + bytes(place - len(start)) + bytes.fromhex(header)


def fat(*platforms: str, wide: bool = False) -> bytes:
    """A fat file as lipo writes it: entries of type, subtype, offset, size, alignment."""
    parts = [
        bytes.fromhex(PARTS[one]) + bytes(28 if wide else 16) for one in platforms
    ]  # fmt: skip
    return (
        bytes.fromhex("cafebabf" if wide else "cafebabe")
        + bytes([0, 0, 0, len(parts)])
        + b"".join(parts)
    )


THIN = [(name, bytes.fromhex(head)) for name, head in (ELF | MACH).items()]
WINDOWS = [(name, pe(head)) for name, head in PE.items()]


@pytest.mark.parametrize(("platform", "head"), [*THIN, *WINDOWS], ids=lambda v: str(v)[:12])
def test_a_program_says_which_platform_it_is_for(platform: str, head: bytes) -> None:
    assert read(head) == Header((platform,))


@pytest.mark.parametrize("wide", [False, True])
def test_a_universal_program_is_for_all_of_its_platforms(wide: bool) -> None:
    both = ("darwin-x64", "darwin-arm64")
    assert read(fat(*both, wide=wide)).platforms == both
    assert read(fat("darwin-arm64", wide=wide)).platforms == ("darwin-arm64",)


@pytest.mark.parametrize(
    ("head", "header"),
    [
        (b"#!/bin/sh\necho", Header(interpreter="/bin/sh")),
        (b"#! /usr/bin/env python3 -u\n", Header((), "/usr/bin/env", "python3 -u")),
        (b"#!\t/bin/sh\t-e \n", Header((), "/bin/sh", "-e")),
        (b"#!/bin/sh", Header(interpreter="/bin/sh")),
        (b"#!/bin/sh\r\n", Header(interpreter="/bin/sh\r")),
        (b"#!\n", Header()),
        (b"", Header()),
        (b"echo hello\n", Header()),
        (b"\x7fELF", Header()),
        (b"MZ", Header()),
        (pe(PE["win-x64"])[:0xF0], Header()),
        (bytes.fromhex("cafebabe00000034"), Header()),
        (bytes.fromhex("cafebabe00000002"), Header()),
        (pe("4e450000" + "00" * 20), Header(("dos",))),
        (bytes.fromhex(ELF["linux-x64"])[:18] + b"\xe7\x03", Header(("linux-machine-999",))),
    ],
)
def test_what_is_cut_short_or_something_else_is_never_misread(head: bytes, header: Header) -> None:
    assert read(head) == header


@pytest.mark.parametrize("length", range(0, 600, 7))
def test_no_length_of_any_header_raises(length: int) -> None:
    for _, head in [*THIN, *WINDOWS, ("fat", fat("darwin-x64", "darwin-arm64"))]:
        assert read(head[:length]).interpreter == ""


@pytest.mark.parametrize(
    ("built_for", "machine", "foreign"),
    [
        ("linux-x64", "linux-x64", False),
        ("linux-arm64", "linux-x64", True),
        ("linux-x86", "linux-x64", False),
        ("linux-x64", "linux-arm64", True),
        ("darwin-x64", "darwin-arm64", False),
        ("darwin-arm64", "darwin-x64", True),
        ("win-x64", "win-arm64", False),
        ("win-arm64", "win-x64", True),
        ("win-x64", "linux-x64", True),
        ("linux-x64", "darwin-x64", True),
        ("linux-x64", "freebsd-x64", False),
    ],
)
def test_a_platform_runs_its_own_and_what_it_emulates(
    built_for: str, machine: str, foreign: bool
) -> None:
    assert is_foreign(Header((built_for,)), machine) is foreign


def test_one_fitting_part_of_a_universal_program_is_enough() -> None:
    assert not is_foreign(Header(("darwin-x64", "darwin-arm64")), "darwin-x64")


def test_this_interpreter_is_a_program_of_this_platform() -> None:
    with open(os.path.realpath(sys.executable), "rb") as file:
        header = read(file.read(LENGTH))
    assert header.platforms
    assert not is_foreign(header, current_key())
