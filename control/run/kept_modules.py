"""What the runtime holds of its program once the start is over: all that it may still need.

An updater may replace or remove the installed files while the runtime runs. It answers and stops
all the same; what needs a new process of ours is refused (bundlevisor.actors.process.own_files).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bundlevisor.actors.guardian import kept_modules as guardians
from bundlevisor.actors.guardian.code_collection import CodeCollection
from bundlevisor.actors.guardian.inflight import shared_memory
from bundlevisor.actors.guardian.kept_code import KeptCode, PrivateStore, SharedStore
from bundlevisor.actors.process import own_files
from bundlevisor.control.boot import code_file

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.kept_code import Store
    from bundlevisor.actors.guardian.link import Guardian

KIND = "code"

OWN = ("bundlevisor.control", "bundlevisor.actors", "bundlevisor.manifest")
WITHOUT = {
    code_file.NAMESAKE,
    *("bundlevisor.control.cli", "bundlevisor.control.develop", "bundlevisor.control.watch"),
    "bundlevisor.actors.ui_server",
    *("prometheus_client.aiohttp", "prometheus_client.bridge", "prometheus_client.django"),
    *("prometheus_client.multiprocess", "prometheus_client.parser", "prometheus_client.twisted"),
    *("falcon.asgi", "falcon.asgi_spec", "falcon.bench", "falcon.cmd", "falcon.inspect"),
    *("falcon.media.validators", "falcon.testing"),
}
"""What only other processes import, or only a start."""
WHOLE = ("falcon", "json", "msgspec", "prometheus_client", "waitress")
LIBRARIES = """
bundlevisor.actors.ui_server bundlevisor.actors.ui_server.metadata _bisect _blake2 _compat_pickle
_compression _ctypes _datetime _decimal _heapq _json _md5 _multiprocessing _opcode _pickle
_pydatetime _queue _random _re2 _sha1 _sha2 _sha256 _sha3 _sha512 _struct _uuid _winapi array ast
base64 bisect calendar concurrent.futures concurrent.futures._base concurrent.futures.thread
contextlib copy ctypes ctypes._endian ctypes.util ctypes.wintypes dataclasses datetime decimal
difflib dis encodings.ascii encodings.idna encodings.latin_1 encodings.utf_8_sig errno fcntl fnmatch
glob gzip hashlib heapq http http.cookies importlib importlib.machinery inspect ipaddress keyword
linecache locale logging mimetypes mmap msvcrt multiprocessing.connection
multiprocessing.popen_spawn_posix multiprocessing.popen_spawn_win32 multiprocessing.reduction
multiprocessing.resource_tracker multiprocessing.spawn numbers opcode operator pickle platform
psutil psutil._common psutil._ntuples psutil._pslinux psutil._psosx psutil._psposix
psutil._psutil_linux psutil._psutil_osx psutil._psutil_posix psutil._psutil_windows
psutil._pswindows pwd queue random re re._casefix re._compiler re._constants re._parser re2 reprlib
resource select shutil signal stat string stringprep struct subprocess tempfile textwrap timeit
token tokenize traceback types typing unicodedata urllib.parse uuid warnings winreg wsgiref.types
xml.etree zlib
"""
FASTER = ("falcon.cyutil.misc", "falcon.cyutil.reader", "falcon.cyutil.uri")
"""Machine code that Falcon can do without: to keep it where no open file will do would take
importing Falcon."""


def keep(guardian: Guardian) -> None:
    """Keep all of it, and have the guardian keep its own. OSError where there is no room for it."""
    own_files.check()
    store: Store = (
        PrivateStore() if sys.platform == "win32" else SharedStore(shared_memory(KIND, 0))
    )
    collection = CodeCollection(store)
    guardians.collect(collection)
    collection.passed_over = frozenset(sys.modules)
    libraries = LIBRARIES.split()
    libraries += FASTER if sys.platform == "linux" else ()
    collection.add(libraries)
    for package in (*OWN, *WHOLE):
        collection.add_package(package, WITHOUT)
    index_at = collection.finish()
    KeptCode(store, index_at).stand_in(collection.machine_code(libraries))
    fd = store.fd if isinstance(store, SharedStore) else -1
    guardian.hold_code(fd, index_at, collection.machine_code(guardians.MACHINE_CODE))
