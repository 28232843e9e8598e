"""The file of bytecode that a start imports from: made once, and never taken for other sources."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bundlevisor.actors.files import atomic
from bundlevisor.actors.guardian.code_collection import CodeCollection
from bundlevisor.actors.guardian.kept_code import PrivateStore, SharedStore
from bundlevisor.actors.guardian.kept_index import KeptIndex
from bundlevisor.control.boot import code_file
from bundlevisor.control.boot.code_file import CodeFinder, CodeLoader, external
from bundlevisor.control.run import code_gathering, needed_code
from bundlevisor.control.run.given_up import Work
from tests.waiting import wait_until


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A package with one module."""
    package = tmp_path / "parcel"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("VALUE = 1\n")
    return package


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of all that is needed later only one library, no finder of pytest's, no earlier use."""
    finders = [one for one in sys.meta_path if "pytest" not in type(one).__module__]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_file.Use, "before", frozenset())  # a test may have called main()
    monkeypatch.setattr(needed_code, "OWN", ("bundlevisor.manifest",))
    monkeypatch.setattr(needed_code, "collect", lambda found, _: found.add(["json"]))


class Nobody:
    """Removes nothing if we die."""

    def own(
        self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
    ) -> None:
        """Nothing to be done."""

    def disown(self, path: str) -> None:
        """Nothing to be done."""


def gathered(sources: Path, *names: str) -> Path:
    file = sources.parent / "file"
    with file.open("wb") as made:
        code_gathering.write(made.fileno(), names or ["parcel", "parcel.inner"])
    return file


def use_as_installed(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Have the file lie there, and our code come from sources: pytest has a loader of its own."""
    monkeypatch.setattr(code_file, "path", lambda: str(file))
    loader = external.SourceFileLoader(code_file.__name__, code_file.__file__)
    monkeypatch.setattr(code_file.__spec__, "loader", loader)


def value(finder: CodeFinder) -> int | None:
    """Return what the module says, if it is found."""
    spec = finder.find_spec("parcel.inner")
    if spec is None:
        return None
    assert isinstance(spec.loader, CodeLoader)
    names: dict[str, int] = {}
    code = spec.loader.get_code("parcel.inner")
    assert code is not None
    exec(code, names)
    return names["VALUE"]


def test_modules_are_found_as_python_finds_them(sources: Path) -> None:
    finder = CodeFinder(str(gathered(sources)))
    package = finder.find_spec("parcel")
    assert package is not None
    assert package.submodule_search_locations == [str(sources)]
    assert package.origin == str(sources / "__init__.py")
    assert value(finder) == 1
    assert finder.find_spec("parcel.other") is None


def test_a_package_that_is_being_removed_is_passed_over(sources: Path) -> None:
    (sources / "__init__.py").unlink()
    collection = CodeCollection(PrivateStore())
    collection.add(["parcel", "textwrap"])
    assert list(collection.entries) == ["textwrap"]


def same_size_and_time(source: Path) -> None:
    then = source.stat()
    source.write_text("VALUE = 2\n")
    os.utime(source, ns=(then.st_atime_ns, then.st_mtime_ns))


def same_time_under_its_name(source: Path) -> None:
    then, other = source.stat(), source.with_name("new")
    other.write_text("VALUE = 2\n")
    os.utime(other, ns=(then.st_atime_ns, then.st_mtime_ns))
    other.replace(source)


def is_older_than_now(source: Path) -> bool:
    """Whether a file written now bears another time: that goes on by some milliseconds at once."""
    now = source.with_name("now")
    now.write_text("")
    return now.stat().st_ctime_ns > source.stat().st_ctime_ns


@pytest.mark.parametrize(
    "change",
    [
        Path.unlink,
        Path.touch,
        lambda source: source.write_text("VALUE = 22\n"),
        pytest.param(same_size_and_time, marks=pytest.mark.skipif(os.name == "nt", reason="ctime")),
        pytest.param(
            same_time_under_its_name, marks=pytest.mark.skipif(os.name == "nt", reason="ctime")
        ),
    ],
)
def test_what_has_changed_is_not_taken_from_it(
    sources: Path, change: Callable[[Path], object]
) -> None:
    finder = CodeFinder(str(gathered(sources)))
    wait_until(lambda: is_older_than_now(sources / "inner.py"), what="another time of files")
    change(sources / "inner.py")
    assert value(finder) is None
    assert finder.find_spec("parcel") is not None


def test_it_is_of_no_use_where_modules_are_looked_for_elsewhere(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_as_installed(monkeypatch, gathered(sources))
    monkeypatch.setattr(code_file, "Use", type("Use", (), {"finder": None}))
    for places, used in (([str(sources), *sys.path], False), (sys.path, True)):
        monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
        monkeypatch.setattr(sys, "path", places)
        code_file.use()
        assert any(isinstance(one, CodeFinder) for one in sys.meta_path) is used


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_a_file_that_is_none_is_refused(sources: Path, content: bytes | None) -> None:
    file = gathered(sources)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20] if content is None else content)
    with pytest.raises((ValueError, EOFError, TypeError)):
        CodeFinder(str(file))


def test_code_that_is_none_is_had_from_the_source(sources: Path) -> None:
    file = gathered(sources)
    finder = CodeFinder(str(file))
    entry = finder.entry("parcel.inner")
    assert entry is not None
    *_, at, length = entry
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"\0" * length)
    assert value(finder) == 1


@pytest.mark.skipif(os.name == "nt", reason="an open file is not replaced there")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_descriptor_closed_behind_its_back(sources: Path, replaced: bool) -> None:
    """A guardian closes all that it inherits; what is in another file then is not for it."""
    file = gathered(sources)
    finder = CodeFinder(str(file))
    os.close(finder.fd)
    taken = os.open(os.devnull, os.O_RDONLY)  # the number is used again
    if replaced:
        file.unlink()
        gathered(sources)
    assert value(finder) == (None if replaced else 1)
    os.close(taken)


def test_what_starts_import_is_told_from_what_is_needed_later(sources: Path) -> None:
    finder = CodeFinder(str(gathered(sources)))
    assert {"parcel", "parcel.inner", "bundlevisor.manifest.plan.ports"} <= finder.entries.keys()
    assert finder.find_spec("json") is None
    others = finder.others()
    assert {"json", "json.decoder"} & others.keys() == {"json"}
    kept = KeptIndex(SharedStore(finder.fd), finder.kept_at)
    assert all(kept.get(name) for name in {*finder.entries, *others})
    origin, folders, at, length = kept.get("parcel.inner") or ("", None, 0, 0)
    assert (origin, folders) == (str(sources / "inner.py"), None)
    assert finder.code(at, length) == code_of(finder, "parcel.inner")
    assert (kept.get("parcel") or ("", None, 0, 0))[1] == [str(sources)]
    assert [kept.get(name) for name in ("inner", "parcel.inne", "arcel", "")] == [None] * 4


def code_of(finder: CodeFinder, name: str) -> bytes:
    entry = finder.entry(name)
    assert entry is not None
    return finder.code(*entry[3:])


def test_pip_removes_it_as_the_bytecode_of_a_module_that_is_installed() -> None:
    source = Path(code_file.__file__).with_name("start_code.py")
    assert source.is_file()
    assert code_file.path() == importlib.util.cache_from_source(str(source))


@pytest.mark.parametrize("first", ["", "the current folder"])
def test_none_is_made_for_the_folder_that_somebody_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    as_installed = external.SourceFileLoader(code_file.__name__, code_file.__file__)
    monkeypatch.setattr(code_file.__spec__, "loader", as_installed)
    monkeypatch.setattr(code_file, "path", lambda: str(tmp_path / "file"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(first and os.getcwd())
    assert code_gathering.gathered(Work(), Nobody()) is None
    assert not (tmp_path / "file").exists()


def test_machine_code_is_found_where_it_lies(sources: Path) -> None:
    name = msgspec._core.__name__
    finder = CodeFinder(str(gathered(sources, name)))
    found = finder.find_spec(name)
    assert found is not None
    assert found.origin == msgspec._core.__file__
    assert isinstance(found.loader, external.ExtensionFileLoader)


def test_what_a_killed_runtime_left_of_one_is_removed_by_a_start_that_needs_none(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = gathered(sources)
    use_as_installed(monkeypatch, file)
    monkeypatch.setattr(code_file.Use, "finder", CodeFinder(str(file)))
    monkeypatch.setattr(code_gathering, "is_whole", lambda *_: True)
    left, being_made = (file.with_name(f".file.{digit * 12}.new") for digit in "ab")
    for half in (left, being_made):
        half.write_bytes(b"half")
    os.utime(left, (0, 0))
    assert code_gathering.gathered(Work(), Nobody()) is code_file.Use.finder
    assert not left.exists()
    assert being_made.exists()


def test_the_one_in_use_is_closed_before_another_takes_its_place(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows replaces no file that is open; elsewhere it would keep its room on the disk."""
    file = gathered(sources)
    use_as_installed(monkeypatch, file)
    in_use = CodeFinder(str(file))
    descriptor = in_use.fd
    monkeypatch.setattr(code_file.Use, "finder", in_use)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(code_gathering, "is_whole", lambda *_: False)
    monkeypatch.setattr(code_gathering, "at_a_start", lambda: {"parcel", "parcel.inner"})

    def replacing(source: str, target: str) -> None:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
        os.replace(source, target)

    monkeypatch.setattr(atomic, "replace", replacing)
    assert code_gathering.gathered(Work(), Nobody()) is not None
    assert value(in_use) is None
    assert value(CodeFinder(str(file))) == 1


@pytest.mark.skipif(os.name == "nt", reason="what is open there cannot be removed")
def test_it_is_had_though_all_is_removed_the_moment_the_start_is_over(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sources.parent / "installed"
    folder.mkdir()
    use_as_installed(monkeypatch, folder / "file")
    monkeypatch.setattr(code_file.Use, "finder", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(code_gathering, "at_a_start", lambda: {"parcel", "parcel.inner"})

    def remove_all() -> None:
        shutil.rmtree(folder)
        shutil.rmtree(sources)

    found = code_gathering.gathered(Work(), Nobody(), be_over=remove_all)
    assert found is not None
    assert KeptIndex(SharedStore(found.fd), found.kept_at).get("parcel.inner") is not None
