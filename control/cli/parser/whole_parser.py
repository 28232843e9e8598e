"""The whole command line in one parser: for completion and for pages, never to read words with.

``run`` is read without argparse (:mod:`bundlevisor.control.run.options`), since it stands on the
way to the first spawn; what it takes is told here a second time, and a test compares both.
"""

from __future__ import annotations

import argparse

from bundlevisor.control.cli.parser.arguments import parser
from bundlevisor.control.cli.parser.develop_arguments import add_bundle, add_verify


def whole() -> argparse.ArgumentParser:
    """Return every command with all that it takes, ``run`` first."""
    top = parser()
    (commands,) = (a for a in top._actions if isinstance(a, argparse._SubParsersAction))
    text = "start a bundle, watch it, restart what fails, stop it"
    run = commands.add_parser("run", help=text, description=text)
    add_bundle(run)
    add_verify(run)
    for word, meaning in (
        ("--dry-run", "control API and validation only: no service is started"),
        ("--keep-running", "live on when the process that started the runtime ends"),
        ("--watch", "restart services whose files have changed"),
    ):
        run.add_argument(word, action="store_true", help=meaning)
    commands._name_parser_map = dict(
        sorted(commands._name_parser_map.items(), key=lambda one: one[0] != "run")
    )
    commands.choices = commands._name_parser_map
    return top
