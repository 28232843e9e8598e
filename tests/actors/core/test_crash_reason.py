"""The line that says what went wrong, out of what real programs wrote at their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundlevisor.actors.core.crash_reason import (
    BEFORE,
    BEHIND,
    LONGEST,
    Reason,
    find_reason,
    last_said,
)

OUTPUTS = Path(__file__).parent / "crashes"
"""As Node 20, Python 3.11, Java 17, Rust 1.8x, dash, bash, perl and libstdc++ wrote them; those of
Go, Ruby, PHP, .NET, pydantic, uvicorn, gunicorn and Spring are as published with their reports."""

REASONS = {
    "node-throw": "Error: config.json is broken",
    "node-address-in-use": "Error: listen EADDRINUSE: address already in use 127.0.0.1:47999",
    "node-message-of-two-lines": "Error: no database at 127.0.0.1:5432",
    "node-module-missing": "Error: Cannot find module './gone'",
    "node-es-module-missing": (
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'left-pad-gone' imported from"
        " /srv/app/main.mjs"
    ),
    "node-rejected": 'The promise rejected with the reason "boom".',
    "node-syntax": "SyntaxError: Unexpected token ';'",
    "node-heap": (
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
    ),
    "python-exception": "FileNotFoundError: [Errno 2] No such file or directory: 'config.json'",
    "python-chained": "RuntimeError: cannot start",
    "python-message-of-several-lines": (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings"
    ),
    "python-syntax": "SyntaxError: invalid syntax",
    "python-module": (
        "/usr/bin/python3: Error while finding module specification for 'app.main'"
        " (ModuleNotFoundError: No module named 'app')"
    ),
    "python-fatal": "Fatal Python error: Segmentation fault",
    "python-home": "ModuleNotFoundError: No module named 'encodings'",
    "uvicorn-address-in-use": (
        "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000):"
        " address already in use"
    ),
    "gunicorn-worker": "ModuleNotFoundError: No module named 'app'",
    "java-caused-by": "java.io.FileNotFoundException: config.json (No such file or directory)",
    "java-exception": 'Exception in thread "main" java.lang.IllegalStateException: cannot start',
    "java-jar-missing": "Error: Unable to access jarfile gone.jar",
    "java-port-in-use": "Web server failed to start. Port 8080 was already in use.",
    "go-panic": "panic: runtime error: index out of range [5] with length 3",
    "go-nil": "panic: runtime error: invalid memory address or nil pointer dereference",
    "go-panic-of-two-lines": "panic: cannot read config",
    "go-deadlock": "fatal error: all goroutines are asleep - deadlock!",
    "go-log-fatal": "2024/05/01 10:00:00 listen tcp :8080: bind: address already in use",
    "ruby-raise": "app.rb:2:in `load': config.json is broken (RuntimeError)",
    "ruby-no-method": (
        "app.rb:1:in `<main>': undefined method `foo' for nil:NilClass (NoMethodError)"
    ),
    "rust-panic": 'called `Result::unwrap()` on an `Err` value: "config.json is broken"',
    "rust-panic-with-backtrace": (
        'called `Result::unwrap()` on an `Err` value: "config.json is broken"'
    ),
    "rust-panic-before-1.73": "thread 'main' panicked at 'config.json is broken', src/main.rs:2:5",
    "rust-error": 'Error: Os { code: 2, kind: NotFound, message: "No such file or directory" }',
    "cpp-exception": "config.json is broken",
    "dash-not-found": "run.sh: 1: frobnicate: not found",
    "bash-no-folder": "run.sh: line 2: cd: /gone: No such file or directory",
    "perl-die": "config is broken at app.pl line 1.",
    "php-uncaught": "PHP Fatal error:  Uncaught Exception: config is broken in /srv/app.php:3",
    "dotnet-unhandled": "Unhandled exception. System.InvalidOperationException: config is broken",
    "json-log": "cannot connect to the database",
    "log-then-orderly-end": "2024-05-01 10:00:00,123 ERROR app: the database is gone",
    "colours": "error: config.json is broken",
}
PLAIN = {
    "": "",
    "\n\n": "",
    "serving\nwaiting\n": "waiting",
    "  only indented\n": "only indented",
    "INFO: starting\nINFO: stopping\n": "INFO: stopping",
    "{not json\n": "{not json",
}


def output(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_is_the_line_that_says_what_went_wrong(name: str) -> None:
    reason = find_reason(output(name))
    assert (reason.line, reason.sure) == (REASONS[name], True)
    assert any(reason.line[:40] in line for line in reason.around)
    assert len(reason.around) <= BEFORE + 1 + BEHIND


def test_every_output_has_its_reason() -> None:
    assert {path.stem for path in OUTPUTS.iterdir()} == set(REASONS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "thread 'main' panicked at src/main.rs:2:5:\n",
            "thread 'main' panicked at src/main.rs:2:5:",
        ),
        (
            "terminate called without an active exception\n",
            "terminate called without an active exception",
        ),
        ("Error: boom\n    at run (app.js:1:2)\n\nNode.js v20.1.0\n", "Error: boom"),
        ("Traceback (most recent call last):\nKeyError: 'a'\nand more: b\n", "KeyError: 'a'"),
        (
            'Traceback (most recent call last):\n  File "a"\n10:00 went on\n10:01 gone\n',
            "10:01 gone",
        ),
    ],
)
def test_of_a_block_without_its_usual_parts_what_is_there_is_the_reason(
    text: str, line: str
) -> None:
    assert find_reason(text).line == line


TERMINATED = "terminate called without an active exception"
FAILED_TO_START = "APPLICATION FAILED TO START"


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ((TERMINATED, "Aborted (core dumped)"), TERMINATED),
        ((FAILED_TO_START, "", "Port taken", "Action"), "Port taken"),
        (
            ("Description:", "old", FAILED_TO_START, "", "Description:", "", "new", "Action"),
            "new",
        ),
        (
            (FAILED_TO_START, "Description:", "x", 'Exception in thread "main" java.lang.Error'),
            'Exception in thread "main" java.lang.Error',
        ),
        (("UnhandledPromiseRejection: of something",), "UnhandledPromiseRejection: of something"),
        (
            ('UnhandledPromiseRejection: The promise rejected with "The promise rejected"',),
            'The promise rejected with "The promise rejected"',
        ),
        (('{"msg":"a","message":"b","error":"c"}',), "a"),
        (('{"msg":1,"message":"b","error":"c"}',), "b"),
        (('{"error":"c"}',), "c"),
        (('{"code":1}',), '{"code":1}'),
        (('{"msg":""}',), '{"msg":""}'),
    ],
)
def test_which_line_of_what_is_known_and_which_words_of_it(
    lines: tuple[str, ...], line: str
) -> None:
    assert find_reason("\n".join(lines)).line == line


def test_a_cause_is_sure_whatever_its_words() -> None:
    assert find_reason("Caused by: org.example.Bad: x") == Reason(
        "org.example.Bad: x", ("Caused by: org.example.Bad: x",), sure=True
    )


def test_a_block_that_begins_below_a_line_says_nothing_of_it() -> None:
    reason = find_reason("closed\nTraceback (most recent call last):\n")
    assert (reason.line, reason.sure) == ("closed", False)


@pytest.mark.parametrize("text", PLAIN)
def test_what_speaks_of_no_failure_is_the_last_line_and_not_sure(text: str) -> None:
    reason = find_reason(text)
    assert (reason.line, reason.sure) == (PLAIN[text], False)


def test_a_line_without_end_is_cut_where_it_is_a_reason() -> None:
    assert find_reason("Error: " + "x" * 5000).line == ("Error: " + "x" * 5000)[:LONGEST]


def test_the_reason_is_found_above_a_stack_of_hundreds_of_lines() -> None:
    frames = "".join(f"\tat org.example.C{n}.run(C{n}.java:{n})\n" for n in range(300))
    text = f'Exception in thread "main" java.lang.Error: boom\n{frames}'
    assert find_reason(text).line == 'Exception in thread "main" java.lang.Error: boom'


def test_what_was_ended_is_told_by_its_last_line_whatever_that_is() -> None:
    text = "cannot find a config: the default it is\n\nINFO one\nINFO two\x1b[0m\n\n"
    around = ("cannot find a config: the default it is", "", "INFO one", "INFO two")
    assert last_said(text) == Reason("INFO two", around)
    assert last_said("\n".join(f"line {n}" for n in range(9))).around == tuple(
        f"line {n}" for n in range(8 - BEFORE, 9)
    )
    assert last_said("x" * 5000).line == "x" * LONGEST
    assert last_said(" \n") == last_said("") == Reason()


def test_json_that_is_nested_too_deeply_to_be_read_is_a_line_like_any_other() -> None:
    line = '{"stack": ' + "[" * 5000
    assert find_reason(f"starting\n{line}\n").line == line[:LONGEST]


def test_what_shows_the_cursor_again_is_no_line_and_colours_are_no_words() -> None:
    text = "\x1b[38:5:196mError: no such table\x1b[0m\n    at db.js:1\n\x1b[?25h\n"
    around = ("Error: no such table", "    at db.js:1", "")
    assert find_reason(text) == Reason("Error: no such table", around, sure=True)
    assert last_said("INFO one\n\x1b[?25h\n").line == "INFO one"


def test_a_line_of_blanks_is_looked_through_once() -> None:
    """Tried at each of them anew it would take minutes, of the loop that all services share."""
    assert find_reason("cannot start\n." + " " * 100_000 + ".").line == "." + " " * (LONGEST - 1)
