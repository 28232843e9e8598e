from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from bundlevisor.actors.process.windows import command as windows_command
from bundlevisor.actors.process.windows.command import command, environment_block, find

ROOT = "C:\\Windows"


def among(*files: str) -> Callable[[str], bool]:
    return lambda path: path in files


def test_a_program_is_named_twice_so_that_no_search_picks_another() -> None:
    made = command(["C:\\b\\api.exe", "-p", "1"], ROOT, among("C:\\b\\api.exe"))
    assert made.application == "C:\\b\\api.exe"
    assert made.line == "C:\\b\\api.exe -p 1"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("x\\api.exe", "x\\api.cmd"), "x\\api.exe"),
        (("x\\api", "x\\api.cmd"), "x\\api.cmd"),
        (("x\\api",), "x\\api"),
    ],
)
def test_a_missing_suffix_is_found(files: tuple[str, ...], found: str) -> None:
    assert find("x\\api", among(*files)) == found


def test_a_suffix_that_is_there_is_kept_in_any_case() -> None:
    assert find("x\\api.EXE", among("x\\api.EXE", "x\\api.EXE.exe")) == "x\\api.EXE"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        command(["C:\\b\\api"], ROOT, among())
    assert caught.value.filename == "C:\\b\\api"


def test_arguments_are_quoted_as_the_c_runtime_reads_them() -> None:
    made = command(["C:\\b.exe", "a b", 'say "hi"', "end\\", ""], ROOT, among("C:\\b.exe"))
    assert made.line == 'C:\\b.exe "a b" "say \\"hi\\"" end\\ ""'


def test_a_batch_file_is_run_by_the_systems_shell_with_every_word_in_quotation_marks() -> None:
    made = command(["C:\\my tools\\x.cmd", "a&calc", "end\\"], ROOT, among("C:\\my tools\\x.cmd"))
    assert made.application == "C:\\Windows\\System32\\cmd.exe"
    assert made.line.endswith('/s /c ""C:\\my tools\\x.cmd" "a&calc" "end\\\\""')


@pytest.mark.parametrize("argument", ['" & calc & "', "%PATH%", "one\ntwo", "one\rtwo"])
@pytest.mark.parametrize("program", ["C:\\x.cmd", "C:\\x.BAT"])
def test_an_argument_that_a_batch_file_would_interpret_is_refused(
    program: str, argument: str
) -> None:
    with pytest.raises(OSError, match="batch file") as caught:
        command([program, argument], ROOT, among(program))
    assert caught.value.errno == errno.EINVAL


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(OSError, match="NUL"):
        command(["C:\\x.exe", "a\0b"], ROOT, among("C:\\x.exe"))


def test_a_line_that_windows_cannot_take_is_refused_with_its_length() -> None:
    with pytest.raises(OSError, match="characters") as caught:
        command(["C:\\x.exe", "a" * 40_000], ROOT, among("C:\\x.exe"))
    assert caught.value.errno == errno.E2BIG


def test_a_long_path_takes_the_form_without_a_limit() -> None:
    path = "C:\\" + "d" * 300 + "\\x.exe"
    assert command([path], ROOT, among(path)).application == "\\\\?\\" + path
    assert windows_command.long_form("\\\\server\\" + "d" * 300).startswith("\\\\?\\UNC\\server\\")


def test_the_environment_is_sorted_and_folds_case_with_the_last_one_winning() -> None:
    block = environment_block({"b": "1", "PATH": "old", "Path": "new", "a": "2"}, ROOT)
    assert block == "a=2\0b=1\0Path=new\0SystemRoot=C:\\Windows\0\0"


def test_the_system_root_of_the_environment_wins_over_ours() -> None:
    assert "systemroot=D:\\W\0" in environment_block({"systemroot": "D:\\W"}, ROOT)


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("A=B", "x"), ("A", "x\0y"), ("A\0", "x")])
def test_a_variable_that_cannot_be_passed_on_is_refused(name: str, value: str) -> None:
    with pytest.raises(OSError, match="environment variable"):
        environment_block({name: value}, ROOT)
