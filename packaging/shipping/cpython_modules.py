"""The C modules that are built into the CPython of a folder, as its Setup.local names them."""

from __future__ import annotations

MPDEC = "basearith constants context convolute crt difradix2 fnt fourstep io mpalloc mpdecimal \
numbertheory sixstep transpose"
CTYPES = "-lffi -DHAVE_FFI_PREP_CIF_VAR -DHAVE_FFI_PREP_CLOSURE_LOC -DHAVE_FFI_CLOSURE_ALLOC"
MODULES = {
    **{
        f"_{name}": f"_{name}module.c"
        for name in (
            "asyncio",
            "bisect",
            "contextvars",
            "datetime",
            "heapq",
            "queue",
            "random",
            "statistics",
            "typing",
        )
    },
    **{
        f"_{name}": f"_{name}.c"
        for name in ("csv", "json", "opcode", "pickle", "posixsubprocess", "struct", "zoneinfo")
    },
    **{
        name: f"{name}module.c"
        for name in ("array", "fcntl", "grp", "math", "mmap", "select", "syslog")
    },
    **{name: f"{name}.c" for name in ("binascii", "resource", "termios", "unicodedata")},
    **{f"_{name}": f"{name}module.c" for name in ("md5", "sha1", "sha256", "sha512", "socket")},
    "_sha3": "_sha3/sha3module.c",
    "_blake2": "_blake2/blake2module.c _blake2/blake2b_impl.c _blake2/blake2s_impl.c",
    "_decimal": "-I$(srcdir)/Modules/_decimal/libmpdec -DCONFIG_64 -DANSI -DHAVE_UINT128_T"
    " _decimal/_decimal.c " + " ".join(f"_decimal/libmpdec/{name}.c" for name in MPDEC.split()),
    "_multiprocessing": "-I$(srcdir)/Modules/_multiprocessing _multiprocessing/multiprocessing.c"
    " _multiprocessing/semaphore.c",
    "_posixshmem": "-I$(srcdir)/Modules/_multiprocessing _multiprocessing/posixshmem.c",
    "_ctypes": " ".join(
        f"_ctypes/{name}.c" for name in ("_ctypes", "callbacks", "callproc", "stgdict", "cfield")
    )
    + " "
    + CTYPES,
    "zlib": "zlibmodule.c -lz",
}
"""The C modules that are built in, beside those that every CPython has, and their sources.

Which these are, the audit of imports says (see audited.py): a build whose interpreter lacks one
that the product imports fails.
"""
SETUP = "*static*\n" + "".join(f"{name} {files}\n" for name, files in MODULES.items())
"""What CPython's makesetup reads: all of them in the program itself."""
