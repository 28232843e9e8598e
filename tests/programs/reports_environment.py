"""Records its environment, arguments and working directory, then serves."""

from __future__ import annotations

import os
import sys

from tests.programs.observed import record, serve, start


def main() -> None:
    start()
    record("environment", env=dict(os.environ), argv=sys.argv, cwd=os.getcwd())
    serve()
