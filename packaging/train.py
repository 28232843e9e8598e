#!/usr/bin/env python3
"""Makes the profile anew by which CPython is optimised: ``train.py``, on linux-x64.

An interpreter that counts how often each of its branches is taken is built into a folder, and does
what users wait for: it starts and stops an application, again and again, and answers its API; and
once it does everything else that exercise.py can. What it counted is kept in the repository, so
that a build compiles CPython once and does not depend on a run. A function that a later CPython
has otherwise is compiled as if there were no profile: train again when Debian's version has moved
far, or the compiler's has.
"""

from __future__ import annotations

import argparse
import dataclasses
import lzma
import os
import shutil
import subprocess
import sys
import tempfile

from exercise import start_and_stop

from exercising.control_api import Api
from exercising.place import Place
from exercising.programs import running
from exercising.verdict import DEADLINE, Wrong, expect
from exercising.whole_bundle import make_bundle
from shipping import assembly, counters, cpython_build, profiling
from shipping.native import SOURCES
from shipping.targets import TARGETS
from shipping.tools import CannotBuild, run

TARGET = TARGETS["linux-x64"]
HERE = os.path.dirname(os.path.abspath(__file__))
STARTS = 12
ASKED = ("/healthz", "/readyz", "/status", "/ports", "/metrics", "/timeline", "/events?after=0")
ROUNDS = 40
"""How often each of these is asked: together about as much work as the starts are."""


def main() -> int:
    """Train; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--output", default=profiling.PROFILE, metavar="FILE")
    asked = parser.parse_args()
    tool = shutil.which("llvm-profdata")
    try:
        if tool is None:
            raise CannotBuild("llvm-profdata is not here, which packs the profile: install llvm")
        with tempfile.TemporaryDirectory() as work:
            counts = os.path.join(work, "counts")
            os.mkdir(counts)
            train(counting_folder(work, counts), work)
            text = os.path.join(work, "profile.txt")
            with open(text, "w", encoding="utf-8") as file:
                file.write(counters.text(counters.summed(counts)))
            run(tool, "merge", text, "-o", f"{work}/profile")
            with open(f"{work}/profile", "rb") as file, open(asked.output, "wb") as packed:
                packed.write(lzma.compress(file.read(), preset=9 | lzma.PRESET_EXTREME))
            print(f"{asked.output}: counted by {len(os.listdir(counts))} processes")
    except (CannotBuild, Wrong) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


def counting_folder(work: str, counts: str) -> str:
    """Build the folder whose processes write what they counted into a folder."""
    plain = cpython_build.build(TARGET, profiling.COUNTING)
    source = os.path.join(SOURCES, "counting.c")
    counting = dataclasses.replace(plain, link=(*plain.link, source, f'-DCOUNTS="{counts}"'))
    folder = os.path.join(work, "folder")
    assembly.build(TARGET, folder, python=None, interpreter=counting)
    return folder


def train(folder: str, work: str) -> None:
    """Let the folder do what it is optimised for."""
    program = os.path.join(HERE, "exercise.py")
    everything = [sys.executable, program, folder, "--work", os.path.join(work, "all")]
    if subprocess.run(everything, check=False).returncode != 0:
        raise CannotBuild("the counting folder does not do everything")
    place = Place(folder, os.path.join(work, "starts"), "", [])
    make_bundle(place, TARGET)
    for _ in range(STARTS):
        start_and_stop(place)
    words = ("run", "--manifest", place.manifest, "--app-data", place.app_data)
    with running(place, *words) as process:
        api = Api(place)
        expect(200, "readiness", api.get("/readyz?wait=40"))
        for path in ASKED * ROUNDS:
            expect(200, path, api.get(path))
        api.post("/shutdown", {})
        process.wait(DEADLINE)


if __name__ == "__main__":
    sys.exit(main())
