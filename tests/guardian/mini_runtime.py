"""A runtime in little: starts a guardian, then services, copies their output to their logs.

``python mini_runtime.py PLAN`` with a JSON plan; says on stdout what runs, one JSON line, and then
does what it is told on stdin: ``dismiss``, ``return``, ``raise``, ``forget ID``, ``fork``.

Like the installed launcher it does all that whenever it is imported: no child of it may do so.
"""

from __future__ import annotations

import sys

from bundlevisor.actors.guardian.link import Guardian


def main() -> None:
    instance = sys.argv[1]
    guardian = Guardian.start(instance)
    from tests.guardian import mini_runtime_body

    mini_runtime_body.live(instance, sys.argv[2], guardian)


main()
