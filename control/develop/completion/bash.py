"""Completion for bash, from 3.2 (macOS) on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bundlevisor.control.develop.completion.model import Argument, Command, Kind, Option

OFFER: dict[Kind, str] = {
    "file": "_bundlevisor_files",
    "folder": "_bundlevisor_folders",
    "service": "_bundlevisor_ids services",
    "secret": "_bundlevisor_ids secrets",
    "command": "_bundlevisor_command",
    "value": ":",
}
HEAD = r"""# bash completion for bundlevisor; load it with: source <(bundlevisor completion bash)

_bundlevisor_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
# the words as they are meant, without quotes and back slashes; nothing in them is carried out
_bundlevisor_meant() {
    local rest one quote word
    meant=()
    for rest; do
        quote= word=
        while [[ -n $rest ]]; do
            one=${rest:0:1} rest=${rest:1}
            case $quote$one in
            \'|\") quote=$one ;;
            \'\'|\"\") quote= ;;
            \\) word+=${rest:0:1} rest=${rest:1} ;;
            \"\\) [[ $rest == [\"\$\`\\]* ]] && one=${rest:0:1} rest=${rest:1}; word+=$one ;;
            *) word+=$one ;;
            esac
        done
        meant+=("$word")
    done
}
_bundlevisor_ids() {
    local -a meant
    _bundlevisor_meant "${COMP_WORDS[0]}" "${before[@]}"
    _bundlevisor_words "$("${meant[0]}" completion "$1" "${meant[@]:1}" 2>/dev/null)"
}
_bundlevisor_files() { compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur")); }
_bundlevisor_folders() { compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "$cur")); }
_bundlevisor_command() {
    if [[ ${before[${#before[@]} - 1]} == -- ]]; then
        COMPREPLY=($(compgen -c -- "$cur"))
    else
        _bundlevisor_files
    fi
}

_bundlevisor() {
    local cur=${COMP_WORDS[COMP_CWORD]} option= path= word skip= given=0
    local -a before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
    local last=${#before[@]}
    COMPREPLY=()
    # bash takes --option=value for three words
    if [[ $cur == "=" ]]; then
        cur= option=${before[last - 1]}
    elif ((last > 1)) && [[ ${before[last - 1]} == "=" ]]; then
        option=${before[last - 2]}
    elif ((last > 0)); then
        option=${before[last - 1]}
    fi
    for word in ${before[@]+"${before[@]}"}; do
        [[ $word == -- ]] && { option= given=99; break; }
        if [[ $word == "=" ]]; then
            skip=1
        elif [[ -n $skip ]]; then
            skip=
        elif [[ $word == -* ]]; then
            case $word in
"""
MIDDLE = """\
            esac
        else
            case $path:$word in
"""
BEFORE_VALUES = """\
            *) ((given++)) ;;
            esac
        fi
    done
    case $path:$option in
"""
BEFORE_WORDS = """\
    esac
    case $path in
"""
TAIL = """\
    esac
}

complete -F _bundlevisor bundlevisor
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    valued = sorted({w for one in commands for o in one.options if _takes(o) for w in o.words})
    lines = [HEAD, f"            {'|'.join(valued)}) skip=1 ;;\n", MIDDLE]
    for one in commands:
        above = " ".join(one.words[:-1])
        lines.append(f'            "{above}:{one.words[-1]}") path="{one.name}" ;;\n')
    lines += [BEFORE_VALUES, *_values(commands), BEFORE_WORDS]
    flags = [w for c in commands if c.words == ("run",) for o in c.options for w in o.words]
    for above in ("", *(command.name for command in commands if command.groups)):
        below = [c.words[-1] for c in commands if " ".join(c.words[:-1]) == above]
        shown = below if above else [*below, *flags, "--version"]
        lines.append(f'    "{above}") _bundlevisor_words "{" ".join(shown)}" ;;\n')
    for command in commands:
        if not command.groups:
            lines += _places(command)
    return "".join([*lines, TAIL])


def _takes(option: Option) -> bool:
    return option.kind != "none" and not option.bare


def _values(commands: Sequence[Command]) -> Iterator[str]:
    """Yield what is offered as the value of each option."""
    for command in commands:
        for option in filter(_takes, command.options):
            places = "|".join(f'"{command.name}:{word}"' for word in option.words)
            yield f"    {places}) {_offer(option)}; return ;;\n"
            if command.words == ("run",):  # the flags of run may stand without it
                places = "|".join(f'":{word}"' for word in option.words)
                yield f"    {places}) {_offer(option)}; return ;;\n"


def _places(command: Command) -> Iterator[str]:
    """Yield what is offered where no option's value is due."""
    words = " ".join(word for option in command.options for word in option.words)
    yield f'    "{command.name}")\n'
    yield "        if ((given < 99)) && [[ $cur == -* ]]; then\n"
    yield f'            _bundlevisor_words "{words}{" --" if _hands_over(command) else ""}"\n'
    for place, argument in enumerate(command.arguments):
        if argument.kind == "command":
            yield "        elif ((given == 99)); then\n"
        else:
            order = ">=" if argument.repeats else "=="
            yield f"        elif ((given {order} {place} && given < 99)); then\n"
        yield f"            {_offer(argument)}\n"
    yield "        fi\n        ;;\n"


def _hands_over(command: Command) -> bool:
    return any(argument.kind == "command" for argument in command.arguments)


def _offer(one: Option | Argument) -> str:
    if one.choices:
        return f'_bundlevisor_words "{" ".join(one.choices)}"'
    return OFFER[one.kind]
