"""Reading the names that a Windows DLL exports, and making what links with it."""

from __future__ import annotations

import os
import struct

from shipping.tools import run, zig, zig_environment


def exports(path: str) -> list[str]:
    """Return the names that a 64-bit DLL exports, sorted."""
    with open(path, "rb") as file:
        data = file.read()
    header = _u32(data, 0x3C)
    sections = struct.unpack_from("<H", data, header + 6)[0]
    optional = header + 24
    table = optional + struct.unpack_from("<H", data, header + 20)[0]
    places = [struct.unpack_from("<IIII", data, table + 40 * n + 8) for n in range(sections)]

    def at(address: int) -> int:
        for size, start, _, offset in places:
            if start <= address < start + size:
                return int(offset + address - start)
        raise ValueError(f"{path}: address {address:#x} lies in no section")

    directory = at(_u32(data, optional + 112))
    count, names = _u32(data, directory + 24), at(_u32(data, directory + 32))
    found = []
    for number in range(count):
        start = at(_u32(data, names + 4 * number))
        found.append(data[start : data.index(b"\0", start)].decode("ascii"))
    return sorted(found)


def import_library(dll: str, folder: str) -> None:
    """Make the library that a program is linked with to use a DLL."""
    name = os.path.basename(dll)
    definition = os.path.join(folder, f"{name}.def")
    library = os.path.join(folder, f"{name}.lib")
    with open(definition, "w", encoding="ascii") as file:
        file.write(f'LIBRARY "{name}"\nEXPORTS\n' + "".join(f"  {one}\n" for one in exports(dll)))
    words = ("-m", "i386:x86-64", "-d", definition, "-l", library)
    run(zig(), "dlltool", *words, env=zig_environment())


def forwarder(dll: str, path: str, triple: str) -> None:
    """Make a DLL whose every name is that of another one: python3.dll, which abi3 modules want."""
    base = os.path.basename(dll).removesuffix(".dll")
    definition = f"{path}.def"
    with open(definition, "w", encoding="ascii") as file:
        file.write(f'LIBRARY "{os.path.basename(path)}"\nEXPORTS\n')
        file.writelines(f"  {one} = {base}.{one}\n" for one in exports(dll))
    entry = f"{path}.c"
    with open(entry, "w", encoding="ascii") as file:
        file.write("int DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }\n")
    words = ("-shared", "-nostdlib", "-s", "-w", entry, definition)
    run(zig(), "cc", "-target", triple, *words, "-o", path, env=zig_environment())
    os.remove(definition)
    os.remove(entry)


def _u32(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<I", data, offset)[0])
