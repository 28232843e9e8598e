"""``docs/cli.md``: what ``bundlevisor --help`` says, and every command with its options."""

from __future__ import annotations

import argparse

from bundlevisor.control.cli.parser.help_text import TOP
from bundlevisor.control.cli.parser.whole_parser import whole

Parser = argparse.ArgumentParser


def page() -> str:
    """Return the whole help, then each command."""
    parts = [f"## Everything at a glance\n\n```text\n{TOP.strip()}\n```"]
    return "\n\n".join([*parts, *(section(name, one) for name, one in commands(whole()))])


def commands(of: Parser, before: str = "") -> list[tuple[str, Parser]]:
    """Return every command that has no commands of its own, with its words."""
    found: list[tuple[str, Parser]] = []
    for action in of._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, command in action.choices.items():
            words = f"{before} {name}".strip()
            found += commands(command, words) or [(words, command)]
    return found


def section(name: str, command: Parser) -> str:
    """Return one command: what it is for, and a line for each option."""
    lines = [f"## `bundlevisor {name}`", "", command.description or ""]
    rows = [row(action) for action in command._actions if action.help != argparse.SUPPRESS]
    rows = [one for one in rows if one]
    if rows:
        lines += ["", "| argument | meaning |", "|---|---|", *rows]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def row(action: argparse.Action) -> str:
    """Return an argument's line of the table; nothing for ``--help``."""
    if isinstance(action, argparse._HelpAction):
        return ""
    long = [word for word in action.option_strings if word.startswith("--") or len(word) == 2]
    value = action.metavar or "" if action.nargs != 0 else ""
    if action.choices is not None:
        value = "|".join(map(str, action.choices))
    words = f"{', '.join(long)} {value}".strip() or str(action.dest).upper()
    needed = " (required)" if action.required and long else ""
    text = f"`{words}`{needed} | {action.help or ''}".replace("|", "\\|").replace(" \\| ", " | ", 1)
    return f"| {text} |"
