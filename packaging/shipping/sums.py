"""``files.json``: what is in the folder, so that a copy can be checked and a build be compared."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from shipping import product, wheels
from shipping.interpreter import Interpreter
from shipping.targets import Target

NAME = "files.json"


def write(target: Target, interpreter: Interpreter, site: str, re2: str, folder: str) -> None:
    """Write the list of files, with size and SHA-256, and of what the folder was made.

    ``re2`` says where RE2 is from, if it is not the wheel's.
    """
    content = {
        "product": "bundlevisor",
        "version": product.version(),
        "target": target.name,
        "note": target.note,
        "interpreter": ".".join(map(str, interpreter.version)),
        "interpreter_origin": interpreter.origin,
        "re2_origin": re2,
        "libraries": {name: version for name, version, _ in wheels.distributions(site)},
        "files": {name: _described(os.path.join(folder, name)) for name in listed(folder)},
    }
    path = os.path.join(folder, NAME)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")
    os.chmod(path, 0o644)


def read(folder: str) -> dict[str, Any]:
    """Return what the list of a folder says; ValueError for another file of this name."""
    with open(os.path.join(folder, NAME), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    if not isinstance(found, dict) or not {"target", "files"} <= found.keys():
        raise ValueError(f"{NAME} is no list of ours")
    return found


def listed(folder: str) -> list[str]:
    """Return the files of a folder but the list itself, with ``/``, sorted."""
    found = []
    for where, _, files in os.walk(folder):
        inside = os.path.relpath(where, folder).replace(os.sep, "/")
        found += [name if inside == "." else f"{inside}/{name}" for name in files]
    return sorted(name for name in found if name != NAME)


def differences(folder: str) -> list[str]:
    """Return a sentence for each file that is not as the list says."""
    said = read(folder)["files"]
    there = listed(folder)
    wrong = [f"{name} is missing" for name in said if name not in there]
    wrong += [f"{name} is not in the list" for name in there if name not in said]
    return wrong + [
        f"{name} has other content"
        for name in there
        if name in said and _described(os.path.join(folder, name)) != said[name]
    ]


def _described(path: str) -> dict[str, object]:
    with open(path, "rb") as file:
        content = file.read()
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "executable": bool(os.stat(path).st_mode & 0o100),
    }
