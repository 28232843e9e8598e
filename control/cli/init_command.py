"""``bundlevisor init``: a folder with a bundle that runs at once."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse

TOLD = {
    "bundle.json": "what runs, and in which order: this is shipped",
    "dev.json": "an overlay: what is different while you develop",
    "api": "keeps a count; its port is chosen by the runtime",
    "worker": "has the API count; shares a secret with it",
    "page": "served by the runtime, which passes /api on to the API",
    "README.md": "what to try",
}


def init(arguments: argparse.Namespace) -> int:
    """Write the files, and say what to type next."""
    from bundlevisor.actors.files.own_file import error_text
    from bundlevisor.control.develop.starter.new_bundle import LANGUAGES, files
    from bundlevisor.control.develop.starter.write import InTheWay, write

    folder = os.path.abspath(arguments.folder)
    name = os.path.basename(folder).strip() or "My app"
    if not name.isprintable():
        return complain(f"{name!r} is no name for an application", exit_codes.NO)
    try:
        write(folder, files(name, arguments.language))
    except InTheWay as there:
        sentence = f"there already: {there}; nothing was written. Name another folder"
        return complain(sentence, exit_codes.NO)
    except (OSError, UnicodeEncodeError) as error:
        reason = error_text(error) if isinstance(error, OSError) else "its name is no UTF-8"
        return complain(f"cannot write to {folder}: {reason}", exit_codes.NO)
    programs = LANGUAGES[arguments.language]
    print(f"{name} in {folder}\n")
    for path, meaning in TOLD.items():
        print(f"  {path.ljust(12)} {meaning}")
    print("\nnext:\n")
    if arguments.folder != ".":
        print(f"  cd {_typed(arguments.folder)}")
    print("  bundlevisor run --overlay dev.json --watch")
    interpreter = programs.ON_WINDOWS if sys.platform == "win32" else programs.INTERPRETER
    if shutil.which(interpreter) is None:
        sys.stdout.flush()
        complain(f"its programs need {interpreter}, which is not on PATH", exit_codes.OK)
    return exit_codes.OK


def _typed(path: str) -> str:
    """Return a path as a shell takes it."""
    if os.name == "nt":
        return f'"{path}"' if " " in path else path
    return shlex.quote(path)
