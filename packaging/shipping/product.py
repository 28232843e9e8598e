"""What is shipped: the names of packages and programs, in this one place."""

from __future__ import annotations

import os
from typing import Any

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
    return [str(one) for one in _pyproject()["project"]["dependencies"]]


def data() -> dict[str, list[str]]:
    """Return the patterns of the files that packages read, by package; none for type checkers."""
    found = _pyproject()["tool"]["setuptools"]["package-data"]
    return {
        package: [pattern for pattern in patterns if pattern != "py.typed"]
        for package, patterns in found.items()
    }


def _pyproject() -> dict[str, Any]:
    import tomllib

    with open(PYPROJECT, "rb") as file:
        return tomllib.load(file)
