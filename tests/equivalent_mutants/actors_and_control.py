"""Of the actors' core, and of what lets in, hides and shows."""

from __future__ import annotations

from tests.equivalent_mutants.change import Change

_BIG = "Python's own order of bytes is this one"
_CODEC = "names of codecs are the same in upper case"
_FROM_NONE = "a search from None begins where one from 0 does"
_AS_FALSE = "it is as false as what stood there, and nothing else is asked of it"
_NO_FIELD = "without the field it is no number, and not chunked, either way"
_THIRD_WORD = "what comes behind the number is not looked at"
_ORDER = "it is a set that knows its order: the values are not looked at"

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
        "actors.logs.last_line._uncoloured",
        'return SEQUENCE.sub("", text.decode("UTF-8", "replace"))',
    ): _CODEC,
    ("actors.logs.progress_lines.xǁProgressLinesǁ__init__", "self._skip = None"): _AS_FALSE,
    ("actors.logs.progress_lines.xǁProgressLinesǁfeed", "self._skip = None"): _AS_FALSE,
    ("actors.logs.progress_lines.xǁProgressLinesǁfeed", 'found = ""'): _AS_FALSE,
    (
        "actors.logs.progress_lines.xǁProgressLinesǁfeed",
        'self._skip, rest = True, b"XXXX"',
    ): "it is the beginning of what is skipped",
    ("actors.probes.http_verdict._status", 'words = line.split(b" ", )'): _THIRD_WORD,
    ("actors.probes.http_verdict._status", 'words = line.split(b" ", 3)'): _THIRD_WORD,
    (
        "actors.probes.http_verdict._value",
        'return rest.partition(b"\\r\\n")[0].strip() if (found) or True else b""',
    ): _NO_FIELD,
    (
        "actors.probes.http_verdict._value",
        'return rest.partition(b"\\r\\n")[0].strip() if found else b"XXXX"',
    ): _NO_FIELD,
    (
        "actors.probes.http_verdict.judge_response",
        'whole = b"XXXX" if code in NO_BODY else _whole_body(headers.lower(), body, ended=ended)',
    ): "a body that is no object says nothing",
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
        "actors.core.run_end.ports_lost",
        "return gone(life, None)",
    ): "only what is tried again needs a moment, and that has been ruled out two lines above",
    (
        "actors.core.progress._remaining",
        "return round(max(until.values()), 4)",
    ): "a sum of thousandths",
    (
        "actors.core.views.new_obstacles",
        "obstacle = _obstacle(tree, id_, lambda other: new.get(other, known.get(other, None)))",
    ): "no obstacle, said in two ways: it is only looked at whether there is one",
    (
        "actors.core.views.new_obstacles",
        "obstacle = _obstacle(tree, id_, lambda other: new.get(other, known.get(other, )))",
    ): "no obstacle, said in two ways: it is only looked at whether there is one",
    ("control.http.fair_turns.xǁFairTurnsǁhas_sent", 'self._fresh[one] = ""'): _ORDER,
    ("control.http.fair_turns.xǁFairTurnsǁdone", 'self._again[one] = ""'): _ORDER,
    (
        "actors.ui_server.server.connection_limit.xǁConnectionLimitǁenter",
        'self._over[guest] = ""',
    ): _ORDER,
    ("control.cli.explanation.way", 'found[name] = ""'): _ORDER,
    (
        "control.http.request_faults._fault_of_lengths",
        "lengths = [value.strip(None) for name, _, value in fields if name.lower() == LENGTH]",
    ): "a header has no other blanks than these: it is none otherwise",
    (
        "actors.ui_server.files.ranges.parse",
        'unit, equals, specs = header.rpartition("=")',
    ): "with a second '=' it is no range, whichever of them divides it",
    (
        "actors.ui_server.http.negotiate.media_quality",
        'for fitting in (media_type, media_type.rpartition("/")[0] + "/*", "*/*"):',
    ): "a media type has one slash",
}
