"""The kernel's table of a runtime's descriptors: large before there are threads."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundle, running
from tests.hidden import MAY_LOOK

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux waits as it grows")


def test_it_need_not_grow_while_services_start(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("api").write()
    with running(made) as run:
        run.until_ready()
        status = Path(f"/proc/{run.pid}/status").read_text()
        size = re.search(r"FDSize:\s*(\d+)", status)
        assert size
        assert int(size[1]) >= 1024
        assert not MAY_LOOK or not Path(f"/proc/{run.pid}/fd/1023").exists()
