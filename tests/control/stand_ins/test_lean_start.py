"""What a start, and a page's server, does without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.control.stand_ins.fresh_interpreter import FIRST, LEAN, ROOT, START, child

PAGE = """
from bundlevisor.actors.stand_ins import for_page
for_page.import_libraries()
import json
"""


def test_a_page_s_server_loads_no_more_of_asyncio_than_it_uses() -> None:
    loaded = set(child(PAGE + "print(json.dumps(sorted(k for k, v in sys.modules.items() if v)))"))
    dear = {"ssl", "inspect", "logging", "concurrent.futures", "linecache", "tempfile", "ast"}
    assert loaded & {*dear, "typing_extensions", "msgspec._json_schema", "traceback"} == set()


def test_what_a_page_s_server_does_without_is_there_for_who_needs_it() -> None:
    assert child(
        PAGE
        + """
import asyncio
async def failing(): raise ValueError("no")
async def both():
    task = asyncio.ensure_future(failing())
    done, _ = await asyncio.wait([task], return_when=asyncio.ALL_COMPLETED)
    asyncio.get_running_loop().call_exception_handler({"message": "seen", "task": task})
    text = repr(task)
    number = await asyncio.to_thread(lambda: 7)
    process = await asyncio.create_subprocess_exec(sys.executable, "-I", "-S", "-c", "print(3)",
                                                   stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return [len(done), "ValueError" in text, number, out.decode().strip()]
import os
sys.stderr = open(os.devnull, "w")
print(json.dumps(asyncio.run(both())))"""
    ) == [1, True, 7, "3"]


def test_a_lean_start_does_not_load_what_it_does_not_use() -> None:
    loaded = set(child(LEAN + "import json; print(json.dumps(sorted(sys.modules)))"))
    dear = {"asyncio", "ssl", "http.client", "email", "pathlib", "platform", "getopt"}
    assert loaded & {*dear, "typing_extensions", "tempfile", "msgspec._json_schema"} == set()


def test_what_is_there_before_the_first_spawn_needs_no_regular_expressions() -> None:
    loaded = set(
        child(FIRST + "names = sorted(sys.modules)\nimport json; print(json.dumps(names))")
    )
    unused = {"re", "logging", "locale", "pickle", "platform", "typing_extensions", "numbers"}
    pykkas = {"pykka._proxy", "pykka._introspection", "pykka.messages"}
    assert loaded & {*unused, *pykkas, "_decimal", "_uuid"} == set()


def test_a_start_makes_no_enumeration_of_signal_and_socket_until_it_is_asked_for() -> None:
    assert child(
        START
        + """
import json, signal, socket
late = [type(one).__name__ for one in (signal.Signals, socket.AddressFamily, socket.MsgFlag)]
plain = [type(signal.SIGTERM) is int, type(socket.AF_INET) is int]
names = [signal.Signals(15).name, signal.Signals["SIGINT"].name, socket.SocketKind(1).name]
real = [signal.SIGTERM is signal.Signals(15), isinstance(socket.SOCK_STREAM, socket.SocketKind),
        socket.socket().family is socket.AF_INET, socket.AF_INET.name == "AF_INET",
        len(signal.Signals) == len(list(signal.Signals)), signal.SIGTERM in signal.Signals]
print(json.dumps([late, plain, names, all(real)]))"""
    ) == [["LateEnum"] * 3, [True, True], ["SIGTERM", "SIGINT", "SOCK_STREAM"], True]


def test_who_has_kept_a_late_enumeration_has_the_real_one() -> None:
    assert child(
        START
        + """
import json, signal
kept = signal.Signals
names = [kept["SIGTERM"].name, kept(2).name, kept.SIGHUP.name]
same = [isinstance(signal.SIGINT, kept), signal.SIGINT in kept, len(kept) == len(signal.Signals),
        list(kept) == list(signal.Signals), type(signal.Signals).__name__ == "EnumType"]
print(json.dumps([names, same]))"""
    ) == [["SIGTERM", "SIGINT", "SIGHUP"], [True] * 5]


def test_a_start_compiles_no_annotation() -> None:
    compiled = child(
        """
compiled = []
def hear(event, arguments):
    of_no_file = event == "compile" and arguments[1] == "<string>"
    if of_no_file and not arguments[0].startswith(b"lambda"):  # collections.namedtuple's
        compiled.append(arguments[0].decode())
sys.addaudithook(hear)"""
        + START
        + """
from bundlevisor.control.run import assembly, options, runtime
options.parse(["run", "--manifest", "bundle.json", "--overlay", "x"])
import json
print(json.dumps(compiled))"""
    )
    assert compiled == []


def test_folders_without_code_are_the_packages_that_an_import_makes() -> None:
    as_ever, known = (
        child(
            f"""
import importlib, json
from bundlevisor.control.boot import folders
import bundlevisor.actors, bundlevisor.control
{code}
names = ["bundlevisor." + name for name in folders.FOLDERS.split()]
mods = [importlib.import_module(name) for name in names]
print(json.dumps([[m.__name__, m.__file__, m.__package__, list(m.__path__), m.__cached__,
                   type(m.__loader__).__name__, m.__spec__.origin, m.__doc__] for m in mods]))"""
        )
        for code in ("", "folders.know_folders()")
    )
    assert known == as_ever
    assert [Path(file).read_bytes() for _, file, *_ in known] == [b""] * len(known)


@pytest.mark.parametrize("folder", ["manifest", "actors", "control"])
def test_nothing_that_a_runtime_imports_knows_decimals(folder: str) -> None:
    sources = (ROOT / folder).rglob("*.py")
    importing = re.compile(r"^\s*(import|from) _?decimal\b", re.MULTILINE)
    assert [path for path in sources if importing.search(path.read_text())] == []
