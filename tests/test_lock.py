"""The lock file names everything that the project asks for, each at exactly one version."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.checkout_venv import INSTALLER, named, requirements

ROOT = Path(__file__).parent.parent


def locked() -> list[tuple[str, str]]:
    pins = [line.partition(";")[0].strip().partition("==") for line in requirements()]
    return [(named(name), version) for name, _, version in pins]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {named(wish) for wish in asked} - {name for name, _ in locked()} == set()


def test_what_is_locked_needs_nothing_but_what_is_locked() -> None:
    """The lock is installed as it is, without looking for what it might need."""
    versions = dict(locked())
    here = [Requirement(line) for line in requirements()]
    wishes = [
        (one.name, Requirement(wish))
        for one in here
        if (one.marker is None or one.marker.evaluate()) and is_there(one.name)
        for wish in metadata.requires(one.name) or ()
    ]
    assert [
        f"{who} needs {wish}"
        for who, wish in wishes
        if (wish.marker is None or wish.marker.evaluate({"extra": ""}))
        and not wish.specifier.contains(versions.get(named(wish.name), ""), prereleases=True)
    ] == []


def is_there(name: str) -> bool:
    """Whether a distribution is installed, which what installs the others need not be."""
    return name != INSTALLER or any(metadata.distributions(name=name))


def test_every_lock_is_one_exact_version() -> None:
    names = [name for name, _ in locked()]
    assert len(names) == len(set(names))
    assert [name for name, version in locked() if not re.fullmatch(r"[\w.]+", version)] == []
