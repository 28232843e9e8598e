"""Completion for zsh, by ``_arguments``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bundlevisor.control.develop.completion.model import Argument, Command, Kind, Option

OFFER: dict[Kind, str] = {
    "file": "_files",
    "folder": "_files -/",
    "service": "_bundlevisor_services",
    "secret": "_bundlevisor_secrets",
    "command": "_normal",
    "value": " ",
}
HEAD = """\
#compdef bundlevisor
# zsh completion for bundlevisor; load it with: source <(bundlevisor completion zsh)
compdef _bundlevisor bundlevisor

_bundlevisor_ids() {
  local -a ids
  ids=(${(f)"$($_bundlevisor_program completion $1 $_bundlevisor_before 2>/dev/null)"})
  compadd -a ids
}
_bundlevisor_services() { _bundlevisor_ids services }
_bundlevisor_secrets() { _bundlevisor_ids secrets }

_bundlevisor() {
  local curcontext="$curcontext" state line _bundlevisor_program=${(Q)words[1]}
  local -a _bundlevisor_before=(${(Q)words[2,CURRENT-1]}) known
  typeset -A opt_args
"""
TAIL = """\
}

[[ $funcstack[1] == _bundlevisor ]] && _bundlevisor "$@"
true
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    return "".join([HEAD, *_level(commands, (), "  "), TAIL])


def _level(commands: Sequence[Command], above: tuple[str, ...], indent: str) -> Iterator[str]:
    """Yield the choice of a command and what follows it, as lines of a function."""
    below = [one for one in commands if one.words[:-1] == above]
    yield f"{indent}if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
    yield f"{indent}  known=(\n"
    for one in below:
        yield f"{indent}    {_quoted(f'{one.words[-1]}:{one.help}')}\n"
    yield f"{indent}  )\n{indent}  _describe -t commands command known\n{indent}  return\n"
    yield f"{indent}fi\n"
    if not above:
        yield f"{indent}if [[ $words[2] == -* ]]; then\n"
        run = next((one for one in commands if one.words == ("run",)), None)
        yield from _specs(run, f"{indent}  ") if run else ()
        yield f"{indent}  return\n{indent}fi\n"
    yield f"{indent}shift words\n{indent}(( CURRENT-- ))\n{indent}case $words[1] in\n"
    for one in below:
        yield f"{indent}({one.words[-1]})\n"
        if one.groups:
            yield from _level(commands, one.words, f"{indent}  ")
        else:
            yield from _specs(one, f"{indent}  ")
        yield f"{indent}  ;;\n"
    yield f"{indent}esac\n"


def _specs(command: Command, indent: str) -> Iterator[str]:
    specs = [spec for option in command.options for spec in _option(option)]
    specs += [_argument(argument, place + 1) for place, argument in enumerate(command.arguments)]
    yield f"{indent}_arguments -S"
    for spec in specs:
        yield f" \\\n{indent}  {_quoted(spec)}"
    yield "\n"


def _option(option: Option) -> Iterator[str]:
    """Yield a spec for each spelling; one excludes the others."""
    others = "" if option.repeats else f"({' '.join(option.words)})"
    star = "*" if option.repeats else ""
    for word in option.words:
        text = f"[{_escaped(option.help)}]"
        if option.kind == "none":
            yield f"{others}{star}{word}{text}"
            continue
        equals = "=" if word.startswith("--") else "+"
        colon = "::" if option.bare else ":"
        yield f"{others}{star}{word}{equals}{text}{colon}{_value(option)}"


def _argument(argument: Argument, place: int) -> str:
    if argument.kind == "command":
        return f"*::{argument.metavar}:_normal"
    where = "*" if argument.repeats else str(place)
    return f"{where}:{_value(argument)}"


def _value(one: Option | Argument) -> str:
    offer = f"({' '.join(one.choices)})" if one.choices else OFFER[one.kind]
    return f"{_escaped(one.metavar)}:{offer}"


def _escaped(text: str) -> str:
    for letter in "\\[]:":
        text = text.replace(letter, f"\\{letter}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
