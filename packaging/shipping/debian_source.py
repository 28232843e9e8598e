"""Debian's source packages: with the patches of its last point release, the same for everybody."""

from __future__ import annotations

import glob
import os
import shutil
from dataclasses import dataclass

from shipping.tools import CannotBuild, cached, cached_path, run

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class SourcePackages:
    """Source packages of one release of Debian."""

    suite: str
    names: tuple[str, ...]

    def fetched(self) -> str:
        """Return a folder with the unpacked sources, one folder for each package.

        Cached, and not looked for anew: whoever wants newer ones removes it (docs/shipping.md).
        Nothing of the system's own package lists is touched.
        """
        for tool in ("apt-get", "dpkg-source"):
            if shutil.which(tool) is None:
                raise CannotBuild(
                    f"{tool} is not here, which fetches the sources of {', '.join(self.names)}:"
                    " build on Debian (apt-get install dpkg-dev); for CPython a relocatable one can"
                    " be given with --python DIR"
                )
        return cached("sources", self._line, *self.names, make=self._fetch)

    def at_hand(self) -> str | None:
        """Return the folder with the sources if they were fetched before."""
        path = cached_path("sources", self._line, *self.names)
        return path if os.path.isdir(path) else None

    def versions(self, folder: str) -> list[str]:
        """Return the version of each package, as Debian says it."""
        return [version(folder, name) for name in self.names]

    @property
    def _line(self) -> str:
        return f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian {self.suite} main\n"

    def _fetch(self, folder: str) -> None:
        state = os.path.join(folder, "apt")
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(state, name))
        listing = os.path.join(state, "sources.list")
        with open(listing, "w", encoding="utf-8") as file:
            file.write(self._line)
        options = [
            f"Dir::Etc::sourcelist={listing}",
            "Dir::Etc::sourceparts=/dev/null",
            f"Dir::State::lists={state}/lists",
            f"Dir::Cache={state}/cache",
            "APT::Sandbox::User=root",
        ]
        apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
        run(*apt, "update")
        run(*apt, "source", "--download-only", *self.names, cwd=folder)
        for package in self.names:
            (described,) = glob.glob(os.path.join(folder, f"{package}_*.dsc"))
            run("dpkg-source", "--extract", described, package, cwd=folder)
        shutil.rmtree(state)


CPYTHON = SourcePackages("bookworm", ("python3.11", "zlib", "libffi"))
"""Debian 12 has CPython 3.11, which starts faster than its successors."""
RE2 = SourcePackages("trixie", ("re2", "abseil"))
"""The RE2 of Debian 13: that of Debian 12 does not know ``(?<name>…)``."""


def version(folder: str, package: str) -> str:
    """Return the version of a source package, as Debian says it."""
    with open(os.path.join(folder, package, "debian", "changelog"), encoding="utf-8") as file:
        return file.readline().partition("(")[2].partition(")")[0]
