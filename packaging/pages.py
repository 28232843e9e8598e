#!/usr/bin/env python3
"""Writes the pages of ``docs/`` that follow from the code; ``--check`` says which are stale.

Each page is made from one source: the Structs of the manifest, the codes of findings, the table of
the API's operations, the command line's parser, the catalogue of events. What stands before the
line ``<!-- generated -->`` of a page is written by hand and kept. The npm package's types
of the API are written with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from documentation import api, bundle, cli, events, findings, man, npm_types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MARK = "<!-- generated: change the code and run packaging/pages.py -->"
PAGES: dict[str, Callable[[], str]] = {
    "docs/bundle.md": bundle.page,
    "docs/findings.md": findings.page,
    "docs/api.md": api.page,
    "docs/cli.md": cli.page,
    "docs/events.md": events.page,
}
MODULES: dict[str, Callable[[], str]] = {
    "electron/lib/api.js": npm_types.module,
    "docs/bundlevisor.1": man.page,
}
"""What has no part that is written by hand."""


def main() -> int:
    """Write what is stale, or with ``--check`` only name it; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    check = parser.parse_args().check
    stale = [name for name in (*PAGES, *MODULES) if not is_fresh(name)]
    for name in stale:
        print(f"{name} is stale" if check else f"{name} is written")
        if not check:
            text = whole(name)
            with open(path(name), "w", encoding="utf-8") as file:
                file.write(text)
    return 1 if check and stale else 0


def is_fresh(name: str) -> bool:
    """Whether a page is what the code says now."""
    return read(name) == whole(name)


def whole(name: str) -> str:
    """Return a page: what is written by hand, then what is made; or a whole module."""
    if name in MODULES:
        return MODULES[name]()
    by_hand = read(name).partition(MARK)[0].rstrip()
    return f"{by_hand}\n\n{MARK}\n\n{PAGES[name]().strip()}\n"


def read(name: str) -> str:
    """Return a page as it is."""
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def path(name: str) -> str:
    """Return where a page lies."""
    return os.path.join(ROOT, name)


if __name__ == "__main__":
    sys.exit(main())
