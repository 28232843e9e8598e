"""What is shipped: the names of packages and programs, in this one place."""

from __future__ import annotations

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = "bundlevisor"
ROLES = {
    "runtime": ("bundlevisor.control.__main__", "main"),
    "runtimectl": ("bundlevisor.control.__main__", "main"),
}
"""For each program in the folder, the module and function that it runs."""
LOCK = os.path.join(ROOT, "requirements-dev.txt")
PYPROJECT = os.path.join(ROOT, "pyproject.toml")


def version() -> str:
    """Return the product's version, from the file that says it."""
    with open(os.path.join(ROOT, PACKAGE, "__init__.py"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("__version__ = "):
                return line.split('"')[1]
    raise ValueError(f"{PACKAGE}/__init__.py says no __version__")


def dependencies() -> list[str]:
    """Return the requirements of the product itself, without extras."""
    import tomllib

    with open(PYPROJECT, "rb") as file:
        found = tomllib.load(file)["project"]["dependencies"]
    return [str(one) for one in found]
