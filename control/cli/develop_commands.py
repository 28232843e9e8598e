"""What helps to develop a bundle; each command returns an exit code, and starts nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.control.cli import json_output
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.queries import width
from bundlevisor.control.wire import exit_codes
from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    import argparse

    from bundlevisor.manifest.format.schema import Manifest
    from bundlevisor.manifest.read.load import Loaded


def config(arguments: argparse.Namespace) -> int:
    """Print what a start would start."""
    from bundlevisor.control.develop.preview import preview
    from bundlevisor.control.develop.preview_text import text
    from bundlevisor.control.run.options import RunOptions
    from bundlevisor.manifest.format.paths import PathRefused

    loaded = _read(arguments)
    if loaded is None or loaded.manifest is None:
        return exit_codes.USAGE
    known = [service.id for service in loaded.manifest.services]
    for id_ in arguments.services:
        if id_ not in known:
            sentence = f"there is no service '{id_}' in this bundle{hint(id_, known)}"
            return complain(f"{sentence}; it has {', '.join(known)}", exit_codes.NO)
    options = RunOptions(
        manifest=arguments.manifest,
        app_data=arguments.app_data,
        bundle_root=arguments.bundle_root,
        overlay=tuple(arguments.overlay),
    )
    try:
        made = preview(loaded, options, os.environ)
    except PathRefused as refused:
        return complain(str(refused), exit_codes.NO)
    only = tuple(arguments.services)
    if arguments.json:
        shown = tuple(one for one in made.services if not only or one.id in only)
        made = msgspec.structs.replace(made, services=shown)
        json_output.put(msgspec.json.format(json_text.encode(made), indent=2))
    else:
        print(json_text.visible(json_text.readable(text(made, only, width()))))
    return exit_codes.NO if any(one.problem for one in made.services) else exit_codes.OK


def graph(arguments: argparse.Namespace) -> int:
    """Print who needs whom."""
    from bundlevisor.control.develop import graph_text
    from bundlevisor.manifest.plan.graph import Graph

    loaded = _read(arguments)
    if loaded is None or loaded.manifest is None:
        return exit_codes.USAGE
    manifest: Manifest = loaded.manifest
    found = Graph.of(manifest)
    if arguments.mermaid:
        print(graph_text.mermaid(manifest, found))
    elif arguments.dot:
        print(graph_text.dot(manifest, found))
    else:
        branches = graph_text.Branches(sys.stdout.encoding)
        print(json_text.visible(graph_text.tree(manifest, found, branches, width())))
    return exit_codes.OK


def _read(arguments: argparse.Namespace) -> Loaded | None:
    """Return the bundle; what is wrong with it is said on stderr, and None where it is no use."""
    from bundlevisor.manifest.read import load

    loaded = load.read(arguments.manifest, overlays=arguments.overlay)
    for finding in loaded.findings.errors:
        complain(finding.told(arguments.manifest), exit_codes.USAGE)
    return loaded if loaded.findings.ok else None


def completion(arguments: argparse.Namespace) -> int:
    """Print the script for a shell."""
    from bundlevisor.control.cli import completion_command

    return completion_command.completion(arguments)


def init(arguments: argparse.Namespace) -> int:
    """Write a new bundle."""
    from bundlevisor.control.cli import init_command

    return init_command.init(arguments)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": init,
    "config": config,
    "graph": graph,
    "completion": completion,
}
