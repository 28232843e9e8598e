"""Which files a service is made of, as far as a bundle tells: pure, but for what is there.

These are its program, its assets and, for a program of the bundle, the folders that belong to this
service alone: its ``cwd``, that of the binary, and those of files that its arguments name. A change
in a folder that several services share says nothing about one of them. ``metadata.watch``, a list
of paths as seen from the bundle, takes the place of these folders. A page needs no restart: its
server reads the files at each request, and a server of the bundle's own (Vite) watches them itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.manifest.format.paths import PathRefused, resolve, within
from bundlevisor.manifest.format.schema import UI_BUNDLE
from bundlevisor.manifest.plan.command import spelled
from bundlevisor.manifest.plan.launch import is_outside, program_of, working_folder
from bundlevisor.manifest.plan.template import Scope, Unresolved

Watched = dict[str, tuple[str, ...]]
"""Files and folders of each service, absolute."""


def watched(specs: Mapping[str, LaunchSpec]) -> Watched:
    """Return what is looked at of each service that has a program."""
    programs = {id_: spec for id_, spec in specs.items() if not spec.page and spec.binary}
    named = {id_: _named(spec) for id_, spec in programs.items()}
    anchors = {id_: [*files, *_folders(programs[id_], files)] for id_, files in named.items()}
    found: Watched = {}
    for id_, spec in programs.items():
        chosen = _chosen(spec)
        if chosen is None:
            others = [path for other, paths in anchors.items() if other != id_ for path in paths]
            chosen = _own(_folders(spec, named[id_]), others, spec.site.bundle_root)
        found[id_] = tuple(dict.fromkeys([*named[id_], *_assets(spec), *chosen]))
    return found


def _named(spec: LaunchSpec) -> list[str]:
    """Return the program, and the files that its arguments name.

    Outside of the bundle these may as well be what it writes, but for an interpreter's script.
    """
    binary, root = spec.binary, spec.site.bundle_root
    assert binary is not None  # noqa: S101
    try:
        files = [spelled(program_of(binary, root), spec.site.environment)]
        folder = working_folder(binary, Scope(data=spec.site.app_data, bundle=root))
    except (PathRefused, Unresolved):
        return []
    words = (word.replace("${bundle}", root) for word in binary.args if not word.startswith("-"))
    paths = [os.path.normpath(os.path.join(folder, word)) for word in words]
    there = [path for path in paths if os.path.isfile(path)]
    script = there[:1] if is_outside(binary, binary.path) else []  # of an interpreter
    return files + [path for path in there if within(path, root) or path in script]


def _folders(spec: LaunchSpec, files: Iterable[str]) -> list[str]:
    """Return the folders that may be a service's own; none of a page's server."""
    if spec.service.type == UI_BUNDLE:
        return []
    root = spec.site.bundle_root
    folders = [os.path.dirname(file) for file in files if within(file, root)]
    if spec.binary is not None and spec.binary.cwd:
        try:
            folders.append(working_folder(spec.binary, Scope(data=spec.site.app_data, bundle=root)))
        except (PathRefused, Unresolved):
            return folders
    return folders


def _own(folders: Iterable[str], others: Iterable[str], root: str) -> list[str]:
    """Return the folders that are not the bundle's, nor hold anything of another service."""
    kept = list(others)
    return [
        folder
        for folder in dict.fromkeys(folders)
        if not within(root, folder) and not any(within(other, folder) for other in kept)
    ]


def _assets(spec: LaunchSpec) -> list[str]:
    if spec.service.type == UI_BUNDLE:
        return []
    found = []
    for asset in spec.service.assets:
        try:
            found.append(resolve(spec.site.bundle_root, asset.path))
        except PathRefused:
            continue
    return found


def _chosen(spec: LaunchSpec) -> list[str] | None:
    """Return what ``metadata.watch`` names; None where it says nothing."""
    paths = spec.service.metadata.get("watch")
    if isinstance(paths, str):
        paths = [paths]
    if not isinstance(paths, list):
        return None
    root = spec.site.bundle_root
    return [
        os.path.normpath(os.path.join(root, path.replace("\\", os.sep)))
        for path in paths
        if isinstance(path, str) and "\0" not in path
    ]
