"""Completion scripts, in the shells themselves; those that are not here are skipped by name."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlevisor.control.cli.parser.whole_parser import whole
from bundlevisor.control.develop.completion.model import commands
from bundlevisor.control.run import options
from tests import absent
from tests.bundle_maker import Bundle, bundle, bundlevisor, running
from tests.installed import COMMAND

SHELLS = ("bash", "zsh", "fish", "powershell")
PROGRAMS = {"powershell": "pwsh"}
ENV = {
    **{name: value for name, value in os.environ.items() if name not in ("PROMPT_COMMAND", "PS1")},
    "PATH": os.pathsep.join([os.path.dirname(COMMAND[0]), os.environ["PATH"]]),
    "TERM": "dumb",
}

Complete = Callable[..., list[str]]


@functools.cache
def written(shell: str) -> str:
    """The script, made once."""
    return bundlevisor("completion", shell).stdout


@pytest.fixture(params=SHELLS)
def complete(request: pytest.FixtureRequest, tmp_path: Path) -> Complete:
    """What a shell offers for the last word, of a command line in a folder."""
    shell: str = request.param
    program = shutil.which(PROGRAMS.get(shell, shell))
    if program is None:
        absent.skip(PROGRAMS.get(shell, shell))
    script = tmp_path / f"completion.{shell}"
    script.write_text(written(shell))

    def ask(*words: str, folder: Path = tmp_path) -> list[str]:
        command = ASKED[shell](program, script, ["bundlevisor", *words])
        done = subprocess.run(
            command, cwd=folder, env=ENV, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stderr == ""
        offered = [line.partition("\t")[0].strip() for line in done.stdout.splitlines()]
        return sorted({one for one in offered if one})

    return ask


def _bash(program: str, script: Path, words: list[str]) -> list[str]:
    """The function is called as bash calls it, without readline's own files and folders."""
    split = [part for word in words for part in _around_equals(word)]
    typed = " ".join(f"'{word}'" for word in split)
    code = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(split) - 1};"
        ' _bundlevisor; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return [program, "--norc", "-c", code]


def _around_equals(word: str) -> list[str]:
    """Split a word as bash does for completion."""
    name, equals, value = word.partition("=")
    return [part for part in (name, equals, value) if part or equals] if equals else [word]


def _fish(program: str, script: Path, words: list[str]) -> list[str]:
    return [program, "--no-config", "-c", f"source {script}; complete -C '{' '.join(words)}'"]


ZSH = """
zmodload zsh/zpty zsh/zselect
zpty asked zsh -f -i
zpty -w asked "PS1=; stty columns 200; autoload -Uz compinit; compinit -C -d {dump}"
zpty -w asked "source {script}"
zpty -w asked "zstyle ':completion:*' list-colors ''; LISTMAX=10000; setopt no_list_beep"
zpty -w asked "compadd () {{ local -a hits; builtin compadd -O hits \\"\\$@\\"; \
builtin compadd \\"\\$@\\"; local r=\\$?; \
print -l -- \\"<<\\"\\$^hits\\">>\\" >> {out}; return r }}"
zpty -w asked "bindkey '^I' complete-word; zle-line-init() {{ : > {up} }}; zle -N zle-line-init"
until [[ -e {up} ]]; do zpty -r -t asked line; zselect -t 2; done
zpty -n -w asked "{words}"
zpty -n -w asked $'\\t'
zpty -n -w asked $'\\C-u: > {done}\\r'
until [[ -e {done} ]]; do zpty -r -t asked line; zselect -t 2; done
zpty -d asked
"""


def _zsh(program: str, script: Path, words: list[str]) -> list[str]:
    """An interactive zsh on a terminal; what it adds to its matches is written down.

    Nothing is typed before its line editor is up: the terminal itself would obey Ctrl-U.
    """
    folder = Path(tempfile.mkdtemp(dir=script.parent))  # the shell before may still write its own
    places = {name: str(folder / name) for name in ("out", "up", "done")}
    places["dump"] = str(script.parent.parent / "zcompdump")  # of all functions, made by the first
    code = ZSH.format(script=script, words=" ".join(words), **places)
    show = (
        f"{code}\n[[ -e {places['out']} ]] && sed -n 's/^<<\\(.*\\)>>$/\\1/p' {places['out']}; true"
    )
    return [program, "-f", "-c", show]


def _powershell(program: str, script: Path, words: list[str]) -> list[str]:
    line = " ".join(words)
    code = (
        f"Get-Content -Raw '{script}' | Invoke-Expression;"
        f" (TabExpansion2 -inputScript '{line}' -cursorColumn {len(line)}).CompletionMatches"
        " | ForEach-Object { $_.CompletionText }"
    )
    return [program, "-NoProfile", "-NonInteractive", "-Command", code]


ASKED = {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell}


def made(folder: Path) -> Bundle:
    secret = {"id": "mail_key", "class": "user_prompt", "target": {"type": "env"}}
    made = bundle(folder).service("db").service("api", deps=["db"]).set(secrets=[secret])
    return made.write()


def test_commands_are_offered(complete: Complete) -> None:
    assert complete("sta") == ["start", "status"]
    assert "secrets" in complete("")
    assert complete("secrets", "") == ["list", "set"]


def test_options_of_a_command_are_offered(complete: Complete) -> None:
    assert complete("status", "--js") == ["--json"]
    assert {"--follow", "--previous"} <= set(complete("logs", "--"))
    assert complete("run", "--w") == ["--watch"]
    assert complete("--dry") == ["--dry-run"]
    assert "--stdin" in complete("secrets", "set", "--")
    assert "--stdin" not in complete("secrets", "list", "--")


def test_words_of_an_option_are_offered(complete: Complete) -> None:
    assert complete("validate", "--verify", "") == ["cached", "full"]
    assert [one.rpartition("=")[2] for one in complete("validate", "--verify=f")] == ["full"]
    assert complete("completion", "z") == ["zsh"]


def test_files_and_folders_are_offered(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "here.json").touch()
    (tmp_path / "hereabouts").mkdir()
    files = [one.rstrip("/") for one in complete("run", "--manifest", "here")]
    assert files == ["here.json", "hereabouts"]
    assert [one.rstrip("/") for one in complete("status", "--app-data", "here")] == ["hereabouts"]


def test_services_of_the_bundle_here_are_offered(complete: Complete, tmp_path: Path) -> None:
    root = made(tmp_path / "it").root
    assert complete("restart", "", folder=root) == ["api", "db"]
    assert complete("logs", "db", "a", folder=root) == ["api"]
    assert complete("exec", "d", folder=root) == ["db"]
    assert complete("secrets", "set", "", folder=root) == ["mail_key"]
    nowhere = complete("restart", "", folder=tmp_path)  # zsh offers options then
    assert [one for one in nowhere if not one.startswith("-")] == []


@pytest.mark.parametrize("hostile", ["$(touch found)", "`touch found`"])
def test_nothing_in_a_bundle_is_carried_out(
    complete: Complete, tmp_path: Path, hostile: str
) -> None:
    """By a key press in a folder that came from somebody else. No service may be called so."""
    target = {"type": "env", "name": "KEY"}
    ids = (hostile, "db/key.1")
    secrets = [{"id": one, "class": "user_prompt", "target": target} for one in ids]
    root = bundle(tmp_path / "it").service("db").set(secrets=secrets).write().root
    assert complete("secrets", "set", "", folder=root) == ["db/key.1"]
    assert not (root / "found").exists()


def test_services_of_another_bundle_are_offered(complete: Complete, tmp_path: Path) -> None:
    path = made(tmp_path / "it").path
    assert complete("restart", "--manifest", str(path), "") == ["api", "db"]
    assert complete("restart", f"--manifest={path}", "d") == ["db"]


def test_services_of_a_running_instance_come_with_its_overlays(tmp_path: Path) -> None:
    dev = tmp_path / "dev.json"
    dev.write_text('{"services": {"mail": {"binaries": {"universal": {"path": "bin/db"}}}}}')
    with running(made(tmp_path), "--dry-run", "--overlay", str(dev)) as run:
        run.until_on_record()
        said = bundlevisor("completion", "services", "--app-data", str(run.app_data))
    assert said.stdout.split() == ["db", "api", "mail"]


def test_trouble_is_silent(tmp_path: Path) -> None:
    said = bundlevisor("completion", "services", "--manifest", str(tmp_path / "none.json"))
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@absent.unless(shutil.which("bash") and os.name != "nt", "bash on a terminal")
@pytest.mark.parametrize(
    "typed", [r"it\'s\ \"x\"", r'''"it's \"x\""''', r"""'it'\''s "x"'"""], ids=["\\", '"', "'"]
)
def test_a_key_press_in_bash_completes(tmp_path: Path, typed: str) -> None:
    """Readline, a terminal, and the tab key; behind a path as it may be typed."""
    import pty

    rc = tmp_path / "rc"
    rc.write_text(
        f"PS1='ready> '\nbind 'set bell-style none'\n{bundlevisor('completion', 'bash').stdout}"
    )
    made(tmp_path / 'it\'s "x"')
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["bash", "--noprofile", "--rcfile", str(rc), "-i"],
        cwd=tmp_path,
        env=ENV,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ):
        os.close(theirs)
        try:
            _read_until(ours, b"ready> ")
            os.write(ours, b"bundlevisor rest\t")
            _read_until(ours, b"bundlevisor restart ")
            os.write(ours, f"--manifest {typed}/bundle/bundle.json ap\t".encode())
            _read_until(ours, b"/bundle.json api ")
        finally:
            os.close(ours)  # which ends the shell


def _read_until(descriptor: int, wanted: bytes) -> None:
    """Read what a terminal shows until it shows this; the test's own deadline ends it."""
    shown = b""
    while wanted not in shown:
        shown += os.read(descriptor, 1 << 16)


def test_what_run_takes_is_told_as_it_is_read() -> None:
    (run,) = (one for one in commands(whole()) if one.words == ("run",))
    told = {word for option in run.options for word in option.words} - {"-h", "--help"}
    assert told == {f"--{word}" for word in options.SWITCHES | options.VALUED}
    switches = {o.words[0] for o in run.options if o.kind == "none"} - {"-h"}
    assert switches == {f"--{word}" for word in options.SWITCHES}


def test_every_command_is_told() -> None:
    assert {one.words[0] for one in commands(whole())} == set(options.COMMANDS)
