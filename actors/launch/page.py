"""A ``ui-bundle`` without a program of its own: what is served, and which API stands behind it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

import msgspec

from bundlevisor.manifest.format.paths import EscapesRoot, PathRefused, resolve, within
from bundlevisor.manifest.format.schema import UI_BUNDLE, Binary, Service
from bundlevisor.manifest.plan.command import is_runnable, remedy, spelled
from bundlevisor.manifest.plan.launch import program_of

API_PORTS = ("api", "http")
"""The port names by which an API is known, the better one first."""


class Page(msgspec.Struct, frozen=True):
    """A folder to serve, and the file in it that answers ``/``."""

    root: str
    index: str = "index.html"

    def has_index(self) -> bool:
        """Whether its index is there to be served; raises EscapesRoot where it is a link that leads
        out of the folder, as no such file is ever opened.
        """
        path = os.path.join(self.root, self.index)
        if os.path.islink(path) and not within(os.path.realpath(path), os.path.realpath(self.root)):
            raise EscapesRoot(
                f"{self.index} leads out of {self.root} by a link; put the file itself there."
            )
        return os.path.isfile(path)

    def lack(self) -> str:
        """Say why there is nothing to serve, in a sentence; empty where the index is there.

        Raises EscapesRoot as :meth:`has_index` does.
        """
        if self.has_index():
            return ""
        if os.path.isfile(self.root):
            what = f"{self.root} is neither a page (a folder, or an .html file) nor executable"
            return f"{what}; if it is a program, {remedy(self.root)}"
        if os.path.isdir(self.root):
            return f"there is no {self.index} to serve in {self.root}; is the bundle complete?"
        return f"its page is not there: {self.root}; is the bundle complete?"


class PageGroup(msgspec.Struct, frozen=True):
    """The pages of a bundle that share one process."""

    ids: tuple[str, ...]
    grace_s: float
    """The longest of their graces."""
    needs: tuple[str, ...]
    """What they depend on, directly or not, but for one another."""


def page_group(
    services: Sequence[Service], pages: Collection[str], needs: Mapping[str, Collection[str]]
) -> PageGroup | None:
    """Return which of the pages share one process; None where it would serve less than two.

    ``needs`` says what each service depends on, directly or not. A page that a program needs ends
    after that program, and has a process of its own: the others would have to wait with it.
    """
    needed = {other for id_, others in needs.items() if id_ not in pages for other in others}
    sharing = [one for one in services if one.id in pages and one.id not in needed]
    if len(sharing) < 2:
        return None
    ids = tuple(one.id for one in sharing)
    below = {other for id_ in ids for other in needs[id_]}
    grace = max(one.stop.grace_s for one in sharing)
    return PageGroup(ids, grace, tuple(sorted(below.difference(ids))))


def page_of(service: Service, binary: Binary | None, bundle_root: str) -> Page | None:
    """Return what the runtime serves for a service; None when it is a program like any other.

    The binary's folder, the folder of its .html file, or the folder of the first asset. Raises
    PathRefused when that leads out of the bundle.
    """
    if service.type != UI_BUNDLE:
        return None
    if binary is not None and binary.path:
        path = program_of(binary, bundle_root)
        if path.lower().endswith((".html", ".htm")):  # Windows lets every file be run
            return Page(os.path.dirname(path), os.path.basename(path))
        if not os.path.isdir(path) and is_runnable(spelled(path, os.environ)):
            return None
        return Page(path)
    if not service.assets:
        return None
    first = resolve(bundle_root, service.assets[0].path)
    return Page(first if os.path.isdir(first) else os.path.dirname(first))


def upstream_of(service: Service, services: Sequence[Service]) -> tuple[str, str] | None:
    """Return service and port name of the API behind a page; None when there is none.

    A dependency with a port named ``api`` or ``http``, else the only service with one named
    ``api``.
    """
    by_id = {other.id: other for other in services}
    for name in API_PORTS:
        for id_ in service.dependencies:
            if id_ in by_id and name in _port_names(by_id[id_]):
                return id_, name
    apis = [
        other.id for other in services if other.id != service.id and "api" in _port_names(other)
    ]
    return (apis[0], "api") if len(apis) == 1 else None


def pages_by_api(services: Sequence[Service]) -> dict[str, list[str]]:
    """Return the pages behind which each API stands, by the API's id."""
    found: dict[str, list[str]] = {}
    for service in services:
        if service.type == UI_BUNDLE and (upstream := upstream_of(service, services)):
            found.setdefault(upstream[0], []).append(service.id)
    return found


def is_page(service: Service, binary: Binary | None, bundle_root: str) -> bool:
    """Whether the runtime serves the service itself; a path that leads out counts as one."""
    try:
        return page_of(service, binary, bundle_root) is not None
    except PathRefused:
        return True


def _port_names(service: Service) -> list[str]:
    return [request.name for request in service.port_requests]
