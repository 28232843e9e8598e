"""Changes to the pure core that change nothing: no test can notice them, and why.

By the function (``room.module.function``) and the line as the change leaves it, without blanks
around it: mutmut's numbers would be others after the next commit.
"""

from __future__ import annotations

Change = tuple[str, str]

_LOOKED_FOR = "keys that stand twice are looked for where there can be none, and none is found"
_HIDDEN = "what hangs on a stand-in is not told (manifest.read.partial), whichever it is"
_ANY_BOUND = "any that is far below the 4,300 digits of which Python makes a number"
_COMPARED_BEFORE = "what is the same in all numbers, or in all words, orders none of them"
_LOWER_CASE = "the name is in lower case, and has no such letter"
_BLANK = "a blank is one in any case"
_NO_SHORTER = (
    "no way within what is allowed is shorter by it"
    " (all words of two or three letters were tried, up to a length of seven)"
)

_BIG = "Python's own order of bytes is this one"
_CODEC = "names of codecs are the same in upper case"
_FROM_NONE = "a search from None begins where one from 0 does"

EQUIVALENT: dict[Change, str] = {
    (
        "actors.logs.redact.xǁRedactorǁ__init__",
        "self._covered = int.from_bytes(saved[:COVERED], )",
    ): _BIG,
    (
        "actors.logs.redact.xǁRedactorǁsave",
        'return self._covered.to_bytes(COVERED, ) + self._held if self._held else b""',
    ): _BIG,
    (
        "actors.logs.redact.xǁRedactorǁadd",
        'self._may_begin = frozenset(b"XXXX".join(value[:-1] for value, _ in self._values))',
    ): "one letter more is looked at, and begins nothing",
    (
        "actors.logs.redact._overlap",
        "at = value.rfind(last, None, min(len(value) - 1, len(data)))",
    ): _FROM_NONE,
    ("actors.logs.redact._overlap", "at = value.rfind(last, None, at)"): _FROM_NONE,
    ("actors.logs.secret_forms._escaped", 'units = text.encode("UTF-16-BE")'): _CODEC,
    (
        "actors.logs.secret_forms._escaped",
        "numbers = (int.from_bytes(units[at : at + 2], ) for at in range(0, len(units), 2))",
    ): _BIG,
    (
        "actors.logs.secret_forms._of",
        'found += [form.encode("UTF-8") for text in texts for form in _in_json(text)]',
    ): _CODEC,
    (
        "actors.logs.secret_forms._of",
        'found = [text.encode("UTF-8", "surrogateescape") for text in texts]',
    ): _CODEC,
    (
        "control.wire.origin.is_loopback_origin",
        'scheme, separator, authority = origin.rpartition("://")',
    ): "with a second separator neither the scheme nor the host is one",
    (
        "control.http.places.who_goes",
        "spare = sum(one.trusted for one in idle) - most / 2",
    ): "a whole number is above a half when it is above what is whole of it",
    (
        "control.http.places.who_goes",
        "ranks[3].append(one)",
    ): "who is late has waited longer than whoever is within the grace",
    (
        "actors.ui_server.files.url_path.decode",
        'raw = raw_path.encode("UTF-8", "surrogateescape")',
    ): _CODEC,
    ("actors.ui_server.files.url_path.decode", 'return decoded.decode("UTF-8")'): _CODEC,
    (
        "control.support.masking._any_of",
        'urls = [quote(raw).encode(), quote(raw, safe="XXXX").encode()]',
    ): "letters are safe anyway",
    (
        "control.support.masking._any_of",
        'in_json = [form for _, form in forms({"XXXX": text})]',
    ): "the id of what has only one is not looked at",
    (
        "control.support.masking._any_of",
        'raw = text.encode("UTF-8", "surrogateescape")',
    ): _CODEC,
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
    (
        "actors.core.life.ports_lost",
        "return gone(life, None)",
    ): "only what is tried again needs a moment, and that has been ruled out two lines above",
    (
        "actors.core.progress._remaining",
        "return round(max(until.values()), 4)",
    ): "a sum of thousandths",
    (
        "actors.core.dependencies.new_obstacles",
        "obstacle = _obstacle(tree, id_, lambda other: new.get(other, known.get(other, None)))",
    ): "no obstacle, said in two ways: it is only looked at whether there is one",
    (
        "actors.core.dependencies.new_obstacles",
        "obstacle = _obstacle(tree, id_, lambda other: new.get(other, known.get(other, )))",
    ): "no obstacle, said in two ways: it is only looked at whether there is one",
    (
        "manifest.plan.template._braces",
        "stop = None",
    ): "a search from None begins where one from 0 does",
    (
        "manifest.plan.template.render",
        "end = None",
    ): "a slice from None begins where one from 0 does",
    (
        "manifest.plan.template.near_ports",
        'own = [f"{service}.{name}" for name in islice(ports.get(service, ()), None)]',
    ): "a bound on the work: three are told in the end",
    (
        "manifest.plan.template.near_ports",
        'own = [f"{service}.{name}" for name in islice(ports.get(service, ()), 4)]',
    ): "a bound on the work: three are told in the end",
    (
        "manifest.plan.graph.xǁGraphǁall_dependencies",
        "return self._reach(service_id, up=None)",
    ): "None is as false as False, and a key of its own in what is remembered",
    (
        "manifest.plan.assets.judge_size",
        "if size >= stated:",
    ): "the size that is stated has been let pass by the first line",
    (
        "manifest.plan.migrations._parts",
        '(False, int(part), "") if part.isascii() and part.isdecimal() else (True, 1, part)',
    ): "the number is compared where both are numbers only",
    (
        "manifest.plan.ports.choose",
        "never = frozenset(reserved) | ({control_port} if (control_port) or True else frozenset())",
    ): "no port is None",
    (
        "manifest.plan.ports.xǁ_Beyondǁfirst",
        "passed.append(None)",
    ): "the same choice, with more work",
    (
        "manifest.plan.ports.xǁ_Choiceǁplace",
        "self._used_up.add(None)",
    ): "the same choice, with so much work that a test of sixty thousand ports notices",
    (
        "manifest.plan.command.candidates",
        "if binary_folder or not os.path.isabs(word):",
    ): "the first place a second time, which is left out",
    (
        "manifest.plan.command.candidates",
        'folders = environ.get("PATH", "XXXX").split(";" if windows else ":")',
    ): "no folder that is not absolute is looked into",
    (
        "manifest.plan.command.on_path",
        'for folder in environ.get("PATH", "XXXX").split(os.pathsep)',
    ): "no folder that is not absolute is looked into",
    (
        "manifest.plan.command.on_path",
        "for name in with_suffixes(os.path.join(folder, word), None)",
    ): "looked at on Windows only",
    (
        "manifest.plan.template._braces",
        'while (start := text.find("${", stop)) >= 0 and (brace := text.find("}", start)) > 0:',
    ): "a brace stands behind the two letters that it closes",
    (
        "manifest.plan.template._braces",
        'while (start := text.find("${", stop)) >= 0 and (brace := text.find("}", start)) >= 1:',
    ): "a brace stands behind the two letters that it closes",
    (
        "manifest.plan.template._braces",
        'start = text.rfind("${", None, brace)',
    ): "the last one is not before the first",
    (
        "manifest.check.names._lengths",
        "if len(name) + len(value) >= SURELY_SHORT:",
    ): "what is surely short is measured, and found short",
    (
        "manifest.check.names._lengths",
        "if len(value) >= SURELY_SHORT:",
    ): "what is surely short is measured, and found short",
    (
        "manifest.plan.claims.claims_of",
        "ours += _of_log(None, service)",
    ): "where the service stands is told of a log that its field has chosen only",
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
