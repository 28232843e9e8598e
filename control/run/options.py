"""The command line of ``run``, read without argparse: it stands on the way to the first spawn.

Flags are written as the Go runtime's were (``-manifest F``, ``-dry-run=false``) or with two dashes.
Without a subcommand the command line means what it meant there: a dry run unless told otherwise.

Annotations are evaluated as they stand, as in :mod:`bundlevisor.manifest.format.schema`.
"""

import os
from collections.abc import Sequence
from typing import Literal

import msgspec

SWITCHES = frozenset({"dry-run", "keep-running", "watch"})
VALUED = frozenset({"manifest", "app-data", "bundle-root", "verify", "overlay"})

EMPTY_IN_GO = frozenset({"app-data", "bundle-root"})
"""What an empty value meant the default of in the Go runtime, whose command has no subcommand."""

DEVELOP = ("init", "config", "graph", "completion")
"""What helps to develop a bundle."""
IDS = ("services", "secrets")
"""What scripts of ``completion`` ask for, with the words that are typed so far."""

COMMANDS = (
    *("run", "status", "top", "health", "ready", "ports", "port", "logs"),
    *("events", "start", "stop", "restart", "exec"),
    *("shutdown", "secrets", "telemetry", "timeline", "dashboard", "explain", "support"),
    *("validate", *DEVELOP, "schema", "version", "help"),
)
"""Every command, as ``--help`` tells them."""

OTHERS = {"help": "help", "h": "help", "version": "version"}


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a bundle; an empty path means its default."""

    manifest: str = "bundle.json"
    app_data: str = ""
    """Default: the folder that the app's name gives, under the platform's user data."""
    bundle_root: str = ""
    """Default: the manifest's folder."""
    dry_run: bool = False
    """Only the control API and validation: no service is started, all are reported ready."""
    keep_running: bool = False
    """Live on when the process that started the runtime ends."""
    verify: Literal["cached", "full"] = "cached"
    """Whether assets that were verified before are trusted by size, time and inode."""
    overlay: tuple[str, ...] = ()
    """Files that change the bundle for this run, in their order."""
    watch: bool = False
    """Restart services whose files have changed."""

    @property
    def root(self) -> str:
        """The absolute folder of the bundle."""
        return os.path.abspath(self.bundle_root or os.path.dirname(os.path.abspath(self.manifest)))


class ClientCommand(msgspec.Struct, frozen=True):
    """Any other command: ``argv`` is for :mod:`bundlevisor.control.cli.dispatch`."""

    argv: tuple[str, ...]


class Misuse(msgspec.Struct, frozen=True):
    """A command line that means nothing, and why."""

    sentence: str


Parsed = RunOptions | ClientCommand | Misuse
Found = dict[str, str | bool | tuple[str, ...]]
"""The flags of a command line, by the names of the options."""


def parse(argv: Sequence[str]) -> Parsed:
    """Return what a command line (without the program's name) asks for."""
    first = argv[0] if argv else ""
    if first == "run":
        return _parse_run(argv[1:], dry_run=False)
    if first.startswith("-") or not argv:
        return _parse_run(argv, dry_run=True)
    return ClientCommand(tuple(argv))


def _parse_run(argv: Sequence[str], *, dry_run: bool) -> Parsed:
    found: Found = {"dry_run": dry_run}
    rest = list(argv)
    try:
        while rest:
            name, value = _take_flag(rest)
            if name in VALUED and not value and (not dry_run or name not in EMPTY_IN_GO):
                raise ValueError(empty(f"--{name}"))
            if name in OTHERS:
                return ClientCommand((OTHERS[name],))
            if name == "overlay":
                found[name] = (*_overlays(found), str(value))
            else:
                found[name.replace("-", "_")] = value
        return _checked(found)
    except ValueError as error:
        return Misuse(str(error))


def _take_flag(rest: list[str]) -> tuple[str, str | bool]:
    """Take a flag, and its value if it has one, from the front; ValueError for anything else."""
    word = rest.pop(0)
    if not word.startswith("-") or word.startswith("---"):
        raise ValueError(f"unexpected argument: {word}{_place(word)}")
    name, has_value, value = word.lstrip("-").partition("=")
    if name in SWITCHES:
        return name, _switched(name, value) if has_value else True
    if name not in VALUED and name not in OTHERS:
        raise ValueError(f"unknown flag: {word}{_hint(name)}")
    if name in VALUED and not has_value:
        if not rest:
            raise ValueError(f"--{name} needs a value")
        value = rest.pop(0)
    return name, value


def _switched(name: str, value: str) -> bool:
    from bundlevisor.manifest.format.flag import parse_bool

    said = parse_bool(value)
    if said is None:
        raise ValueError(f"--{name} is true or false, not {value or 'empty'}")
    return said


def empty(option: str) -> str:
    """Return what is said of an empty value: what a script had in mind for it was not set."""
    return f"{option} is empty; give it a value, or leave it out for its default"


def _place(word: str) -> str:
    """Return where a word was probably meant to stand."""
    if word in COMMANDS:
        return f" (flags stand behind the command: bundlevisor {word} --manifest FILE)"
    return f" (write --manifest {word})" if word.endswith(".json") else ""


def _hint(name: str) -> str:
    from bundlevisor.manifest.format.suggest import near

    found = near(name, sorted(SWITCHES | VALUED), 1)
    return f" (did you mean --{found[0]}?)" if found else ""


def _overlays(found: Found) -> tuple[str, ...]:
    before = found.get("overlay", ())
    return before if isinstance(before, tuple) else ()


def _checked(found: Found) -> RunOptions:
    if found.get("verify", "cached") not in ("cached", "full"):
        raise ValueError(f"--verify is cached or full, not {found['verify']}")
    return msgspec.convert(found, RunOptions)
