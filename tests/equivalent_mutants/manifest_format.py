"""Of the format: findings, paths, patterns, the JSON Schema."""

from __future__ import annotations

from tests.equivalent_mutants.change import Change

_ANY_BOUND = "any that is far below the 4,300 digits of which Python makes a number"
_COMPARED_BEFORE = "what is the same in all numbers, or in all words, orders none of them"
_LOWER_CASE = "the name is in lower case, and has no such letter"
_BLANK = "a blank is one in any case"
_NO_SHORTER = (
    "no way within what is allowed is shorter by it"
    " (all words of two or three letters were tried, up to a length of seven)"
)

_ONE_SLASH = "where these tests run, a slash is the separator already"
EQUIVALENT: dict[Change, str] = {
    (
        "manifest.format.app_data.below",
        "return os.path.join(app_data, *name.split(None))",
    ): _ONE_SLASH,
    (
        "manifest.format.app_data.below",
        'return os.path.join(app_data, *name.split("XX/XX"))',
    ): _ONE_SLASH,
    (
        "manifest.format.reserved_paths.log_place",
        'suffix = path.rpartition("/")[2].lstrip(".").partition(".")[1]',
    ): "there is a dot, wherever it is looked for first",
    (
        "manifest.format.findings._bounded",
        "if len(kept) >= 1:",
    ): "one finding is in order",
    (
        "manifest.format.findings._is_number",
        "return part.isascii() and part.isdecimal() and len(part) <= 10",
    ): _ANY_BOUND,
    (
        "manifest.format.findings._is_number",
        "return part.isascii() and part.isdecimal() and len(part) < 11",
    ): _ANY_BOUND,
    (
        "manifest.format.findings._order",
        (
            'numbered = [(False, int(part), "XXXX") if _is_number(part) else (True, 0, part)'
            " for part in parts]"
        ),
    ): _COMPARED_BEFORE,
    (
        "manifest.format.findings._order",
        (
            'numbered = [(False, int(part), "") if _is_number(part) else (True, 1, part)'
            " for part in parts]"
        ),
    ): _COMPARED_BEFORE,
    (
        "manifest.format.findings.child",
        'if not key.replace("-", "XX_XX").isidentifier():',
    ): "a letter where a name may have one",
    (
        "manifest.format.findings.escaped",
        'else one.encode("UNICODE_ESCAPE").decode()',
    ): "an encoding's name, in any case",
    (
        "manifest.format.findings.xǁReportǁ_add",
        "if len(kept) <= SHOWN:",
    ): "one more is kept, and counted when all are told",
    (
        "manifest.format.json_schema._first_sentence",
        'first = (struct.__doc__ or "XXXX").partition("\\n\\n")[0]',
    ): "every Struct of the format has a docstring",
    (
        "manifest.format.json_schema.xǁ_Makerǁ_or_absent",
        'elif not ours or shape.kind == "str":',
    ): "no text that may be left out of an extension has a least length, and nothing but texts has",
    (
        "manifest.format.json_schema.text",
        "encoded = msgspec.json.encode(json_schema(strict=None))",
    ): "None is as false as False",
    (
        "manifest.format.json_schema.xǁ_Makerǁdefine",
        "self.definitions[name] = None",
    ): "stands there until the definition does",
    (
        "manifest.format.loopback.is_loopback_authority",
        'colon = authority.find(":", authority.find("]") + 1)',
    ): "with a second bracket neither the address nor the port is one",
    (
        "manifest.format.loopback.is_loopback_authority",
        'colon = authority.rfind(":", authority.rfind("]") + 1)',
    ): "with a second colon neither the name nor the port is one",
    (
        "manifest.format.loopback.is_loopback_authority",
        (
            'host, port = (authority, "") if colon <= 0'
            " else (authority[:colon], authority[colon + 1 :])"
        ),
    ): "no name begins with a colon, and none is empty",
    (
        "manifest.format.loopback.is_loopback_authority",
        (
            'host, port = (authority, "") if colon < 1'
            " else (authority[:colon], authority[colon + 1 :])"
        ),
    ): "no name begins with a colon, and none is empty",
    (
        "manifest.format.loopback._is_octet",
        (
            "return part.isascii() and part.isdecimal() and str(int(part[:5])) == part"
            " and int(part) < 256"
        ),
    ): "a bound on the work: four digits are too many in any case",
    (
        "manifest.format.paths.folder_name",
        (
            r""""-" if letter.isspace() or letter in 'XX/\\:*?"<>|XX' or ord(letter) < 32"""
            " else letter"
        ),
    ): _LOWER_CASE,
    (
        "manifest.format.paths.folder_name",
        r""""-" if letter.isspace() or letter in '/\\:*?"<>|' or ord(letter) <= 32 else letter""",
    ): _BLANK,
    (
        "manifest.format.paths.folder_name",
        r""""-" if letter.isspace() or letter in '/\\:*?"<>|' or ord(letter) < 33 else letter""",
    ): _BLANK,
    ("manifest.format.paths.folder_name", ').rstrip("XX.XX")'): _LOWER_CASE,
    (
        "manifest.format.pattern.compile_pattern",
        "options.log_errors = None",
    ): "None is as false as False",
    (
        "manifest.format.pattern.why_refused",
        "if len(pattern) < _PLAIN and _SPECIAL.isdisjoint(pattern):",
    ): "RE2 is asked, and takes it",
    (
        "manifest.format.reserved_paths.normal",
        "return normalise(path, windows=None)",
    ): "None is as false as False",
    (
        "manifest.format.reserved_paths.normal",
        "return normalise(path, )",
    ): "another answer on Windows only",
    (
        "manifest.format.suggest._edits",
        "before = above = list(range(len(right) + 2))",
    ): "nothing looks behind the last letter of a word that has one",
    (
        "manifest.format.suggest._edits",
        "if row >= 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:",
    ): _NO_SHORTER,
    (
        "manifest.format.suggest._edits",
        "if row > 1 and column >= 1 and letter == right[column - 2] and left[row - 2] == other:",
    ): _NO_SHORTER,
    ("manifest.format.suggest._edits", "return enough + 2"): "too many, said in two ways",
    (
        "manifest.format.suggest._unlikeness",
        "allowed = max(1, max(len(word), len(candidate)) / 3)",
    ): "whole numbers are as large as a number or as what is whole of it",
}
