"""Debian's source packages: CPython and the two libraries that it needs, patched for security."""

from __future__ import annotations

import glob
import os
import shutil

from shipping.tools import CannotBuild, cached, cached_path, run

SUITE = "bookworm"
"""Debian 12 has CPython 3.11, which starts faster than its successors."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LINE = f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
PACKAGES = ("python3.11", "zlib", "libffi")


def sources() -> str:
    """Return a folder with the unpacked sources, one folder for each of :data:`PACKAGES`.

    Nothing of the system's own package lists is touched.
    """
    for tool in ("apt-get", "dpkg-source"):
        if shutil.which(tool) is None:
            raise CannotBuild(
                f"{tool} is not here, which fetches the source of CPython: build on Debian (apt-get"
                " install dpkg-dev), or give a relocatable CPython with --python DIR"
            )
    return cached("sources", LINE, *PACKAGES, make=_fetch)


def at_hand() -> str | None:
    """Return the folder with the sources if they were fetched before."""
    path = cached_path("sources", LINE, *PACKAGES)
    return path if os.path.isdir(path) else None


def version(folder: str, package: str) -> str:
    """Return the version of a source package, as Debian says it."""
    with open(os.path.join(folder, package, "debian", "changelog"), encoding="utf-8") as file:
        return file.readline().partition("(")[2].partition(")")[0]


def _fetch(folder: str) -> None:
    state = os.path.join(folder, "apt")
    for name in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(state, name))
    listing = os.path.join(state, "sources.list")
    with open(listing, "w", encoding="utf-8") as file:
        file.write(LINE)
    options = [
        f"Dir::Etc::sourcelist={listing}",
        "Dir::Etc::sourceparts=/dev/null",
        f"Dir::State::lists={state}/lists",
        f"Dir::Cache={state}/cache",
        "APT::Sandbox::User=root",
    ]
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    run(*apt, "update")
    run(*apt, "source", "--download-only", *PACKAGES, cwd=folder)
    for package in PACKAGES:
        (described,) = glob.glob(os.path.join(folder, f"{package}_*.dsc"))
        run("dpkg-source", "--extract", described, package, cwd=folder)
    shutil.rmtree(state)
