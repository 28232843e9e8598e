"""What is decided once is spelled once: the names of files and variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.manifest.format import app_data, variables
from tests.test_layers import KNOWN


def spelled(path: Path) -> Iterator[str]:
    """Yield every text of a program but its docstrings; of those with places, the parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


NAMES = {
    "bundlevisor.manifest.format.app_data": {
        *app_data.FILES,
        *(name.rpartition("/")[2] for name in app_data.FILES if "." in name or "_" in name),
        *(app_data.SNAPSHOTS, app_data.USUAL_TOKEN, app_data.USUAL_TELEMETRY),
        *(app_data.TIMES, app_data.RESTORING, app_data.BROKEN, *app_data.ROTATED[1:]),
    },
    "bundlevisor.manifest.format.variables": {
        value
        for name, value in vars(variables).items()
        if isinstance(value, str) and name.isupper()
    },
}
"""The module that says them, and what no other one may spell."""
ALLOWED = {
    ("bundlevisor.control.cli.support_command", "ports.json"),  # a file of the archive
    ("bundlevisor.control.cli.screen.render", "ipc_port"),  # a field of an answer
    ("bundlevisor.manifest.format.fields.bundle", app_data.USUAL_TOKEN),  # examples
    ("bundlevisor.manifest.format.fields.bundle", app_data.USUAL_TELEMETRY),
}


@pytest.mark.parametrize("source", NAMES)
def test_a_name_of_a_file_or_variable_is_spelled_in_one_module(source: str) -> None:
    assert {
        (name, text)
        for name, path in KNOWN.items()
        if name != source
        for text in spelled(path)
        if text.removeprefix("/") in NAMES[source]
    } - ALLOWED == set()
