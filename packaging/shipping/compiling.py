"""``compiling.py WANTED RESULT``: compiles a list of modules; runs in a process of its own.

WANTED is JSON, a list of [name, path of the source, name to show in traces]; RESULT becomes the
marshalled dictionary of name to marshalled code object. Nothing else is imported here than what the
compiler needs: what lives in the process shows in the marshalled bytes, as references.
"""

from __future__ import annotations

import json
import marshal
import sys


def main() -> None:
    """Compile everything, in the order given."""
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    result = {}
    for name, path, shown in wanted:
        with open(path, "rb") as source:
            code = compile(source.read(), shown, "exec", dont_inherit=True, optimize=2)
        result[name] = marshal.dumps(code)
    with open(sys.argv[2], "wb") as done:
        marshal.dump(result, done)


main()
