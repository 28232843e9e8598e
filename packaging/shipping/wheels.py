"""The libraries of the folder: wheels for the target, at the versions of the lock file."""

from __future__ import annotations

import os
import zipfile

from shipping import product
from shipping.targets import Target
from shipping.tools import cached, pip, run


def unpacked(target: Target, python: tuple[int, int]) -> str:
    """Return a folder with every library that the product needs, as in site-packages."""
    with open(product.LOCK, encoding="utf-8") as file:
        locked = file.read()
    wishes = product.dependencies()
    version = ".".join(map(str, python))

    def make(folder: str) -> None:
        downloads = os.path.join(folder, "wheels")
        tag = version.replace(".", "")
        abis = [word for abi in (f"cp{tag}", "abi3", "none") for word in ("--abi", abi)]
        places = [word for place in target.wheels for word in ("--platform", place)]
        run(
            *pip(),
            "download",
            "--only-binary=:all:",
            "--python-version",
            version,
            "--implementation",
            "cp",
            *abis,
            *places,
            "--constraint",
            product.LOCK,
            "--dest",
            downloads,
            *wishes,
        )
        for name in sorted(os.listdir(downloads)):
            with zipfile.ZipFile(os.path.join(downloads, name)) as wheel:
                wheel.extractall(os.path.join(folder, "site"))

    name = f"wheels-{target.name}-{version}"
    return os.path.join(cached(name, locked, *wishes, *target.wheels, make=make), "site")


def distributions(site: str) -> list[tuple[str, str, str]]:
    """Return (name, version, path of the .dist-info folder) of each library, sorted."""
    found = []
    for entry in sorted(os.listdir(site)):
        if entry.endswith(".dist-info"):
            name, _, version = entry.removesuffix(".dist-info").rpartition("-")
            found.append((name, version, os.path.join(site, entry)))
    return found
