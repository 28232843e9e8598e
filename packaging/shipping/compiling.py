"""``compiling.py WANTED RESULT``: compiles a list of modules; runs in a process of its own.

WANTED is JSON, a list of [name, path of the source, name to show in traces]; RESULT becomes the
marshalled dictionary of name to marshalled code object. Nothing else is imported here than what the
compiler needs: what lives in the process shows in the marshalled bytes, as references.

Docstrings are left out but those of the product's own classes: they describe the JSON Schema of a
bundle and the API.
"""

from __future__ import annotations

import ast
import json
import marshal
import sys

OWN = "bundlevisor."


def main() -> None:
    """Compile everything, in the order given."""
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    result = {}
    for name, path, shown in wanted:
        with open(path, "rb") as source:
            tree = ast.parse(source.read(), shown)
        if name.startswith(OWN):
            keep_what_describes_classes(tree)
        code = compile(tree, shown, "exec", dont_inherit=True, optimize=2)
        result[name] = marshal.dumps(code)
    with open(sys.argv[2], "wb") as done:
        marshal.dump(result, done)


def keep_what_describes_classes(tree: ast.Module) -> None:
    """Make of each class's docstring an assignment, which the compiler does not leave out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            (text, *_) = node.body
            assert isinstance(text, ast.Expr)
            kept = ast.Assign([ast.Name("__doc__", ast.Store())], text.value)
            node.body[0] = ast.fix_missing_locations(ast.copy_location(kept, text))


main()
