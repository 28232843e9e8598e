"""Regular expressions in Go's syntax (RE2), checked and translated with the standard library.

Authors wrote their patterns for Go: https://github.com/google/re2/wiki/Syntax. What RE2 has and
Python has not is translated; of what Python has and RE2 has not (look-around, back-references) the
author is told.
"""

from __future__ import annotations

LONGEST = 4_000
"""Characters; Go takes more, but nobody means it, and Python's compiler takes 10 ms for the largest
class of characters, which are eight of them."""

_SPECIAL = frozenset("\\()[]{}*+?|")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7F",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1F\\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_WORD = ("\\w", "\\W")
_UNICODE = {"L": ("[^\\W\\d_]", "[\\W\\d_]"), "N": ("\\d", "\\D")}
"""General categories that Python can express, and their opposites."""

_ONLY_PYTHON = ("(?=", "(?!", "(?<=", "(?<!", "(?P=", "(?>", "(?(")


def why_refused(pattern: str) -> tuple[str, bool]:
    """Return why a pattern is none (empty: it is one), and whether RE2 takes it as well."""
    if _SPECIAL.isdisjoint(pattern):
        return "", True
    if len(pattern) > LONGEST:
        return f"it is longer than {LONGEST} characters", True
    import re
    import warnings

    translated = _Translation(pattern, ignores_case=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(translated.text)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        return str(error) or "it nests too deeply", translated.portable
    return "", translated.portable


def to_python(pattern: str) -> str:
    """Return a pattern in RE2's syntax as one for :mod:`re` that matches the same texts.

    Only classes differ: ``\\d``, ``\\w`` and ``\\s`` know all of Unicode, and ``\\p{...}`` other
    than letters and numbers (and each one within brackets) is any letter, digit or underscore.
    """
    return _Translation(pattern).text


class _Translation:
    """One pass over a pattern. Flags in the middle hold to the end of their group."""

    def __init__(self, pattern: str, *, ignores_case: bool = True) -> None:
        """``ignores_case`` False leaves that flag out: no pattern is right or wrong by it, and
        Python's compiler takes four times as long with it.
        """
        self.portable = True
        self._unwanted = "U" if ignores_case else "Ui"
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []
        self._own: list[str] = [""]
        """For each open group the flags that it began with: ``(?m:``."""
        self._later: list[list[str]] = [[]]
        """For each open group the flags that were set in it: ``(?m)``."""
        while self._at < len(pattern):
            self._step()
        self._close_flags()
        self.text = "".join(self._out)

    def _step(self) -> None:
        letter = self._pattern[self._at]
        if letter == "\\":
            self._escape(in_class=False)
        elif letter == "[":
            self._class()
        elif letter == "(":
            self._group()
        elif letter == ")":
            self._end_group()
        elif letter == "|":
            self._alternative()
        elif letter == "$":
            self._emit("$" if self._multiline else "\\Z", 1)
        else:
            self._emit(letter, 1)

    def _emit(self, text: str, length: int) -> None:
        self._out.append(text)
        self._at += length

    def _ahead(self, start: str) -> bool:
        return self._pattern.startswith(start, self._at)

    @property
    def _multiline(self) -> bool:
        levels = zip(self._own, self._later, strict=True)
        for flags in reversed([flags for own, later in levels for flags in (own, *later)]):
            on, _, off = flags.partition("-")
            if "m" in on or "m" in off:
                return "m" in on
        return False

    def _open(self, text: str, length: int, flags: str = "") -> None:
        self._own.append(flags)
        self._later.append([])
        self._emit(text, length)

    def _group(self) -> None:
        if any(self._ahead(start) for start in _ONLY_PYTHON):
            self.portable = False
        elif self._ahead("(?<"):
            self._open("(?P<", 3)
            return
        elif self._ahead("(?") and not self._ahead("(?P"):
            self._flags()
            return
        self._open("(", 1)

    def _flags(self) -> None:
        """Translate ``(?i)`` and ``(?i:``. RE2's U swaps greediness: no matter for a search."""
        end = self._at + 2
        while end < len(self._pattern) and self._pattern[end] in "imsU-":
            end += 1
        written = self._pattern[self._at + 2 : end]
        flags = "".join(one for one in written if one not in self._unwanted).removesuffix("-")
        closing = self._pattern[end : end + 1]
        length = end + 1 - self._at
        if closing == ")":
            self._later[-1].append(flags)
            self._emit(f"(?{flags}:", length)
        elif closing == ":":
            self._open(f"(?{flags}:", length, flags)
        else:
            self.portable = False
            self._open("(", 1)

    def _end_group(self) -> None:
        self._close_flags()
        if len(self._own) > 1:
            self._own.pop()
            self._later.pop()
        self._emit(")", 1)

    def _close_flags(self) -> None:
        self._out.append(")" * len(self._later[-1]))

    def _alternative(self) -> None:
        self._close_flags()
        self._emit("|", 1)
        self._out.extend(f"(?{flags}:" for flags in self._later[-1])

    def _class(self) -> None:
        self._emit("[", 1)
        if self._ahead("^"):
            self._emit("^", 1)
        if self._ahead("]"):
            self._emit("\\]", 1)
        while self._at < len(self._pattern) and not self._ahead("]"):
            self._class_item()
        if self._ahead("]"):
            self._emit("]", 1)

    def _class_item(self) -> None:
        if self._ahead("\\"):
            self._escape(in_class=True)
            return
        if self._ahead("[:"):
            end = self._pattern.find(":]", self._at)
            members = _CLASSES.get(self._pattern[self._at + 2 : end]) if end > 0 else None
            if members:
                self._emit(members, end + 2 - self._at)
                return
        self._emit(
            f"\\{self._pattern[self._at]}"
            if self._pattern[self._at] in "[&~|"
            else self._pattern[self._at],
            1,
        )

    def _escape(self, *, in_class: bool) -> None:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter == "z" and not in_class:
            self._emit("\\Z", 2)
        elif letter == "C" and not in_class:
            self._emit("(?s:.)", 2)
        elif letter == "Q":
            self._quotation()
        elif letter in ("p", "P"):
            self._unicode_class(letter, in_class=in_class)
        elif self._ahead("\\x{"):
            self._code_point()
        else:
            if "1" <= letter <= "9" and not in_class and not self._octal():
                self.portable = False
            self._emit(self._pattern[self._at : self._at + 2], 2)

    def _octal(self) -> bool:
        """Whether a character's number stands here: three octal digits, as in ``\\101``."""
        digits = self._pattern[self._at + 1 : self._at + 4]
        return len(digits) == 3 and all(digit in "01234567" for digit in digits)

    def _quotation(self) -> None:
        end = self._pattern.find("\\E", self._at)
        stop = end if end >= 0 else len(self._pattern)
        literal = self._pattern[self._at + 2 : stop]
        quoted = "".join(letter if letter.isalnum() else f"\\{letter}" for letter in literal)
        self._emit(quoted, (stop + 2 if end >= 0 else stop) - self._at)

    def _unicode_class(self, letter: str, *, in_class: bool) -> None:
        length = 3
        if self._pattern[self._at + 2 : self._at + 3] == "{":
            end = self._pattern.find("}", self._at)
            length = end + 1 - self._at if end > 0 else 3
        name = self._pattern[self._at + 2 : self._at + length].strip("{}")
        known = _UNICODE.get(name[:1], _WORD) if len(name) < 3 and not in_class else _WORD
        self._emit(known[letter == "P"], length)

    def _code_point(self) -> None:
        end = self._pattern.find("}", self._at)
        try:
            point = chr(int(self._pattern[self._at + 3 : end], 16)) if end > 0 else ""
        except (ValueError, OverflowError):
            point = ""
        if point:
            self._emit(f"\\U{ord(point):08x}", end + 1 - self._at)
        else:
            self._emit("\\x{", 3)
