"""The file of bytecode of an installation: made by its first start, and heeded by the next."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import copied, install

LOADERS = """
import bundlevisor.control.run.console, pykka
for name in ("bundlevisor.control.run.console", "pykka"):
    print(name, type(sys.modules[name].__loader__).__name__)
"""


KEPT = """
from bundlevisor.control.run.given_up import Work
from bundlevisor.control.run import kept_modules
class Nobody:
    def hold_code(self, fd, index_at, machine_code): print("machine_code", len(machine_code) > 0)
kept_modules.keep(Nobody(), Work())
import bundlevisor.actors.guardian.heir, pickle
for name in ("bundlevisor.actors.guardian.heir", "pickle"):
    print(name, type(sys.modules[name].__loader__).__name__)
print("entries", len(code_file.Use.finder.entries))
"""


def loaders(installation: Path) -> dict[str, str]:
    """Return by which loader the command's modules come."""
    return said(installation, LOADERS)


def said(installation: Path, code: str) -> dict[str, str]:
    """Run code as the command is run, with the file in use; return its lines of two words."""
    launcher = (installation / "bin" / "bundlevisor").read_text()
    places = launcher.partition("import os\n")[2].partition("\nfrom bundlevisor.control")[0]
    use = "from bundlevisor.control.boot import code_file\ncode_file.use()\n"
    code = f"import os\n{places}\n{use}{code}"
    python = str(installation / "bin" / "python")
    words = [python, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.skipif(os.name == "nt", reason="a plain environment of POSIX")
def test_the_first_start_makes_it_and_a_change_of_a_source_is_heeded(tmp_path: Path) -> None:
    installation = install(tmp_path / "installation", copied)
    made = bundle(tmp_path).service("db").write()
    command = [str(installation / "bin" / "bundlevisor")]
    boot = next(installation.glob("lib/*/site-packages/bundlevisor/control/boot"))
    file = boot / "__pycache__" / f"start_code.{sys.implementation.cache_tag}.pyc"
    with starting(made, command=command) as run:
        run.await_listening()
        wait_until(file.exists, what="the file of bytecode")
    assert set(loaders(installation).values()) == {"CodeLoader"}
    assert compileall.compile_dir(boot, quiet=1)
    said(installation, "import bundlevisor.control.boot.start_code")
    assert set(loaders(installation).values()) == {"CodeLoader"}, "it is as it was"
    names = ("bundlevisor.actors.guardian.heir", "pickle")
    kept = {**dict.fromkeys(names, "KeptCode"), "machine_code": "True", "entries": "0"}
    assert said(installation, KEPT) == kept
    source = boot.parent / "run" / "console.py"
    text, then = source.read_text(), source.stat()
    source.write_text(text[:3] + text[3].swapcase() + text[4:])  # in the docstring
    os.utime(source, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert loaders(installation)["bundlevisor.control.run.console"] == "SourceFileLoader"
    assert loaders(installation)["pykka"] == "CodeLoader"
    first = file.stat().st_ino
    with starting(made, command=command) as run:
        run.await_listening()
        wait_until(lambda: file.stat().st_ino != first, what="a new file")
    assert set(loaders(installation).values()) == {"CodeLoader"}


@pytest.mark.skipif(os.name == "nt", reason="a plain environment of POSIX")
def test_where_nobody_may_write_beside_the_code_all_is_as_ever(tmp_path: Path) -> None:
    installation = install(tmp_path / "installation", copied)
    for folder in next(installation.glob("lib/*/site-packages")).rglob("boot"):
        (folder / "__pycache__").write_text("no folder")
    made = bundle(tmp_path).service("db").write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        run.await_listening()
        run.until_ready()
        run.post("/shutdown")
        assert run.wait_gone() == 0
        assert "error" not in run.stderr.lower()
