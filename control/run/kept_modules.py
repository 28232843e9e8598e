"""What the runtime holds of its program once the start is over: all that it may still need.

An updater may replace or remove the installed files while the runtime runs. It answers and stops
all the same; what needs a new process of ours is refused (bundlevisor.actors.process.own_files).
"""

from __future__ import annotations

from bundlevisor.actors.guardian.kept_code import KeptCode

OWN = ("bundlevisor.control", "bundlevisor.actors", "bundlevisor.manifest")
WITHOUT = {
    *("bundlevisor.control.cli", "bundlevisor.actors.ui_server"),
    *("prometheus_client.aiohttp", "prometheus_client.bridge", "prometheus_client.django"),
    *("prometheus_client.multiprocess", "prometheus_client.parser", "prometheus_client.twisted"),
}
"""What only other processes import, or only a start."""
ENDING = """
bundlevisor.control.run.teardown bundlevisor.control.run.orderly_stop
bundlevisor.actors.core.stop_deadline bundlevisor.actors.process.reaping
multiprocessing.connection multiprocessing.reduction _compat_pickle _pickle pickle tempfile
"""
WHOLE = ("json", "msgspec", "prometheus_client", "waitress")
LIBRARIES = """
bundlevisor.actors.ui_server bundlevisor.actors.ui_server.metadata
_bisect _blake2 _bz2 _compression _ctypes _datetime
_decimal _heapq _json _lzma _md5 _multiprocessing _opcode _pydatetime _queue _random _re2 _sha1
_sha2 _sha256 _sha3 _sha512 _struct _uuid _winapi array ast base64 bisect bz2 contextlib copy
ctypes ctypes._endian ctypes.util ctypes.wintypes datetime decimal difflib dis encodings.ascii
encodings.idna encodings.latin_1 encodings.utf_8_sig errno fcntl fnmatch glob grp gzip hashlib
heapq importlib importlib.machinery inspect keyword linecache logging lzma mmap msvcrt
multiprocessing.popen_spawn_posix multiprocessing.popen_spawn_win32
multiprocessing.resource_tracker multiprocessing.spawn numbers opcode operator platform psutil
psutil._common psutil._ntuples psutil._pslinux psutil._psosx psutil._psposix psutil._psutil_linux
psutil._psutil_osx psutil._psutil_posix psutil._psutil_windows psutil._pswindows pwd queue random
re re._casefix re._compiler re._constants re._parser re2 reprlib resource select shutil signal
stat string stringprep struct subprocess textwrap timeit token tokenize traceback types typing
unicodedata urllib.parse uuid warnings winreg zlib
"""


def keep() -> int:
    """Keep all of it, what an end needs first; return how many bytes that takes."""
    code = KeptCode()
    code.stand_in()
    code.keep(ENDING.split())
    code.keep(LIBRARIES.split(), whole=[*OWN, *WHOLE], without=WITHOUT)
    return code.size
