"""What is shipped: the names of packages and programs, in this one place."""

from __future__ import annotations

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = ("manifest", "actors", "control")
"""The import packages of the product; the benchmark kit is not shipped."""
ROLES = {
    "runtime": ("control.__main__", "main"),
    "runtimectl": ("control.__main__", "main"),
}
"""For each program in the folder, the module and function that it runs."""
LOCK = os.path.join(ROOT, "requirements-dev.txt")
PYPROJECT = os.path.join(ROOT, "pyproject.toml")


def version() -> str:
    """Return the product's version, from the file that says it."""
    import tomllib

    with open(PYPROJECT, "rb") as file:
        found = tomllib.load(file)["project"]["version"]
    assert isinstance(found, str)
    return found


def dependencies() -> list[str]:
    """Return the requirements of the product itself, without extras."""
    import tomllib

    with open(PYPROJECT, "rb") as file:
        found = tomllib.load(file)["project"]["dependencies"]
    return [str(one) for one in found]
