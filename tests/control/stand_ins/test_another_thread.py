"""A library is imported while another thread imports the same modules for itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.stand_ins.fresh_interpreter import FIRST, child

BESIDE = """
import json, threading
from importlib.machinery import PathFinder
class OnceBeside:
    "Runs lines on another thread when the import of a library has begun on this one."
    def find_spec(self, name, path=None, target=None):
        if name == library:
            spec = PathFinder.find_spec(name, path)
            self.run, spec.loader.exec_module = spec.loader.exec_module, self.exec_module
            return spec
    def exec_module(self, module):
        found["before"] = sorted(n for n in names if n in sys.modules)
        other = threading.Thread(target=self.use)
        other.start()
        other.join(60)
        self.run(module)
    def use(self):
        space = {}
        for line in lines:
            exec(line, space)
        found["kinds"] = [kind_of(space[name]) for name in kept]
def kind_of(value):
    return "type" if isinstance(value, type) else type(value).__name__
found = {}
threading.Thread(target=threading.Event().wait, daemon=True).start()  # as a runtime has some
"""
USES = {
    "falcon": (
        "pathlib",
        "Path",
        ["asyncio", "http.cookiejar", "pathlib", "xml.etree.ElementTree"],
    ),
    "waitress": ("logging", "Logger", ["calendar", "getopt", "logging", "platform", "traceback"]),
    "prometheus_client": ("ssl", "SSLContext", ["http.server", "socketserver", "ssl"]),
}


@pytest.mark.parametrize("library", USES)
def test_another_thread_gets_the_real_modules(library: str) -> None:
    module, attribute, names = USES[library]
    lines = [f"import {name} as m{n}" for n, name in enumerate(names)]
    lines += [f"from {module} import {attribute} as kind"]
    kept = [*(f"m{n}" for n in range(len(names))), "kind"]
    found = beside(library, names, lines, kept)
    assert found["kinds"] == ["module"] * len(names) + ["type"]


@pytest.mark.parametrize("library", USES)
def test_another_thread_finds_what_is_in_the_real_modules(library: str) -> None:
    """Also where it imports them in a way that no statement does."""
    module, attribute, _ = USES[library]
    lines = [f"import importlib; kind = importlib.import_module('{module}').{attribute}"]
    assert beside(library, [module], lines, ["kind"])["kinds"] == ["type"]


def beside(library: str, names: list[str], lines: list[str], kept: list[str]) -> Any:
    """Run the lines on another thread while the library is imported, and have it all checked."""
    found = child(
        FIRST
        + BESIDE
        + f"library, names, lines, kept = {library!r}, {names!r}, {lines!r}, {kept!r}"
        + f"""
from bundlevisor.actors.stand_ins import for_api
sys.meta_path.insert(0, OnceBeside())
for_api.import_{library.removesuffix("_client")}()
found["real"] = [sys.modules[name].__file__ is not None for name in names]
found["import"] = __import__.__name__
print(json.dumps(found))"""
    )
    assert found["before"] == sorted(names), "the library was imported without stand-ins"
    assert found["real"] == [True] * len(names)
    assert found["import"] == "__import__"
    return found
