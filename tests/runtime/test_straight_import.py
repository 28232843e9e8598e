"""What a start imports in one go is what import statements would have made of it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.control.boot import code_file, straight_import
from bundlevisor.control.boot.code_file import CodeFinder, bootstrap
from bundlevisor.control.run import code_gathering, needed_code
from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import copied, install

PARTS = """
import json
from bundlevisor.actors.stand_ins import for_run
from bundlevisor.control.boot import code_file, early_socket, first_signals, folders
from bundlevisor.control.boot import straight_import
code_file.use()
folders.know_folders()
for_run.import_multiprocessing()
if {straight}:
    straight_import.import_part(straight_import.GUARDIAN)
came = ["bundlevisor.actors.guardian.roster" in sys.modules]
import bundlevisor.actors.guardian.link, bundlevisor.actors.process.table.own_process
for_run.import_for_opening()
if {straight}:
    straight_import.import_part(straight_import.OPENING)
came.append("bundlevisor.control.run.opening" in sys.modules)
import bundlevisor.control.run.options, bundlevisor.control.run.runtime
for_run.import_for_services()
if {straight}:
    straight_import.import_part(straight_import.SERVICES)
came.append("bundlevisor.actors.supervisor" in sys.modules)
import bundlevisor.control.run.assembly
finder = code_file.Use.finder
runs = [list(run) for run in finder.runs.values()]
loaded = [name for name in sys.modules if name.startswith("bundlevisor.")]
def described(name):
    module, spec = sys.modules[name], sys.modules[name].__spec__
    parent, _, last = name.rpartition(".")
    return [module.__name__, module.__file__, module.__package__, module.__cached__,
            type(module.__loader__).__name__, module.__loader__ is spec.loader, spec.origin,
            spec.has_location, spec.cached, spec.parent, spec.submodule_search_locations,
            getattr(spec, "_initializing", False), sorted(vars(module)), repr(module),
            getattr(sys.modules[parent], last) is module]
print(json.dumps([came, runs, loaded, {{name: described(name) for name in loaded}}]))
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command with a file of bytecode, which its first start has made."""
    folder = tmp_path_factory.mktemp("installed")
    made = install(folder / "installation", copied)
    one = bundle(folder).service("db").write()
    boot = next(made.glob("lib/*/site-packages/bundlevisor/control/boot"))
    file = boot / "__pycache__" / f"start_code.{sys.implementation.cache_tag}.pyc"
    with starting(one, command=[str(made / "bin" / "bundlevisor")]) as run:
        run.await_listening()
        wait_until(file.exists, what="the file of bytecode")
    return made


def child(installation: Path, *, straight: bool) -> Any:
    launcher = (installation / "bin" / "bundlevisor").read_text()
    places = launcher.partition("import os\n")[2].partition("\nfrom bundlevisor.control")[0]
    code = f"import os\n{places}\n{PARTS.format(straight=straight)}"
    words = [str(installation / "bin" / "python"), "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def plain(names: list[str]) -> list[str]:
    """Leave out what lies in a package with code: it comes when that is imported."""
    return [name for name in names if ".manifest.check" not in name]


@pytest.mark.skipif(os.name == "nt", reason="a plain environment of POSIX")
def test_a_start_s_modules_are_those_of_import_statements(installation: Path) -> None:
    nothing, runs, by_statements, as_ever = child(installation, straight=False)
    came, _, straight, made = child(installation, straight=True)
    assert (nothing, came) == ([False] * 3, [True] * 3)
    assert made == as_ever
    assert plain(straight) == plain(by_statements)  # a further file has the same order
    assert [len(run) > 10 for run in runs] == [True] * 3


@pytest.mark.skipif(os.name == "nt", reason="a plain environment of POSIX")
def test_what_has_changed_comes_from_its_source(installation: Path) -> None:
    name = "bundlevisor.control.run.console"
    source = next(installation.glob("lib/*/site-packages/bundlevisor/control/run/console.py"))
    text, then = source.read_text(), source.stat()
    source.write_text(f"{text}CHANGED = 1\n")
    os.utime(source, ns=(then.st_atime_ns, then.st_mtime_ns))
    try:
        *_, made = child(installation, straight=True)
    finally:
        source.write_text(text)
    assert made[name][4] == "SourceFileLoader"
    assert "CHANGED" in made[name][12]
    assert made["bundlevisor.control.run.opening"][4] == "CodeLoader"


@pytest.fixture
def parcel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A package that is loaded, with a module ``inner`` that is not."""
    folder = tmp_path / "parcel"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text("")
    finders = [one for one in sys.meta_path if "pytest" not in type(one).__module__]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_file.Use, "before", frozenset())
    monkeypatch.setattr(needed_code, "OWN", ())
    monkeypatch.setattr(needed_code, "collect", lambda *_: None)
    for name in ("parcel", "parcel.inner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("parcel")


def in_one_go(parcel: types.ModuleType, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import ``parcel.inner``, which has this source, as a part of a start."""
    folder = Path(str(parcel.__file__)).parent
    (folder / "inner.py").write_text(source)
    importlib.invalidate_caches()
    file = folder.parent / "file"
    with file.open("wb") as made:
        code_gathering.write(made.fileno(), ["parcel.inner"])
    finder = CodeFinder(str(file))
    finder.runs = {straight_import.PARTS[0][1]: ("parcel.inner",)}
    monkeypatch.setattr(code_file.Use, "finder", finder)
    straight_import.import_part(0)


def test_a_module_that_fails_is_not_there_and_says_why(
    parcel: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError):
        in_one_go(parcel, "1 / 0\n", monkeypatch)
    assert "parcel.inner" not in sys.modules
    assert not hasattr(parcel, "inner")


def test_a_file_of_a_version_with_other_parts_is_no_obstacle(
    parcel: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_one_go(parcel, "", monkeypatch)
    assert "parcel.inner" in sys.modules
    for which in range(1, len(straight_import.PARTS)):
        straight_import.import_part(which)


BLOCKING = """
import sys
sys.modules["parcel"].begun.set()
assert sys.modules["parcel"].may_go_on.wait(60)
VALUE = 1
"""


def test_who_imports_it_meanwhile_waits_for_it(
    parcel: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on, seen = threading.Event(), threading.Event(), list[object]()
    vars(parcel).update(begun=begun, may_go_on=may_go_on)
    one = threading.Thread(target=in_one_go, args=(parcel, BLOCKING, monkeypatch))
    other = threading.Thread(
        target=lambda: seen.append(getattr(importlib.import_module("parcel.inner"), "VALUE", None))
    )
    one.start()
    assert begun.wait(60)
    other.start()
    waits = lambda: bootstrap._blocking_on.get(other.ident) or not other.is_alive()  # noqa: E731
    wait_until(waits, what="the other thread to wait, or to go on")
    may_go_on.set()
    one.join(60)
    other.join(60)
    assert seen == [1]
