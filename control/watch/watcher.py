"""``run --watch``: looks at the files of the services, and has the supervisor restart them.

On a thread of its own, from the moment that the control API answers.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pykka

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.messages import CommandRestart, Outcome
from bundlevisor.actors.core.snapshot import Phase, ServiceView, State
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.loop.wall_time import set_by
from bundlevisor.control.watch.differences import NAMED, details, differences
from bundlevisor.control.watch.file_states import MOST, PAUSE, SHARE, Look, TooMany, look
from bundlevisor.control.watch.restarts import (
    WITHIN_S,
    Busy,
    Settling,
    concerned,
    step,
    while_starting,
)
from bundlevisor.control.watch.watched import watched
from bundlevisor.manifest.format.paths import within
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph
from bundlevisor.manifest.read import load

ASK_S = 30.0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched, and who is told."""

    manifest: Manifest
    graph: Graph
    specs: Mapping[str, LaunchSpec]
    bundle: tuple[str, ...]
    """The absolute paths of ``bundle.json`` and its overlays."""
    bundle_root: str
    app_data: str
    board: Board
    supervisor: pykka.ActorRef[Any]
    emit: Callable[..., None]
    info: Callable[[str], object]
    warn: Callable[[str], object]
    fault: Callable[[str, BaseException], object]


class Watcher:
    """Begun once; ends with the process."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._of = watched(subject.specs)
        self._paths = {path for paths in self._of.values() for path in paths}
        self._too_large: frozenset[str] = frozenset()
        """Folders that are not looked at."""
        self._busy = Busy()

    def start(self) -> None:
        """Look from now on."""
        threading.Thread(target=self._live, name="watch", daemon=True).start()

    def _live(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001 - services live on without it
            self._subject.fault("watching files", error)

    def _watch(self) -> None:
        subject = self._subject
        seen = self._look({})
        subject.info(_begun(len(seen), self._of))
        state, pause = Settling(seen, seen), threading.Event()
        while subject.board.snapshot.phase is Phase.RUNNING:
            began = time.monotonic()
            state, files = step(state, self._look(state.last))
            took = time.monotonic() - began
            if files:
                self._act(files)
            pause.wait(max(PAUSE, SHARE * took))

    def _look(self, before: Look) -> Look:
        """Return what is there; a folder that is too large is looked at no longer."""
        while True:
            try:
                paths = [*self._paths, *self._subject.bundle]
                seen = look(paths, self._subject.app_data, before)
            except TooMany as error:
                self._paths.discard(error.folder)
                self._too_large |= {error.folder}
                self._subject.warn(
                    f"{self._shown(error.folder)} has over {MOST} files and is not watched; name"
                    " what counts in metadata.watch of its service"
                )
            else:
                return seen

    def _act(self, files: tuple[str, ...]) -> None:
        if any(file in self._subject.bundle for file in files):
            self._tell_bundle()
        too_large = self._too_large
        files = tuple(f for f in files if not any(within(f, path) for path in too_large))
        at_start = self._written_at_start(concerned(files, self._of))
        self._busy, passed = self._busy.passing_over(files, time.monotonic(), at_start)
        theirs = concerned([file for file in files if file not in passed], self._of)
        done: set[str] = set()
        for id_ in self._subject.graph.start_order:
            if id_ in theirs and id_ not in done:
                done |= self._restart(id_, theirs[id_])
        self._give_up(
            tuple(dict.fromkeys(file for some in theirs.values() for file in some)), at_start
        )

    def _written_at_start(self, theirs: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        """Return the files that changed while their service started: it may write them itself."""
        views = self._subject.board.snapshot.services
        found = set()
        for id_, files in theirs.items():
            for file in files:
                with contextlib.suppress(OSError):
                    if while_starting(os.stat(file).st_mtime - set_by(), views[id_]):
                        found.add(file)
        return frozenset(found)

    def _restart(self, id_: str, files: tuple[str, ...]) -> set[str]:
        """Have a service restarted; returns what is restarted now."""
        subject = self._subject
        if not _minds(subject.board.snapshot.services[id_]):
            return set()
        if any(path in files and not os.path.exists(path) for path in self._of[id_]):
            return set()  # it is being built: its coming is a change as well
        outcome = self._ask(id_)
        if outcome.conflict:
            subject.warn(f"{id_} is not restarted though its files changed: {outcome.conflict}")
            return set()
        shown = [self._shown(file) for file in files[:NAMED]]
        subject.emit(
            "files_changed", id_, files=shown, count=len(files), affected=list(outcome.affected)
        )
        return {id_, *outcome.affected}

    def _ask(self, id_: str) -> Outcome:
        try:
            answer = self._subject.supervisor.ask(CommandRestart(id_), timeout=ASK_S)
        except pykka.Timeout:
            answer = None
        if isinstance(answer, Outcome):
            return answer
        return Outcome(conflict="the supervisor did not answer")

    def _give_up(self, files: tuple[str, ...], at_start: frozenset[str]) -> None:
        self._busy, hopeless = self._busy.noted(files, time.monotonic(), at_start)
        if hopeless:
            names = ", ".join(self._shown(file) for file in hopeless)
            self._subject.warn(
                f"{names} changes again and again, perhaps by the service itself: it is passed over"
                f" until it has been left alone for {WITHIN_S:g} s; name what counts in"
                " metadata.watch of its service"
            )

    def _tell_bundle(self) -> None:
        """Say what a start would make of the changed bundle; nothing of it is taken over."""
        subject = self._subject
        path, *overlays = subject.bundle
        loaded = load.read(path, overlays=overlays)
        errors = [one.told(path) for one in loaded.findings.errors]
        places = () if loaded.manifest is None else differences(subject.manifest, loaded.manifest)
        subject.emit("bundle_changed", None, **details(places, errors))

    def _shown(self, path: str) -> str:
        """Return a path as a person knows it: from the bundle on, where it lies there."""
        root = self._subject.bundle_root
        try:
            relative = os.path.relpath(path, root)
        except ValueError:  # another drive
            return path
        return path if relative.startswith(os.pardir) else relative


def _minds(view: ServiceView) -> bool:
    """Whether a service is up, or ought to be: what was stopped, or nobody wants yet, is left."""
    idle = view.state in (State.INACTIVE, State.WAITING, State.STOPPED)
    return not (view.kept_down or idle or view.skipped)


def _begun(files: int, of: Mapping[str, tuple[str, ...]]) -> str:
    services = [id_ for id_, paths in of.items() if paths]
    return f"watching {files} files of the bundle and of {', '.join(services) or 'no service'}"
