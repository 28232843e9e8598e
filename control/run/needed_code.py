"""What the runtime and its guardians may still import once the start is over, by name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bundlevisor.actors.guardian import kept_modules as guardians
from bundlevisor.control.boot import code_file

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.code_collection import CodeCollection

OWN = ("bundlevisor.control", "bundlevisor.actors", "bundlevisor.manifest")
WITHOUT = {
    code_file.NAMESAKE,
    *("bundlevisor.control.cli", "bundlevisor.control.develop"),
    *("bundlevisor.control.watch.file_states", "bundlevisor.control.watch.restarts"),
    *("bundlevisor.control.watch.watched", "bundlevisor.control.watch.watcher"),
    *("bundlevisor.actors.ui_server.files", "bundlevisor.actors.ui_server.http"),
    *("bundlevisor.actors.ui_server.proxy", "bundlevisor.actors.ui_server.server"),
    *("prometheus_client.aiohttp", "prometheus_client.bridge", "prometheus_client.django"),
    *("prometheus_client.multiprocess", "prometheus_client.parser", "prometheus_client.twisted"),
    *("falcon.asgi", "falcon.asgi_spec", "falcon.bench", "falcon.cmd", "falcon.inspect"),
    *("falcon.media.validators", "falcon.testing"),
}
"""What only other processes import, or only a start."""
WHOLE = ("falcon", "json", "msgspec", "prometheus_client", "pykka", "waitress")
LIBRARIES = """
_ast_unparse _bisect _blake2 _colorize _compat_pickle _compression _ctypes _datetime _decimal _heapq
_json _md5 _multiprocessing _opcode _opcode_metadata _pickle _posixsubprocess _py_warnings
_pydatetime _queue _random _re2 _sha1 _sha2 _sha256 _sha3 _sha512 _struct _uuid _winapi
annotationlib array ast base64 binascii bisect calendar compression compression._common
compression._common._streams compression.zlib concurrent.futures concurrent.futures._base
concurrent.futures.thread contextlib copy ctypes ctypes._endian ctypes.util ctypes.wintypes
dataclasses datetime decimal difflib dis encodings.ascii encodings.idna encodings.latin_1
encodings.utf_8_sig errno fcntl fnmatch glob gzip hashlib heapq http http.cookies importlib
importlib.machinery inspect ipaddress keyword linecache locale logging mimetypes mmap msvcrt
multiprocessing.connection multiprocessing.popen_spawn_posix multiprocessing.popen_spawn_win32
multiprocessing.reduction multiprocessing.resource_tracker multiprocessing.spawn numbers opcode
operator pickle platform psutil psutil._common psutil._ntuples psutil._pslinux psutil._psosx
psutil._psposix psutil._psutil_linux psutil._psutil_osx psutil._psutil_posix psutil._psutil_windows
psutil._pswindows pwd queue random re re._casefix re._compiler re._constants re._parser re2 reprlib
resource select shutil signal stat string stringprep struct subprocess tempfile textwrap timeit
token tokenize traceback types typing unicodedata urllib.parse uuid warnings winreg wsgiref.types
xml.etree zlib
"""
FASTER = ("falcon.cyutil.misc", "falcon.cyutil.reader", "falcon.cyutil.uri")
"""Machine code that Falcon can do without: to keep it where no open file will do would take
importing Falcon."""


def collect(collection: CodeCollection, loaded: frozenset[str]) -> None:
    """Put aside what guardians need, and of what the runtime needs what it has not ``loaded``."""
    guardians.collect(collection)
    collection.passed_over = loaded
    collection.add(libraries())
    for package in (*OWN, *WHOLE):
        collection.add_package(package, WITHOUT)


def libraries() -> tuple[str, ...]:
    """Return the modules of libraries of which not all is needed."""
    return (*LIBRARIES.split(), *(FASTER if sys.platform == "linux" else ()))
