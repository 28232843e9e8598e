"""What is kept for the time after a start is all that importing it asks for, on this Python."""

from __future__ import annotations

import importlib.util
import sys

from bundlevisor.actors.guardian.kept_modules import LIBRARIES
from bundlevisor.control.run.needed_code import WITHOUT, libraries
from tests.control.stand_ins.fresh_interpreter import START, child

OPTIONAL = {"_bz2", "_hashlib", "_lzma", "bz2", "lzma"}
"""Libraries ask whether they are there, and do without."""
FORKING = {"multiprocessing.popen_fork", "_posixshmem"}
"""The start has them where the guardian is forked."""
LOADED = "import json; print(json.dumps(sorted(name for name, it in sys.modules.items() if it)))"
IMPORT = """
import importlib, sys
for name in {names!r}:
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError):
        pass  # of another platform, or Python
"""


def test_what_kept_libraries_import_is_kept_too() -> None:
    both = {*libraries(), *LIBRARIES.split()}
    kept = {name for name in both if name.partition(".")[0] in sys.stdlib_module_names}
    wanted = set(child(IMPORT.format(names=sorted(kept)) + LOADED))
    there = set(child(START + LOADED)) | OPTIONAL | FORKING | kept
    packages = {name.rpartition(".")[0] for name in kept}
    assert {name for name in wanted - there - packages if not has_no_file(name)} == set()


def test_what_is_left_out_of_ours_is_there_to_be_left_out() -> None:
    ours = [name for name in WITHOUT if name.startswith("bundlevisor.")]
    assert [name for name in ours if importlib.util.find_spec(name) is None] == []


def has_no_file(name: str) -> bool:
    """Return whether a module is part of the interpreter, or made by another one."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # typing.io is made by typing
        return True
    return spec is None or spec.origin in (None, "built-in", "frozen")
