"""What a service writes cannot steer the terminal of who reads its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundlevisor.control.cli.screen.colours import RESET
from bundlevisor.control.cli.screen.escapes import Harmless
from bundlevisor.control.run.console import Console


def shown(*pieces: bytes) -> str:
    harmless = Harmless()
    text = b"".join(harmless.pass_on(piece) for piece in pieces)
    return (text + harmless.pass_on(b"", last=True)).decode()


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (b"plain \xc3\xbc\ttext\n", "plain ü\ttext\n"),
        (b"\x1b[2J\x1b[1;1Hgone", "^[[2J^[[1;1Hgone"),
        (b"\x1b]0;title\x07", "^[]0;title^G"),
        (b"\x1b]52;c;ZXZpbA==\x1b\\", "^[]52;c;ZXZpbA==^[\\"),
        (b"\xc2\x9b2J", "\\x9b2J"),
        (b"over\rwritten\n", "over^Mwritten\n"),
        (b"a line of DOS\r\n", "a line of DOS\n"),
        (b"\x08\x7f\x00", "^H^?^@"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"\x1b[8mhidden\x1b[0m", "^[[8mhidden\x1b[0m"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_what_would_steer_a_terminal_is_shown(written: bytes, seen: str) -> None:
    assert shown(written) == seen


def test_colours_stay_and_end_with_their_line() -> None:
    assert shown(b"\x1b[31mred\x1b[0m\n") == "\x1b[31mred\x1b[0m\n"
    assert shown(b"\x1b[1;31mred\nplain\n") == f"\x1b[1;31mred{RESET}\nplain\n"
    assert shown(b"\x1b[31mred") == f"\x1b[31mred{RESET}"


@pytest.mark.parametrize("at", range(1, 24))
def test_pieces_are_as_good_as_the_whole(at: int) -> None:
    whole = b"\x1b[31mr\xc3\xbcd\x1b[2J\r\n\x1b[0m.."
    assert shown(whole[:at], whole[at:]) == shown(whole)


def test_a_sequence_without_an_end_is_not_held_for_ever() -> None:
    harmless = Harmless()
    assert harmless.pass_on(b"\x1b[" + b"1" * 100).startswith(b"^[[111")
    assert harmless.pass_on(b"\x1b") == b""
    assert harmless.pass_on(b"", last=True) == b"^["


def test_what_the_runtime_says_of_a_service_cannot_steer_its_terminal(tmp_path: Path) -> None:
    path = tmp_path / "terminal"
    with path.open("wb") as file:
        console = Console(file.fileno(), human=True)
        console.warn("db ended: \x1b]0;title\x07 \u202egnol\nand so on")
        console.close()
    assert path.read_text(encoding="utf-8").endswith(
        " db ended: ^[]0;title^G \\u202egnol\nand so on\n"
    )
