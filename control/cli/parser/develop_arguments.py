"""The command line of what helps to develop a bundle."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]

SHELLS = ("bash", "zsh", "fish", "powershell")
BUNDLE = (
    ("--manifest", "bundle.json", "FILE", "the bundle (bundle.json)"),
    ("--bundle-root", "", "DIR", "where its files are (the manifest's folder)"),
    ("--app-data", "", "DIR", "where the application keeps its data (from the app's name)"),
)


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a bundle is named that need not run."""
    for name, default, metavar, text in BUNDLE:
        parser.add_argument(name, name[1:], default=default, metavar=metavar, help=text)
    parser.add_argument(
        "--overlay",
        "-overlay",
        action="append",
        default=[],
        metavar="FILE",
        help="a file that changes the bundle; may be given again",
    )


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which assets are read."""
    parser.add_argument(
        "--verify",
        choices=("cached", "full"),
        default="cached",
        help="assets that were verified before (cached)",
    )


def add(commands: Commands, which: argparse.ArgumentParser) -> None:
    """Add the commands; ``which`` has the options by which an instance is named."""
    _add_exec(commands, which)
    _add_init(commands)
    _add_config(commands)
    _add_completion(commands)
    _add_graph(commands)


def _add_exec(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "a command in the environment of a service: exec ID -- COMMAND…"
    execute = commands.add_parser("exec", help=text, description=text, parents=[which])
    execute.add_argument("service", metavar="ID")
    execute.add_argument(
        "words", metavar="COMMAND", nargs="*", help="and its arguments, behind --", default=[]
    )


def split_command(argv: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return what stands before the first ``--``, and the command behind it."""
    place = argv.index("--") if "--" in argv else len(argv)
    return tuple(argv[:place]), list(argv[place + 1 :])


def _add_init(commands: Commands) -> None:
    text = "a folder with a bundle that runs: page, API and worker"
    init = commands.add_parser("init", help=text, description=text)
    init.add_argument("folder", metavar="DIR", nargs="?", default=".", help="where (this folder)")
    init.add_argument(
        "--language", choices=("python", "node"), default="python", help="of API and worker"
    )


def _add_completion(commands: Commands) -> None:
    text = "the script by which a shell completes our command line"
    completion = commands.add_parser("completion", help=text, description=text)
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def _add_config(commands: Commands) -> None:
    text = "what would be started: commands, ports, environment, order"
    config = commands.add_parser("config", help=text, description=text)
    config.add_argument("services", metavar="ID", nargs="*", action="extend", default=[])
    add_bundle(config)
    config.add_argument("--json", action="store_true", help="all of it as JSON")


def _add_graph(commands: Commands) -> None:
    text = "which services need which"
    graph = commands.add_parser("graph", help=text, description=text)
    add_bundle(graph)
    kinds = graph.add_mutually_exclusive_group()
    kinds.add_argument("--mermaid", action="store_true", help="a flowchart for Mermaid")
    kinds.add_argument("--dot", action="store_true", help="a digraph for Graphviz")
