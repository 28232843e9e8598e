"""Of reading: syntax, fields, overlays."""

from __future__ import annotations

from tests.equivalent_mutants.change import Change

_LOOKED_FOR = "keys that stand twice are looked for where there can be none, and none is found"
_HIDDEN = "what hangs on a stand-in is not told (manifest.read.partial), whichever it is"

EQUIVALENT: dict[Change, str] = {
    (
        "manifest.read.origins._member",
        'return next((name for name in members if child("", name) == written), None)',
    ): "what is not there has been written by no overlay, by whatever name",
    (
        "manifest.read.overlay._outside",
        r'if not isinstance(text, str) or "XX\0XX" in text:',
    ): "the reader finds the NUL; only Python 3.11.0 to 3.11.4 would cut the path at it",
    ("manifest.read.collect.xǁ_Walkǁ_list", "return stand_in(shape, None)"): _HIDDEN,
    (
        "manifest.read.collect.stand_in",
        'return shape.choices[1] if shape.choices else path.removesuffix(".id")',
    ): _HIDDEN,
    (
        "manifest.read.collect.stand_in",
        'return {"dict": {}, "bool": True}.get(shape.kind, int(shape.low or 0))',
    ): _HIDDEN,
    (
        "manifest.read.partial._owner",
        'holder, inside, _ = path.rpartition("].")',
    ): "the first and the last of these are one: no secret has a list",
    ("manifest.read.overlay.merge", 'found = _repeated(source, None, "")'): _LOOKED_FOR,
    ("manifest.read.overlay._read", "return document, _repeated(source, None, path)"): _LOOKED_FOR,
    ("manifest.read.overlay._repeated", "if not may_repeat_keys(source, None):"): _LOOKED_FOR,
}
