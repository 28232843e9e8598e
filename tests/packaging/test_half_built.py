"""What is costly to make is made by one builder, and a killed one leaves nothing for long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import wait_until
from tests.packaging import bare_root

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no folder can be locked there")
BUILDER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from shipping.tools import cached

def make(folder):
    if os.listdir(folder):
        sys.exit("it is not empty")
    with open(os.path.join(folder, "half"), "w") as file:
        file.write(str(os.getpid()))
    while not os.path.exists(sys.argv[3]):
        time.sleep(0.01)

print(cached(sys.argv[2], make=make))
"""


def builder(cache: Path, name: str, go: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", BUILDER, str(bare_root.ROOT / "packaging"), name, str(go)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)


def halves(cache: Path) -> list[Path]:
    return list(cache.glob("bundlevisor/*.part/half"))


@pytest.mark.parametrize("next_name", ["same", "other"])
def test_what_a_killed_builder_has_left_is_removed_by_the_next(
    tmp_path: Path, next_name: str
) -> None:
    go = tmp_path / "go"
    with builder(tmp_path, "same", go) as killed:
        wait_until(lambda: halves(tmp_path), what="a half-built folder")
        killed.kill()
    go.touch()
    with builder(tmp_path, next_name, go) as following:
        made = Path(following.communicate()[0].strip())
    assert (made / "half").read_text() == str(following.pid)
    assert list((tmp_path / "bundlevisor").iterdir()) == [made]


def test_two_builders_make_it_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with builder(tmp_path, "same", go) as first:
        wait_until(lambda: halves(tmp_path), what="a half-built folder")
        with builder(tmp_path, "same", go) as second, builder(tmp_path, "other", go) as other:
            wait_until(lambda: len(halves(tmp_path)) == 2, what="the other folder")
            go.touch()
            places = [one.communicate()[0].strip() for one in (first, second, other)]
    assert places[0] == places[1] != places[2]
    assert (Path(places[0]) / "half").read_text() == str(first.pid)
