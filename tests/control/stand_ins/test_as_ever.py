"""Whoever needs what was stood in for finds the real thing, and it works."""

from __future__ import annotations

import sys

import pytest

from tests.control.stand_ins.fresh_interpreter import FIRST, LEAN, START, child


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
import pykka, pykka.messages, json, threading
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
from bundlevisor.actors.stand_ins import for_api
for_api.import_urls()
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
