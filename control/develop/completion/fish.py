"""Completion for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bundlevisor.control.develop.completion.model import Argument, Command, Kind, Option

OFFER: dict[Kind, str] = {
    "file": "-F",
    "folder": "-x -a '(__fish_complete_directories)'",
    "service": "-x -a '(__bundlevisor_ids services)'",
    "secret": "-x -a '(__bundlevisor_ids secrets)'",
    "command": "-F",
    "value": "-x",
}
HEAD = """\
# fish completion for bundlevisor; load it with: bundlevisor completion fish | source

function __bundlevisor_ids
    set -l words (commandline -opc)
    $words[1] completion $argv[1] $words[2..-1] 2>/dev/null
end

function __bundlevisor_at -d 'Whether the words so far are this command, and nothing below it'
    set -l found
    set -l valued @VALUED@
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word $valued
            set skip yes
        else if not string match -q -- '-*' $word
            set -a found $word
        end
    end
    set -l wanted (count $argv)
    if test $wanted -eq 0
        test (count $found) -eq 0
        return
    end
    test (count $found) -ge $wanted; or return 1
    test "$found[1..$wanted]" = "$argv"
end

function __bundlevisor_group -d 'Whether the next word is a command of this group'
    set -l words (commandline -opc)
    test "$words[-1]" = "$argv[-1]"; and __bundlevisor_at $argv
end

complete -c bundlevisor -e
complete -c bundlevisor -f
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    valued = {w for one in commands for o in one.options if o.kind != "none" for w in o.words}
    lines = [HEAD.replace("@VALUED@", " ".join(sorted(valued)))]
    for one in commands:
        test = f"__bundlevisor_group {' '.join(one.words[:-1])}" if one.words[:-1] else ""
        lines.append(
            f"complete -c bundlevisor -n '{test or '__bundlevisor_at'}' -f"
            f" -a {one.words[-1]} -d {_quoted(one.help)}\n"
        )
        if one.groups:
            continue
        lines += _of(one, f"__bundlevisor_at {one.name}")
        if one.words == ("run",):
            lines += _of(one, "__bundlevisor_at")
    return "".join(lines)


def _of(command: Command, test: str) -> Iterator[str]:
    start = f"complete -c bundlevisor -n '{test}'"
    for option in command.options:
        yield f"{start} {_words(option)}{_value(option)} -d {_quoted(option.help)}\n"
    for argument in command.arguments:
        if argument.kind != "value":
            yield f"{start} {_offer(argument)}\n"


def _words(option: Option) -> str:
    return " ".join(
        f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}" for word in option.words
    )


def _value(option: Option) -> str:
    if option.kind == "none":
        return ""
    offer = _offer(option)
    if option.bare:
        return ""
    return f" -r {offer}" if offer == "-F" else f" {offer}"


def _offer(one: Option | Argument) -> str:
    if one.choices:
        return f"-x -a {_quoted(' '.join(one.choices))}"
    return OFFER[one.kind]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
