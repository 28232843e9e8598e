"""A service runs as the user that the runtime runs as, and cannot look into it all the same."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests import absent
from tests.bundle_maker import bundle, starting, wait_until
from tests.installed import COMMAND

pytestmark = absent.unless(
    sys.platform == "linux" and (os.geteuid() != 0 or shutil.which("setpriv")),
    "prctl(2), and setpriv for root, who has to lay the right down to look into everything",
)
LAID_DOWN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
CURIOUS = """#!/usr/bin/env python3
import os, sys, time
runtime = os.getppid()
children = open(f"/proc/{runtime}/task/{runtime}/children").read().split()
seen = []
for pid in (runtime, *children):
    if int(pid) == os.getpid():
        continue
    for name in ("environ", "mem", "maps", "fd/0"):
        path = f"/proc/{pid}/{name}"
        try:
            open(path, "rb").read(1)
            seen.append(path)
        except OSError:
            pass
open(f"/proc/{os.getpid()}/environ", "rb").read(1)
with open(sys.argv[-1] + ".new", "w") as file:
    file.write(f"{len(children)} {seen}")
os.rename(sys.argv[-1] + ".new", sys.argv[-1])
time.sleep(600)
"""


def test_a_service_reads_neither_memory_nor_environment_of_runtime_and_guardian(
    tmp_path: Path,
) -> None:
    told = tmp_path / "told"
    made = bundle(tmp_path).script("bin/curious", CURIOUS)
    made.service("curious", "bin/curious", ports=(), options={"told": told}).write()
    command = [*(LAID_DOWN if os.geteuid() == 0 else []), *COMMAND]
    with starting(made, env={"A_SECRET": "of the launcher"}, command=command) as run:
        wait_until(told.exists, what="what the service has seen")
        children, _, seen = told.read_text().partition(" ")
        assert int(children) >= 1, "it has not looked at the guardian"
        assert seen == "[]"
        run.kill(15)
        assert run.wait_gone() == 0
