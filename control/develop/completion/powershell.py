"""Completion for PowerShell, from 5.0 on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bundlevisor.control.develop.completion.model import Argument, Command, Option

HEAD = """\
# PowerShell completion for bundlevisor; load it with:
#   bundlevisor completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName bundlevisor -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # of each command: its words below it, its options, what these take, what its arguments are
    $known = @{
"""
TAIL = """\
    }
    # a word with blanks is meant without its quotes
    $string = [System.Management.Automation.Language.StringConstantExpressionAst]
    $elements = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is $string) { $_.Value } else { "$_" } })
    $program = $elements[0]
    $before = @($elements | Select-Object -Skip 1)
    $path = ''; $given = 0; $option = ''
    foreach ($word in $before) {
        if ($word -eq '--') { return }
        if ($option -and $known[$path].Takes.ContainsKey($option)) { $option = ''; continue }
        if ($word.StartsWith('-')) { $option = $word; continue }
        $option = ''
        $below = "$path $word".Trim()
        if ($known.ContainsKey($below)) { $path = $below } else { $given++ }
    }
    $here = $known[$path]
    $takes = if ($option) { $here.Takes[$option] }
    $prefix = ''
    if (-not $takes -and $wordToComplete -match '^(--[\\w-]+)=(.*)$') {
        $takes = $here.Takes[$Matches[1]]
        $prefix = "$($Matches[1])="
        $wordToComplete = $Matches[2]
    }
    if (-not $takes) {
        if ($wordToComplete.StartsWith('-')) {
            $takes = @('words') + @($here.Options.Keys | Sort-Object)
        } elseif ($here.Below.Count) {
            $takes = @('words') + @($here.Below.Keys | Sort-Object)
        } elseif ($given -lt $here.Arguments.Count) {
            $takes = $here.Arguments[$given]
        } elseif ($here.Repeats) {
            $takes = $here.Arguments[-1]
        }
    }
    $kind, $words = $takes  # a single word is no list then
    if ($kind -eq 'ids') { $words = & $program completion "$words" @before 2>$null }
    # nothing for files and folders: PowerShell offers them itself then
    if ($kind -eq 'words' -or $kind -eq 'ids') {
        $words | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
            $said = if ($here.Options[$_]) { $here.Options[$_] } else { $here.Below[$_] }
            if (-not $said) { $said = $_ }
            [System.Management.Automation.CompletionResult]::new(
                "$prefix$_", $_, 'ParameterValue', $said)
        }
    }
}
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    run = next((one for one in commands if one.words == ("run",)), None)
    top = Command(words=(), help="", options=run.options if run else (), arguments=())
    return "".join([HEAD, *(line for one in (top, *commands) for line in _of(one, commands)), TAIL])


def _of(command: Command, commands: Sequence[Command]) -> Iterator[str]:
    below = {one.words[-1]: one.help for one in commands if one.words[:-1] == command.words}
    yield f"        {_quoted(command.name)} = @{{\n"
    yield f"            Below = {_table({word: _quoted(text) for word, text in below.items()})}\n"
    options = {word: _quoted(one.help) for one in command.options for word in one.words}
    yield f"            Options = {_table(options)}\n"
    takes = {
        word: _takes(one)
        for one in command.options
        if one.kind != "none" and not one.bare
        for word in one.words
    }
    yield f"            Takes = {_table(takes)}\n"
    arguments = [_takes(one) for one in command.arguments if one.kind != "command"]
    alone = ", " if len(arguments) == 1 else ""  # else PowerShell takes the one for the list
    yield f"            Arguments = @({alone}{', '.join(arguments)})\n"
    repeats = any(one.repeats for one in command.arguments)
    yield f"            Repeats = ${str(repeats).lower()}\n"
    yield "        }\n"


def _takes(one: Option | Argument) -> str:
    if one.choices:
        return f"@('words', {', '.join(map(_quoted, one.choices))})"
    if one.kind in ("service", "secret"):
        return f"@('ids', '{one.kind}s')"
    return f"@({_quoted(one.kind)})"


def _table(rows: dict[str, str]) -> str:
    return "@{ " + "; ".join(f"{_quoted(key)} = {value}" for key, value in rows.items()) + " }"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
