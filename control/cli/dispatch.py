"""The command line of everything but ``run``: who does what, and how it ends.

The exit codes are those of :mod:`bundlevisor.control.wire.exit_codes`. Answers go to stdout,
everything else to stderr in sentences.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, TextIO

import msgspec

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.control.cli.asking import ask, client_for, parsed
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.run.options import COMMANDS, DEVELOP, IDS, Misuse, RunOptions
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from bundlevisor.control.run.options import ClientCommand


def dispatch(wanted: ClientCommand | Misuse) -> int:
    """Do what a command line that is not ``run`` asks for; returns the exit code."""
    try:
        with _heard_interrupts():
            return _answer(wanted)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED


@contextlib.contextmanager
def _heard_interrupts() -> Iterator[None]:
    """Have Ctrl-C raise KeyboardInterrupt, where it would end the process before and after that."""
    quiet = signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    if quiet:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if quiet:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _answer(wanted: ClientCommand | Misuse) -> int:
    _stand_in_for_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a letter shows another
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(wanted)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has what it wants
        _forget_the_rest(sys.stdout)
        code = exit_codes.OK
    except OSError as error:  # `> file` on a full disk
        _forget_the_rest(sys.stdout)
        code = complain(what_failed(error), exit_codes.NO)
    try:
        sys.stderr.flush()
    except OSError:
        _forget_the_rest(sys.stderr)
    return code


def what_failed(error: OSError) -> str:
    """Say which file an error is about; one about none is about the answer, on its descriptor.

    Or about the folder that the command was started in, which somebody has removed.
    """
    if error.filename is not None:
        return error_text(error)
    if isinstance(error, FileNotFoundError):
        return "the folder that this command was started in has been removed; go to another one"
    return f"cannot write the answer: {error.strerror or error}"


def _stand_in_for_closed_streams() -> None:
    """Open the streams that Python has not, since ``>&-`` has closed them: nobody wants them.

    Their descriptors lead to nowhere by now (:mod:`bundlevisor.control.__main__`).
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)


def _forget_the_rest(stream: TextIO) -> None:
    """Let the interpreter's own end have somewhere to write what is still in the buffer."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _dispatch(wanted: ClientCommand | Misuse) -> int:
    if isinstance(wanted, Misuse):
        return _misuse(wanted.sentence)
    code = _without_parser(wanted.argv)
    if code is not None:
        return code
    argv = wanted.argv
    if argv[0] == "help":  # of one command
        argv = (*argv[1:], "--help")
    if argv[0] not in COMMANDS:
        from bundlevisor.manifest.format.suggest import hint

        known = ", ".join(COMMANDS)
        said = f"there is no command '{argv[0]}'{hint(argv[0], COMMANDS)}; there are {known}"
        return _misuse(said)
    return _run(argv)


def _without_parser(argv: tuple[str, ...]) -> int | None:
    """Do what needs no arguments of ours; None for everything else."""
    if argv[0] == "help" and argv[1:2] in ((), ("help",), ("run",)):  # the page begins with run
        from bundlevisor.control.cli.parser.help_text import TOP

        print(TOP, end="")
    elif argv == ("version",):
        from bundlevisor.control.wire import version

        print(version.runtime())
    elif argv[0] == "ctl":
        from bundlevisor.control.cli import runtimectl

        return runtimectl.main(argv[1:])
    elif argv[0] == "completion" and argv[1:2] and argv[1] in IDS:
        from bundlevisor.control.cli.completion_command import print_ids

        print_ids(argv[1], argv[2:])
    else:
        return None
    return exit_codes.OK


def _misuse(sentence: str) -> int:
    from bundlevisor.control.cli.parser.help_text import USAGE

    with contextlib.suppress(OSError):
        print(USAGE, file=sys.stderr)
    return complain(f"{sentence}; see bundlevisor --help", exit_codes.USAGE)


def _run(argv: tuple[str, ...]) -> int:
    from bundlevisor.control.cli.parser.arguments import misused, parser

    words: list[str] = []
    if argv[0] == "exec":
        from bundlevisor.control.cli.parser.develop_arguments import split_command

        argv, words = split_command(argv)
    made = parser()
    arguments = parsed(made, argv)
    if isinstance(arguments, int):
        return arguments
    if arguments.command == "exec":
        arguments.words += words
        if not arguments.words:
            return misused(made, "exec", "say what to run: bundlevisor exec ID -- COMMAND")
    alone = {"schema": _schema, "validate": _validate, "support": _support}
    if arguments.command in alone:
        return alone[arguments.command](arguments)
    if arguments.command in DEVELOP:
        from bundlevisor.control.cli import develop_commands

        return develop_commands.COMMANDS[arguments.command](arguments)
    return ask(arguments, lambda: client_for(arguments))


def _schema(arguments: argparse.Namespace) -> int:
    from bundlevisor.manifest.format.json_schema import text

    print(text(strict=arguments.strict), end="")
    return exit_codes.OK


def _support(arguments: argparse.Namespace) -> int:
    from bundlevisor.control.cli.find import ManifestUnusable
    from bundlevisor.control.cli.support_command import support

    try:
        return support(arguments)
    except ManifestUnusable as error:
        return complain(str(error), exit_codes.USAGE)


def _validate(arguments: argparse.Namespace) -> int:
    from bundlevisor.actors.validation import bundle
    from bundlevisor.control.cli.queries import output
    from bundlevisor.control.cli.screen import render
    from bundlevisor.control.wire.findings import shown

    root = RunOptions(manifest=arguments.manifest, bundle_root=arguments.bundle_root).root
    full = arguments.verify == "full"
    findings = bundle.look(
        arguments.manifest,
        root,
        arguments.app_data,
        full=full,
        overlays=arguments.overlay,
    )
    report = msgspec.to_builtins(shown(findings))
    output(arguments, report, lambda: render.validation(report))
    if not findings.ok:
        return exit_codes.USAGE
    return exit_codes.OK if report["valid"] else exit_codes.NO
