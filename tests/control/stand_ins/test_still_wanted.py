"""What is stood in for is what the libraries still import."""

from __future__ import annotations

import sys

import pytest

from tests import absent
from tests.control.stand_ins.fresh_interpreter import child

IMPORTED_BY = """
import builtins, json
seen, real = set(), builtins.__import__
def watching(name, globals=None, locals=None, fromlist=(), level=0):
    by = (globals or {}).get("__name__") or ""
    full = ".".join(filter(None, [by.split(".")[0] if level else "", name]))
    seen.update((by.split(".")[0], one) for one in (full, *(f"{full}.{f}" for f in fromlist or ())))
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = watching
import msgspec, pykka, falcon, waitress.server, multiprocessing.connection, subprocess, asyncio
import signal, socket
builtins.__import__ = real
print(json.dumps(sorted(map(list, seen))))
"""
WANTED = [
    ("typing", "re"),
    ("subprocess", "locale"),
    ("multiprocessing", "multiprocessing.reduction"),
    ("msgspec", "typing_extensions"),
    ("msgspec", "msgspec.inspect"),
    ("msgspec", "msgspec._json_schema"),
    ("msgspec", "decimal"),
    ("msgspec", "msgspec.toml"),
    ("msgspec", "msgspec.yaml"),
    ("asyncio", "inspect"),
    ("asyncio", "linecache"),
    ("asyncio", "logging"),
    ("asyncio", "concurrent.futures"),
    ("asyncio", "subprocess"),
    ("asyncio", "traceback"),
    ("asyncio", "ssl"),
    ("multiprocessing", "tempfile"),
    ("pykka", "logging"),
    ("pykka", "pykka._proxy"),
    ("pykka", "pykka._introspection"),
    ("pykka", "pykka.messages"),
    ("signal", "enum"),
    ("socket", "enum"),
    ("falcon", "asyncio"),
    ("falcon", "http.cookiejar"),
    ("falcon", "pathlib"),
    ("falcon", "xml.etree.ElementTree"),
    ("waitress", "platform"),
    ("waitress", "getopt"),
    ("waitress", "logging"),
    ("waitress", "calendar"),
    ("waitress", "traceback"),
]
if sys.version_info >= (3, 11, 4):
    WANTED.append(("urllib", "ipaddress"))
if sys.platform != "win32":
    WANTED.append(("uuid", "_uuid"))
if sys.platform not in ("win32", "darwin") and sys.version_info < (3, 12):
    WANTED.append(("uuid", "platform"))


@pytest.fixture(scope="module")
def imported_by() -> list[list[str]]:
    found: list[list[str]] = child(IMPORTED_BY)
    return found


@pytest.mark.parametrize(("library", "module"), WANTED)
def test_what_is_stood_in_for_is_still_imported_by_the_library(
    library: str, module: str, imported_by: list[list[str]]
) -> None:
    assert [library, module] in imported_by, f"{module}: take it out of its stand_ins"


@pytest.mark.parametrize("module", ["re", "datetime", "decimal"])
def test_what_msgspec_imports_from_c_is_still_wanted(module: str) -> None:
    if module == "datetime" and sys.version_info >= (3, 12):
        absent.skip("Python 3.11: later ones' datetime is its accelerator")
    code = f"""
import json, typing
sys.modules.pop({module!r}, None)
import msgspec
print(json.dumps({module!r} in sys.modules))"""
    assert child(code)
