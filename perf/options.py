"""The command line that all questions share, and the bundle and contenders it names."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from bundlevisor.control.cli.parser.parser_base import seconds
from bundlevisor.perf import bundles, contender, page, programs, results
from bundlevisor.perf.bundles import Bundle
from bundlevisor.perf.contender import Contender


def positive(text: str) -> int:
    """Return a whole number from 1; ArgumentTypeError for anything else."""
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"not a whole number from 1: {text}")
    return int(text)


def count(text: str) -> int:
    """Return a whole number from 0; ArgumentTypeError for anything else."""
    return 0 if text == "0" else positive(text)


def span(text: str) -> float:
    """Return a number of seconds above 0; ArgumentTypeError for anything else."""
    found = seconds(text)
    if found == 0:
        raise argparse.ArgumentTypeError("0 s are too short to measure anything")
    return found


def size(text: str) -> int:
    """Return how many services a made bundle has; ArgumentTypeError for none or too many."""
    shape_name(f"independent{positive(text)}")
    return int(text)


def kept_result(path: str) -> results.Result:
    """Return kept values, before anything is measured; ArgumentTypeError where there are none."""
    try:
        return results.kept(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise argparse.ArgumentTypeError(f"{path} holds no kept values: {error}") from error


def new_file(path: str) -> str:
    """Return the path of a file that can be written; ArgumentTypeError where it cannot."""
    place = path if os.path.exists(path) else os.path.dirname(os.path.abspath(path))
    if path != "-" and (os.path.isdir(path) or not os.access(place, os.W_OK)):
        raise argparse.ArgumentTypeError(f"cannot write {path}")
    return path


def manifest(path: str) -> str:
    """Return the path of a bundle.json that can be read; ArgumentTypeError for any other."""
    try:
        bundles.existing(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"{path} is no bundle: {error!r}") from error
    return path


def command(text: str) -> str:
    """Return a runtime's command; ArgumentTypeError where its program does not exist."""
    try:
        program = contender.split(text)[0]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error
    except IndexError:
        raise argparse.ArgumentTypeError("the command is empty") from None
    if shutil.which(program) is None:
        raise argparse.ArgumentTypeError(f"there is no program {program}")
    return text


def shape_name(name: str) -> str:
    """Return the name of a shape; ArgumentTypeError for an unknown one."""
    try:
        bundles.shape(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name


def add_keeping(made: argparse.ArgumentParser, question: str) -> None:
    """Add where values are kept, how they are called, and what they are compared with."""

    def baseline(path: str) -> results.Result:
        kept = kept_result(path)
        if kept.question != question:
            raise argparse.ArgumentTypeError(f"{path} answers another question: {kept.question}")
        return kept

    made.add_argument("--label", default="", help="what these values are of, kept with them")
    made.add_argument(
        "--html", type=new_file, metavar="FILE", help="write a page that needs nothing beside it"
    )
    made.add_argument(
        "--json",
        nargs="?",
        const="-",
        type=new_file,
        metavar="FILE",
        help="keep the values (- or none: stdout)",
    )
    made.add_argument("--baseline", type=baseline, metavar="FILE", help="compare with kept values")


def parser_of_one(question: str, about: str | None, runs: int) -> argparse.ArgumentParser:
    """Return a parser for a question about one runtime, on bundles of the question's own."""
    made = argparse.ArgumentParser(prog=f"python -m bundlevisor.perf {question}", description=about)
    made.add_argument(
        "--runs", type=positive, default=runs, help="runs per contender (%(default)s)"
    )
    made.add_argument(
        "--runtime",
        type=command,
        metavar="COMMAND",
        help="runtime to measure, with {manifest} and {app_data} in it (the installed bundlevisor)",
    )
    made.add_argument("--form", choices=["command", "module"], default="command", help="of ours")
    return made


def parser(question: str, about: str | None, runs: int, shape: str) -> argparse.ArgumentParser:
    """Return a parser with the shared options and their defaults for this question."""
    made = parser_of_one(question, about, runs)
    made.add_argument("--bundle", type=manifest, metavar="FILE", help="measure on this bundle.json")
    made.add_argument(
        "--shape",
        type=lambda name: name if name == shape else shape_name(name),
        default=shape,
        help="or on a made one: chainN, fanN, layersN, independentN",
    )
    made.add_argument(
        "--against",
        type=command,
        metavar="COMMAND",
        action="append",
        default=[],
        help="another runtime, measured in turn with the first; may be repeated",
    )
    add_keeping(made, question)
    made.add_argument(
        "--python-services", action="store_true", help="do not use a C compiler for the services"
    )
    return made


def reference(options: argparse.Namespace) -> Contender:
    """Return the runtime to measure; exits with a sentence when ours is missing."""
    if options.runtime:
        return Contender(_name(options.runtime), options.runtime)
    try:
        return contender.installed(options.form)
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from error


def contenders(options: argparse.Namespace) -> list[Contender]:
    """Return the contenders, the reference first; exits with a sentence when ours is missing."""
    others = (Contender(_name(command), command) for command in options.against)
    found = [reference(options), *others]
    return [_numbered(one, found[:number]) for number, one in enumerate(found)]


def _numbered(one: Contender, earlier: list[Contender]) -> Contender:
    same = sum(other.name == one.name for other in earlier)
    return Contender(f"{one.name} ({same + 1})", one.command) if same else one


def _name(command: str) -> str:
    words = contender.split(command)
    words = [word for word in words if "{" not in word and not word.startswith("--")]
    return " ".join([os.path.basename(words[0]), *words[1:]])


@contextmanager
def bundle(
    options: argparse.Namespace, probe_ms: int = 500, pages: int = 0
) -> Iterator[tuple[Bundle, list[str]]]:
    """Yield the bundle to measure on, with sentences for the report's head."""
    if options.bundle:
        yield bundles.existing(options.bundle), ["spawns by the runtime's own word: not our bundle"]
        return
    with made(options.shape, options.python_services, probe_ms, pages) as (one, notes):
        yield one, notes


@contextmanager
def made(
    shape: str, python_services: bool = False, probe_ms: int = 500, pages: int = 0
) -> Iterator[tuple[Bundle, list[str]]]:
    """Yield a made bundle that is removed afterwards; exits with a sentence on a bad shape."""
    program = programs.find(native=not python_services)
    try:
        services = bundles.shape(shape)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="perf-bundle-") as folder:
        yield bundles.write(services, folder, program, probe_ms, pages), [program.described]


def take_turns(
    options: argparse.Namespace,
    contenders: Sequence[Contender],
    result: results.Result,
    measure: Callable[[Contender], results.Samples],
) -> None:
    """Measure each contender ``--runs`` times, in turns: A B A B …"""
    for _ in range(options.runs):
        for one in contenders:
            result.add(one.name, measure(one))


def finish(options: argparse.Namespace, result: results.Result) -> int:
    """Print the report (not where JSON or a page goes to stdout), keep the values, compare.

    Returns 0; 1 with a sentence where they cannot be kept.
    """
    result.label = options.label
    named = contenders(options) if "runtime" in options else []
    result.versions |= {one.name: one.version() for one in named if one.name in result.contenders}
    out = sys.stderr if "-" in (options.json, options.html) else sys.stdout
    print(results.render(result), file=out)
    if options.baseline:
        print("\n" + results.compare_with(options.baseline, result), file=out)
    try:
        if options.json:
            results.keep(result, options.json)
        if options.html:
            page.keep([options.baseline] * bool(options.baseline) + [result], options.html)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"the values cannot be kept: {error.strerror}", file=sys.stderr)
        return 1
    return 0
