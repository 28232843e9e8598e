"""Properties and remembered results as mutmut changes them: it passes over what is decorated."""

from __future__ import annotations

import ast

DECORATORS = ("property", "functools.cache", "functools.cached_property", "lru_cache")


def undecorated(source: str) -> str:
    """Return a module in which ``@property`` over ``def f`` is ``f = property(f)`` below it.

    So it is with all :data:`DECORATORS`, called or not, that stand alone over a function; the rest
    is as it was.
    """
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda node: node.lineno, reverse=True):
        words = [ast.unparse(decorator) for decorator in function.decorator_list]
        if len(words) == 1 and words[0].partition("(")[0] in DECORATORS and function.end_lineno:
            blanks, name = " " * function.col_offset, function.name
            lines.insert(function.end_lineno, f"{blanks}{name} = {words[0]}({name})\n")
            del lines[function.decorator_list[0].lineno - 1 : function.lineno - 1]
    return "".join(lines)
