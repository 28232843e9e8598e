"""``bundlevisor completion``: scripts for shells, and the ids that they offer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse

    from bundlevisor.manifest.format.schema import Manifest


HARMLESS = frozenset("._-/:")
"""What an id may hold, beside letters and digits, to be offered: to no shell do these mean more."""


def completion(arguments: argparse.Namespace) -> int:
    """Print the script of a shell."""
    from bundlevisor.control.cli.parser.whole_parser import whole
    from bundlevisor.control.develop.completion import bash, fish, powershell, zsh
    from bundlevisor.control.develop.completion.model import commands

    shells = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
    print(shells[arguments.shell].script(tuple(commands(whole()))), end="")
    return exit_codes.OK


def print_ids(kind: str, typed: Sequence[str]) -> None:
    """Print the ids of the bundle that a command line means so far, a line each; none on trouble.

    Of an instance that runs, its bundle with its overlays; nothing is asked over the network. What
    a shell could carry out is left out: bash does with a list of words, any with the line typed.
    """
    manifest = _manifest(typed)
    if manifest is not None:
        for one in manifest.services if kind == "services" else manifest.secrets:
            if all(letter.isalnum() or letter in HARMLESS for letter in one.id):
                print(one.id)


def _manifest(typed: Sequence[str]) -> Manifest | None:
    from bundlevisor.actors.files import instance
    from bundlevisor.manifest.read import load

    app_data, path, overlays = _given(typed)
    record = instance.peek(os.path.abspath(app_data)) if app_data else None
    if record is not None:
        return load.read(record.manifest, overlays=record.overlays).manifest
    return load.read(path, overlays=overlays).manifest


def _given(typed: Sequence[str]) -> tuple[str, str, list[str]]:
    """Return app-data, manifest and overlays as far as they are typed; ``=`` may be a word."""
    values: dict[str, list[str]] = {"app-data": [], "manifest": [], "overlay": []}
    words = [word for word in typed if word != "="]
    for place, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in values:
            following = words[place + 1] if place + 1 < len(words) else ""
            values[name].append(os.path.expanduser(value if equals else following))
    return (
        (values["app-data"] or [""])[-1],
        (values["manifest"] or ["bundle.json"])[-1],
        values["overlay"],
    )
