"""Each child is a fresh interpreter: what is loaded in this one must not matter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import absent

HERE = os.path.dirname(os.path.abspath(__file__))
PATHS = [os.path.dirname(os.path.dirname(HERE)), *sys.path]
FIRST = """
from bundlevisor.actors.stand_ins import for_run
for_run.import_typing()
for_run.import_msgspec()
for_run.import_subprocess()
for_run.import_multiprocessing()
for_run.import_pykka()
"""
START = """
from bundlevisor.actors.stand_ins import for_run
for_run.import_multiprocessing()
for_run.import_for_opening()
for_run.import_for_services()
"""
LEAN = (
    FIRST
    + """
from bundlevisor.control.boot.stand_ins import for_api
for_api.import_falcon()
for_api.import_waitress()
"""
)


def child(code: str) -> Any:
    """Run code that prints one JSON value in a fresh interpreter; return the value."""
    start = f"import sys; sys.path += {PATHS!r}\n"
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", start + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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


PAGE = """
from bundlevisor.actors.ui_server.server import imports
imports.import_libraries()
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


def test_a_lean_start_does_not_load_what_it_does_not_use() -> None:
    loaded = set(child(LEAN + "import json; print(json.dumps(sorted(sys.modules)))"))
    dear = {"asyncio", "ssl", "http.client", "email", "pathlib", "platform", "getopt"}
    assert loaded & {*dear, "typing_extensions", "tempfile", "msgspec._json_schema"} == set()


def test_what_is_there_before_the_first_spawn_needs_no_regular_expressions() -> None:
    loaded = set(
        child(FIRST + "names = sorted(sys.modules)\nimport json; print(json.dumps(names))")
    )
    unused = {"re", "logging", "locale", "pickle", "platform", "typing_extensions", "numbers"}
    assert loaded & {*unused, "_decimal", "_uuid", "pykka._proxy", "pykka._introspection"} == set()


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
    if event == "compile" and not arguments[0].startswith(b"lambda"):  # collections.namedtuple's
        compiled.append(arguments[0].decode())
sys.addaudithook(hear)"""
        + START
        + """
from bundlevisor.control.run import assembly, options, runtime
options.parse(["run", "--manifest", "bundle.json", "--overlay", "x"])
import json
print(json.dumps([source for source in compiled if len(source) < 1000]))"""
    )
    assert compiled == []


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there it is compiled late anyway")
def test_what_was_not_compiled_is_evaluated_as_ever() -> None:
    assert child(
        START
        + """
import json, typing
with for_run.UncompiledReferences():
    late = typing.ForwardRef("list[int]")
def f(x: late, y: typing.Optional["int"]): ...
hints = typing.get_type_hints(f)
print(json.dumps([str(hints["x"]), str(hints["y"]), late == typing.ForwardRef("list[int]")]))"""
    ) == ["list[int]", "typing.Optional[int]", True]


def test_patterns_are_what_they_ever_were() -> None:
    assert child(
        FIRST
        + """
import typing, re, msgspec, json
class S(msgspec.Struct):
    a: typing.Annotated[str, msgspec.Meta(pattern="^x+$")]
good = msgspec.json.decode(b'{"a": "xx"}', type=S).a
try:
    msgspec.json.decode(b'{"a": "y"}', type=S)
except msgspec.ValidationError as error:
    bad = str(error)
def f(p: typing.Pattern[str], m: typing.Match[str]): ...
same = [typing.Pattern.__origin__ is re.Pattern, typing.Match.__origin__ is re.Match,
        type(re.compile("x")) is re.Pattern, typing.get_type_hints(f)["p"].__origin__ is re.Pattern]
print(json.dumps([good, "matching regex" in bad, all(same)]))"""
    ) == ["xx", True, True]


def test_processes_are_what_they_ever_were() -> None:
    assert child(
        FIRST
        + """
import json, subprocess, multiprocessing, os
text = subprocess.run([sys.executable, "-I", "-S", "-c", "print('ü')"], text=True,
                      capture_output=True, env={**os.environ, "PYTHONUTF8": "1"}).stdout.strip()
def in_child(pipe): pipe.send({"a": [1]}); pipe.close()
context = multiprocessing.get_context("fork")
here, there = context.Pipe()
process = context.Process(target=in_child, args=(there,)); process.start()
got = here.recv(); process.join()
reducer = type(context.reducer).__name__, hasattr(context.reducer, "ForkingPickler")
print(json.dumps([bool(text), got, process.exitcode, *reducer]))"""
    ) == [True, {"a": [1]}, 0, "module", True]


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


def test_no_stand_in_stays_among_the_modules() -> None:
    assert child(
        LEAN
        + """
import json
fakes = [k for k, v in sys.modules.items() if v is None or type(v).__name__ == "Late"]
print(json.dumps(fakes == []))"""
    )


def test_every_module_that_was_stood_in_for_is_the_real_one_for_others() -> None:
    assert child(
        LEAN
        + """
import asyncio, calendar, datetime, getopt, http.cookiejar, ipaddress, json, logging, pathlib
import platform, traceback
import msgspec.inspect, msgspec.toml, msgspec.yaml, xml.etree.ElementTree
modules = [asyncio, calendar, ipaddress, traceback, datetime, getopt, http.cookiejar, logging,
           pathlib, platform, msgspec.inspect, msgspec.toml, msgspec.yaml, xml.etree.ElementTree]
print(json.dumps(all(type(m).__name__ == "module" and m.__file__ for m in modules)))"""
    )


def test_msgspec_reads_and_writes_every_type_but_decimals_as_ever() -> None:
    assert child(
        LEAN
        + """
import datetime, json, uuid, msgspec
class S(msgspec.Struct):
    u: uuid.UUID
    d: datetime.datetime
    t: datetime.timedelta
one = S(uuid.uuid4(), datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(seconds=3))
again = msgspec.json.decode(msgspec.json.encode(one), type=S)
schema = msgspec.json.schema(S)
info = msgspec.inspect.type_info(S)
toml = msgspec.toml.decode(b"a = 2020-01-01")
print(json.dumps([again == one, schema["$ref"], type(info).__name__,
                  toml == {"a": datetime.date(2020, 1, 1)},
                  type(msgspec.inspect).__name__, msgspec.json.schema.__module__]))"""
    ) == [True, "#/$defs/S", "StructType", True, "module", "msgspec._json_schema"]


def test_msgspec_refuses_decimals_instead_of_writing_something_else() -> None:
    assert child(
        LEAN
        + """
import decimal, json, msgspec
said = []
for ask in (lambda: msgspec.json.encode(decimal.Decimal("1.5")),
            lambda: msgspec.json.decode(b'"1.5"', type=decimal.Decimal)):
    try:
        said.append(repr(ask()))
    except (TypeError, msgspec.ValidationError) as error:
        said.append(type(error).__name__)
print(json.dumps([said, str(decimal.Decimal("0.1") + decimal.Decimal("0.2"))]))"""
    ) == [["TypeError", "ValidationError"], "0.3"]


@pytest.mark.parametrize("folder", ["manifest", "actors", "control"])
def test_nothing_that_a_runtime_imports_knows_decimals(folder: str) -> None:
    sources = (Path(HERE).parents[1] / folder).rglob("*.py")
    importing = re.compile(r"^\s*(import|from) _?decimal\b", re.MULTILINE)
    assert [path for path in sources if importing.search(path.read_text())] == []


def test_proxies_of_actors_are_there_for_who_wants_some() -> None:
    assert child(
        FIRST
        + """
import json, pykka
class Counting(pykka.ThreadingActor):
    number = 3
    def double(self): return 2 * self.number
actor = Counting.start()
proxy = actor.proxy()
found = [proxy.double().get(), proxy.number.get(), type(proxy).__module__]
proxy.stop()
print(json.dumps([*found, type(pykka.ActorProxy).__name__]))"""
    ) == [6, 3, "pykka._proxy", "type"]


def test_msgspec_understands_names_of_typing_extensions() -> None:
    pytest.importorskip("typing_extensions")
    assert child(
        LEAN
        + """
import json, msgspec
from typing_extensions import Annotated, NotRequired, TypedDict
class T(TypedDict):
    a: Annotated[int, msgspec.Meta(ge=1)]
    b: NotRequired[str]
print(json.dumps(msgspec.json.decode(b'{"a": 1}', type=T)))"""
    ) == {"a": 1}


def test_pykka_logs_once_somebody_has_configured_logging() -> None:
    assert child(
        FIRST
        + """
import pykka, json
quiet = pykka.ThreadingActor.start()
before = "logging" in sys.modules
quiet.stop()
import logging
lines = []
class Keep(logging.Handler):
    def emit(self, record): lines.append(record.getMessage())
logging.getLogger("pykka").addHandler(Keep())
logging.getLogger("pykka").setLevel(logging.DEBUG)
pykka.ThreadingActor.start().stop()
print(json.dumps([before, len(lines) > 0]))"""
    ) == [False, True]


def test_pykka_does_not_wait_for_logging_that_another_thread_imports() -> None:
    """That thread may be waiting for services to start, and they for pykka: nobody would go on."""
    assert child(
        FIRST
        + """
import pykka, json, threading
class AtLogging:
    "Stands for the first thing that logging imports: starts an actor while the import goes on."
    def find_spec(self, name, path=None, target=None):
        if "logging" in sys.modules and not started:
            started.append(1)
            other = threading.Thread(target=lambda: pykka.ThreadingActor.start().stop())
            other.start()
            other.join(10)
            started.append(not other.is_alive())
started = []
for name in ("string", "collections.abc", "weakref", "traceback"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, AtLogging())
import logging
print(json.dumps(started))"""
    ) == [1, True]


def test_an_actors_failure_is_logged_though_logging_was_not_loaded() -> None:
    assert child(
        FIRST
        + """
import pykka, json
class Failing(pykka.ThreadingActor):
    def on_receive(self, message): raise ValueError("no")
ref = Failing.start()
ref.tell(1)
ref.actor_stopped.wait(10)
print(json.dumps("logging" in sys.modules))"""
    )


def test_falcon_serves_both_its_halves() -> None:
    assert child(
        LEAN
        + """
import asyncio, json, pathlib, falcon, falcon.asgi, falcon.testing
class Sync:
    def on_get(self, req, resp): resp.media = {"half": "wsgi"}
class Async:
    async def on_get(self, req, resp): resp.media = {"half": "asgi"}
found = []
for app, resource in ((falcon.App(), Sync()), (falcon.asgi.App(), Async())):
    app.add_route("/", resource)
    app.add_static_route("/files", pathlib.Path("/"))
    found.append(falcon.testing.TestClient(app).simulate_get("/").json["half"])
error = falcon.HTTPNotFound(title="x")._to_xml()
async def later(): return falcon.util.sync.asyncio is asyncio
print(json.dumps([*found, b"<title>x" in error, falcon.async_to_sync(later)]))"""
    ) == ["wsgi", "asgi", True, True]


def test_waitress_reads_dates_and_targets_as_ever() -> None:
    assert child(
        """
import sys
from bundlevisor.control.boot.stand_ins import for_api
for_api.import_waitress()
early = sorted({"logging", "calendar", "ipaddress", "traceback"} & set(sys.modules))
import json, urllib.parse
from waitress import utilities
date = utilities.parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")
utilities.logger.warning("said %s", 1)
print(json.dumps([early, date, urllib.parse.urlsplit("http://[::1]/a").hostname,
                  type(urllib.parse.ipaddress).__name__]))"""
    ) == [[], 784111777, "::1", "module"]


def test_a_module_that_is_loaded_already_is_not_stood_in_for() -> None:
    assert child(
        "import logging, asyncio, json\n"
        + LEAN
        + """
import falcon, pykka
same = [pykka._actor.logging is logging, falcon.util.sync.asyncio is asyncio]
print(json.dumps([*same, type(pykka._actor.logger).__name__]))"""
    ) == [True, True, "Logger"]


BESIDE = """
import json, threading
from importlib.machinery import PathFinder
class OnceBeside:
    "Runs lines on another thread when the import of a library has begun on this one."
    def find_spec(self, name, path=None, target=None):
        if name == library:
            spec = PathFinder.find_spec(name, path)
            self.run, spec.loader.exec_module = spec.loader.exec_module, self.exec_module
            return spec
    def exec_module(self, module):
        found["before"] = sorted(n for n in names if n in sys.modules)
        other = threading.Thread(target=self.use)
        other.start()
        other.join(60)
        self.run(module)
    def use(self):
        space = {}
        for line in lines:
            exec(line, space)
        found["kinds"] = [kind_of(space[name]) for name in kept]
def kind_of(value):
    return "type" if isinstance(value, type) else type(value).__name__
found = {}
threading.Thread(target=threading.Event().wait, daemon=True).start()  # as a runtime has some
"""


USES = {
    "falcon": (
        "pathlib",
        "Path",
        ["asyncio", "http.cookiejar", "pathlib", "xml.etree.ElementTree"],
    ),
    "waitress": ("logging", "Logger", ["calendar", "getopt", "logging", "platform", "traceback"]),
    "prometheus_client": ("ssl", "SSLContext", ["http.server", "socketserver", "ssl"]),
}


@pytest.mark.parametrize("library", USES)
def test_another_thread_gets_the_real_modules(library: str) -> None:
    module, attribute, names = USES[library]
    lines = [f"import {name} as m{n}" for n, name in enumerate(names)]
    lines += [f"from {module} import {attribute} as kind"]
    kept = [*(f"m{n}" for n in range(len(names))), "kind"]
    found = beside(library, names, lines, kept)
    assert found["kinds"] == ["module"] * len(names) + ["type"]


@pytest.mark.parametrize("library", USES)
def test_another_thread_finds_what_is_in_the_real_modules(library: str) -> None:
    """Also where it imports them in a way that no statement does."""
    module, attribute, _ = USES[library]
    lines = [f"import importlib; kind = importlib.import_module('{module}').{attribute}"]
    assert beside(library, [module], lines, ["kind"])["kinds"] == ["type"]


def beside(library: str, names: list[str], lines: list[str], kept: list[str]) -> Any:
    """Run the lines on another thread while the library is imported, and have it all checked."""
    found = child(
        FIRST
        + BESIDE
        + f"library, names, lines, kept = {library!r}, {names!r}, {lines!r}, {kept!r}"
        + f"""
from bundlevisor.control.boot.stand_ins import for_api
sys.meta_path.insert(0, OnceBeside())
for_api.import_{library.removesuffix("_client")}()
found["real"] = [sys.modules[name].__file__ is not None for name in names]
found["import"] = __import__.__name__
print(json.dumps(found))"""
    )
    assert found["before"] == sorted(names), "the library was imported without stand-ins"
    assert found["real"] == [True] * len(names)
    assert found["import"] == "__import__"
    return found
