"""What one import statement, or the condition that it stands under, means."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from encodings import aliases, normalize_encoding

IMPORTS = b"__import__"
"""The function by which our own code imports what it has the name of."""


def base_of(node: ast.ImportFrom, package: str) -> str:
    """Return the module that a statement in this package names, of a relative one as well."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def named_in_calls(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported by ``__import__("name")``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == IMPORTS.decode():
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def codecs_in_calls(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of the codecs that calls name: ``encode("utf-16-le")``, ``encoding=``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        named = [one.value for one in node.keywords if one.arg == "encoding"]
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("encode", "decode"):
            named += node.args[:1]
        for one in named:
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                name = normalize_encoding(one.value.lower())
                yield f"encodings.{aliases.aliases.get(name, name)}"


def verdict_of(test: ast.expr, system: str) -> bool | None:
    """Return what a condition comes to; None where only a run can tell."""
    if isinstance(test, ast.BoolOp):
        decisive = isinstance(test.op, ast.Or)
        verdicts = {verdict_of(one, system) for one in test.values}
        undecided = None if None in verdicts else not decisive
        return decisive if decisive in verdicts else undecided
    text = ast.unparse(test)
    if text in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"):
        return False
    if text in SYSTEMS:
        return system == SYSTEMS[text]
    for subject, value in (("sys.platform", system), ("os.name", _os_name(system))):
        if text.startswith((f"{subject} == ", f"{subject} != ")):
            same = ast.unparse(test).split(" ", 2)[2].strip("'") == value
            return same if " == " in text else not same
    return None


SYSTEMS = {"WINDOWS": "win32", "MACOS": "darwin", "OSX": "darwin", "LINUX": "linux", "BSD": "bsd"}
"""What psutil calls the systems in its conditions."""


def _os_name(system: str) -> str:
    return "nt" if system == "win32" else "posix"
