"""Makes the file of bytecode that the next start imports from (control/boot/code_file.py).

It is made beside a start, so that all is held when that is over, and finished at its end, because
only then is it known what a start imports, and from where. It takes what Python has compiled
already, which needs some 100 ms. To compile everything without docstrings (``-OO``) would take a
second of a core and gain 4 % of the next start's processor time.
"""

from __future__ import annotations

import marshal
import os
import sys
from typing import TYPE_CHECKING, Any

from bundlevisor.actors.files import atomic
from bundlevisor.actors.guardian.code_collection import CodeCollection, beginning, go_on
from bundlevisor.actors.guardian.in_the_making import in_the_making
from bundlevisor.control.boot import code_file, straight_import
from bundlevisor.control.boot.code_file import MACHINE_CODE, MODULE, PACKAGE, external
from bundlevisor.control.run import needed_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec

    from bundlevisor.actors.guardian.in_the_making import Owner
    from bundlevisor.actors.guardian.kept_index import Entry as Kept
    from bundlevisor.control.boot.code_file import CodeFinder, Entry, Place, Run, Stamp
    from bundlevisor.control.run.given_up import Work

ABANDONED_S = 60.0
"""Seconds without a write after which nobody makes a file any more. Who does pauses for a few,
while services are being launched, and for the end of the start."""


def gathered(
    work: Work,
    owner: Owner,
    give_way: Callable[[], object] = go_on,
    be_over: Callable[[], object] = go_on,
) -> CodeFinder | None:
    """Return the file in which all is that is imported at a start and later, as it is now.

    Where there is none it is made; None where it cannot be: no plain installation, nobody may write
    there, no bytecode is to be written, or modules are looked for in whatever folder somebody is in
    (``python -m bundlevisor``), which would be another one the next time.
    Raises GivenUp, and leaves nothing of it, when the runtime ends meanwhile; ``owner`` removes it
    if it dies.
    """
    spec: Any = code_file.__spec__
    if not isinstance(spec.loader, external.SourceFileLoader):
        return None
    path = code_file.path()
    atomic.remove_half_written(os.path.dirname(path), ABANDONED_S)  # by a runtime that was killed
    finder = code_file.Use.finder
    if finder is not None:
        be_over()
        if is_whole(finder, work.check):
            return finder

    return made(path, work, owner, give_way, be_over)


def made(
    path: str,
    work: Work,
    owner: Owner,
    give_way: Callable[[], object],
    be_over: Callable[[], object],
) -> CodeFinder | None:
    """Write the file anew, where that can be, and return it open; raises GivenUp."""

    def later() -> set[str]:
        be_over()
        return at_a_start()

    found = None
    try:
        if not sys.dont_write_bytecode and sys.path[0] not in ("", os.getcwd()):
            with (
                work,
                in_the_making(owner) as making,
                atomic.replacing(path, 0o644, making=making) as fd,
            ):
                write(fd, at_a_start(), give_way, later)
                if sys.platform != "win32":  # all that is needed, also if its folder goes just now
                    found = code_file.CodeFinder(path, os.dup(fd))
                if code_file.Use.finder is not None:
                    code_file.Use.finder.close()  # Windows replaces no file that is open
            found = found or code_file.CodeFinder(path)
    except (OSError, ValueError):  # nobody may write beside the code, or the disk is full
        return found
    return found


def is_whole(finder: CodeFinder, check: Callable[[], object] = go_on) -> bool:
    """Whether all that is to be in the file is in it, as it is now."""
    others = finder.others().values()
    if not all(check() or finder.entry(name) for name in finder.entries):
        return False
    if not all(check() or code_file.is_as_it_was(entry) for entry in others):
        return False
    return at_a_start() <= finder.entries.keys()


def at_a_start() -> set[str]:
    """Return what a start imports: what this one has, what earlier ones have, and all of ours."""
    found = {name for name, module in list(sys.modules.items()) if is_of_a_file(name, module)}
    finder = code_file.Use.finder
    if finder is not None:
        found |= set(filter(finder.entry, finder.entries))
    return found - code_file.Use.before - {code_file.NAMESAKE}


def is_of_a_file(name: str, module: object) -> bool:
    """Whether a module that is loaded has come from a file of its own, under its own name."""
    spec: Any = getattr(module, "__spec__", None)
    kinds = (external.SourceFileLoader, external.ExtensionFileLoader)
    if spec is None or spec.name != name or not isinstance(spec.loader, kinds):
        return False
    return bool(spec.origin) and os.path.isabs(spec.origin)


def write(
    fd: int,
    start: Iterable[str],
    check: Callable[[], object] = go_on,
    later: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Write the file: of these modules, which starts import, and of all that is needed later.

    ``check`` is called before each write, and may raise; ``later`` says what starts import, too, at
    the end.
    """
    content = Content(fd, check)
    collection = Gathering(content)
    collection.add(start)
    needed_code.collect(collection, frozenset())
    for package in needed_code.OWN:
        collection.add_package(package, {code_file.NAMESAKE})
    start = {*start, *later()}
    collection.add(start)
    entries = collection.described()
    first = {*start, *(name for name in entries if name.startswith(needed_code.OWN))}
    first -= code_file.Use.before
    others = {name: entry for name, entry in entries.items() if name not in first}
    others_at = content.put(others)
    kept_at = collection.finish()
    early = {name: marshal.dumps(entry) for name, entry in entries.items() if name in first}
    content.finish(content.put((sys.path, early, others_at, kept_at, runs())))


def runs() -> dict[str, Run]:
    """Return what the parts of this start have imported of ours, by their last modules.

    A module's place in ``sys.modules`` is where its import has ended: importlib puts it there.
    """
    ended = [name for name, module in list(sys.modules.items()) if is_of_a_file(name, module)]
    found: dict[str, Run] = {}
    for before, last in straight_import.PARTS:
        if before not in ended or last not in ended:
            return {}
        part = ended[ended.index(before) + 1 : ended.index(last) + 1]
        found[last] = tuple(name for name in part if name.startswith(needed_code.OWN))
    return found


class Content:
    """A file of bytecode in the making; a sink of CodeCollection.

    Nothing of it stays in memory: who gathers is a runtime that goes on for days.
    """

    def __init__(self, fd: int, check: Callable[[], object]) -> None:
        self._fd = fd
        self._check = check
        self._number = os.urandom(code_file.NUMBER)
        self._begins = of_the_namesake()  # now, while its source is there
        self._end = code_file.HEADER
        atomic.write_all(fd, bytes(code_file.HEADER))

    def write(self, data: bytes) -> int:
        """Put code at the end, behind the file's number; return where it was put."""
        self._check()
        atomic.write_all(self._fd, self._number + data)
        at = self._end + code_file.NUMBER
        self._end = at + len(data)
        return at

    def put(self, what: Any) -> Place:
        """Put an index at the end."""
        data = marshal.dumps(what)
        return self.write(data), len(data)

    def finish(self, index: Place) -> None:
        """Write the header: the file is whole."""
        place = b"".join(number.to_bytes(8, "little") for number in index)
        os.lseek(self._fd, 0, os.SEEK_SET)
        atomic.write_all(self._fd, self._begins + code_file.MAGIC + self._number + place)


def of_the_namesake() -> bytes:
    """Return what Python takes for the bytecode of the empty module whose name the file has."""
    source = code_file.namesake()
    nothing = go_on.__code__.replace(co_filename=os.path.basename(source))
    whole = beginning(os.stat(source)) + marshal.dumps(nothing)
    return whole.ljust(code_file.PYC, b"\0")


class Gathering(CodeCollection):
    """A collection that knows of what sources it is; one that changes meanwhile is left out."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self._stamps: dict[str, Stamp] = {}

    def described(self) -> dict[str, Entry]:
        """Return the entries as a start needs them."""
        found: dict[str, Entry] = {}
        for name, (source, folders, at, length) in self.entries.items():
            kind = MODULE if folders is None else PACKAGE
            found[name] = (kind if length else MACHINE_CODE, source, self._stamps[name], at, length)
        return found

    def _entry(self, spec: ModuleSpec) -> Kept:
        source = str(spec.origin)
        self._stamps[spec.name] = code_file.stamp(source)
        entry = super()._entry(spec)
        if code_file.stamp(source) != self._stamps[spec.name]:
            raise OSError(source)
        return entry
