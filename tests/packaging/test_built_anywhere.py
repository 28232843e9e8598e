"""Where the builder has the checkout, the cache and the folder does not change what is built."""

from __future__ import annotations

import marshal
import os
import platform
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import absent
from tests.packaging.environment import ROOT

PACKED = 4
"""As packaging/shipping/finder.py has it."""
CACHED_PATH = """
import os, sys
sys.path.insert(0, sys.argv[1])
from shipping.tools import cache, cached_path, neutral_paths

profile = os.path.join(cache(), f"profile-{sys.argv[2]}", "cpython.profdata")
path = cached_path("cpython", f"-fprofile-use={profile}", neutral_paths())
print(os.path.relpath(path, cache()))
"""

BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from shipping import cpython_build, targets

cpython_build.build(targets.TARGETS["linux-x64"])
"""


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file, and of each module: those are packed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
    packed = (folder / "lib" / "modules.bin").read_bytes()
    start, length = (int.from_bytes(packed[at : at + 4], "little") for at in (12, 16))
    for name, (kind, place, size) in marshal.loads(packed[start : start + length]).items():
        if size:  # an extension module's entry is its path
            code = packed[place + 4 : place + 4 + size]
            yield name, zlib.decompress(code) if kind & PACKED else code


@absent.unless(
    sys.platform == "linux" and platform.machine() == "x86_64", "linux-x64, of which the folder is"
)
def test_nothing_in_the_folder_tells_where_it_was_built(
    built: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = (ROOT, caches / "bundlevisor", tmp_path_factory.getbasetemp().parent)
    found = dict(contents(built))
    assert {"lib/python", "runtime", "bundlevisor"} <= found.keys()
    told = [(n, place) for n in found for place in places if os.fsencode(place) in found[n]]
    assert told == []


def cached_path(cache: Path, profile: str) -> str:
    """Ask a builder of its own where in its cache it keeps an interpreter."""
    words = [sys.executable, "-c", CACHED_PATH, str(ROOT / "packaging"), profile]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        words, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def test_a_cache_in_whose_path_is_a_blank_is_refused_before_anything_is_fetched(
    tmp_path: Path,
) -> None:
    """CPython's configure takes none; of its failure nobody would guess that."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "my cache")}
    words = [sys.executable, "-c", BUILD, str(ROOT / "packaging")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert "CannotBuild: CPython cannot be built in" in done.stderr
    assert "set XDG_CACHE_HOME" in done.stderr
    assert os.listdir(tmp_path / "my cache" / "bundlevisor") == []


def test_a_cache_that_was_moved_knows_what_it_has(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there and longer"
    assert cached_path(here, "1") == cached_path(there, "1")
    assert cached_path(here, "1") != cached_path(here, "2")
