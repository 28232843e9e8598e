"""The licences of all that is in the folder: one file each, as they ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from shipping import product, wheels
from shipping.interpreter import Interpreter

WORDS = ("licen", "copying", "notice", "authors")


def collect(
    interpreter: Interpreter, site: str, more: Mapping[str, list[str]], folder: str
) -> None:
    """Write ``licences/`` into the folder: ours, the interpreter's, each library's, and more."""
    place = os.path.join(folder, "licences")
    os.makedirs(place)
    shutil.copyfile(os.path.join(product.ROOT, "LICENSE"), os.path.join(place, "bundlevisor.txt"))
    for name, path in interpreter.licences.items():
        _put(os.path.join(place, f"{name}.txt"), [path])
    for name, texts in more.items():
        _put(os.path.join(place, f"{name}.txt"), texts)
    for name, version, metadata in wheels.distributions(site):
        _put(os.path.join(place, f"{name}-{version}.txt"), _texts(metadata))


def _texts(metadata: str) -> list[str]:
    found = []
    for where, folders, files in os.walk(metadata):
        folders.sort()
        named = [name for name in sorted(files) if any(word in name.lower() for word in WORDS)]
        found += [os.path.join(where, name) for name in named]
    return found or [os.path.join(metadata, "METADATA")]


def _put(path: str, texts: list[str]) -> None:
    with open(path, "wb") as file:
        for text in texts:
            with open(text, "rb") as one:
                file.write(one.read().rstrip() + b"\n\n")
