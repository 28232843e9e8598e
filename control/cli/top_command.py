"""``bundlevisor top`` and ``status --watch``: the services, again and again, in one place.

``top`` takes keys and has the whole screen; ``status --watch`` only shows, and in a pipe writes the
table of ``status`` whenever it differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bundlevisor.actors.files import json_text
from bundlevisor.control.cli import json_output
from bundlevisor.control.cli.client import NoAnswer, Unsettled
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.explain_command import explanation, text_of
from bundlevisor.control.cli.find import NotRunning
from bundlevisor.control.cli.last_words import GOING_S, end_of, is_gone
from bundlevisor.control.cli.queries import Refused, accepted, status
from bundlevisor.control.cli.screen import render
from bundlevisor.control.cli.screen.colours import uncoloured
from bundlevisor.control.cli.screen.ended_by import ended_as_by_ctrl_c
from bundlevisor.control.cli.screen.escapes import COLOUR
from bundlevisor.control.cli.screen.keys import Keyboard
from bundlevisor.control.cli.screen.suspension import given_back_when_suspended
from bundlevisor.control.cli.screen.terminal import is_terminal, obeys_escapes
from bundlevisor.control.cli.screen.top_frame import View, frame, reading
from bundlevisor.control.cli.screen.usage_history import History
from bundlevisor.control.cli.start_view import screen_of
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import USUAL_LINES

if TYPE_CHECKING:
    import argparse

    from bundlevisor.control.cli.client import Client

EVERY_S = 1.0
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The alternate screen without a cursor, and back (xterm's ctlseqs, DECTCEM)."""
TOP, REST = "\x1b[H", "\x1b[J"
LINE_END = "\x1b[K\n"


def show_status(client: Client, arguments: argparse.Namespace) -> int:
    """Print every service, with ``--watch`` again and again."""
    return watch_status(client, arguments) if arguments.watch else status(client, arguments)


def watch_status(client: Client, arguments: argparse.Namespace) -> int:
    """Show the services until Ctrl-C or the end of the instance, both of which are 0."""
    drawn = obeys_escapes(sys.stdout) and not arguments.json
    try:
        if drawn:
            with _other_screen():
                _watch(client, lambda document, history: _draw(document, history, View()))
        else:
            _watch(client, _printer(arguments))
    except KeyboardInterrupt:
        pass
    except NotRunning:
        complain(client.farewell(), exit_codes.OK)
    except NoAnswer as error:
        complain(_end_or_raise(client, error), exit_codes.OK)
    return exit_codes.OK


def _end_or_raise(client: Client, error: NoAnswer) -> str:
    """Return how the instance has ended; raises the error where it has not, and does not answer.

    One that takes no connections any more has a moment for its end.
    """
    at = client.endpoint
    if isinstance(error, Unsettled):
        gone = is_gone(at.pid) or end_of(at.app_data, at.pid, at.created)(GOING_S)
    else:
        gone = is_gone(at.pid)
    if not gone:
        raise error
    return client.farewell()


def _watch(client: Client, show: Callable[[dict[str, Any], History], object]) -> None:
    history = History()
    while True:
        document = accepted(client.get("/status"))
        history.add(document["services"])
        show(document, history)
        time.sleep(EVERY_S)


def _printer(arguments: argparse.Namespace) -> Callable[[dict[str, Any], History], object]:
    last: list[str] = []

    def show(document: dict[str, Any], _history: History) -> None:
        text = render.status(document, None).partition("\n\n")[2]
        if arguments.json:
            json_output.put(json_text.encode(document))
            sys.stdout.flush()
        elif last != [text]:
            print(json_text.readable(f"{time.strftime('%H:%M:%S')}\n{text}\n"), flush=True)
        last[:] = [text]

    return show


def top(client: Client, _arguments: argparse.Namespace) -> int:
    """Show the services and do what the keys say, until ``q``, Ctrl-C or the instance's end."""
    if not (obeys_escapes(sys.stdout) and is_terminal(sys.stdin)):
        raise Refused("top needs a terminal that obeys escape sequences; see: bundlevisor status")
    ended = ""
    with _other_screen(), Keyboard() as keys:
        try:
            _Top(client, keys).run()
        except KeyboardInterrupt:
            pass
        except NotRunning:
            ended = client.farewell()
        except NoAnswer as error:
            ended = _end_or_raise(client, error)
    if ended:
        print(ended)
    return exit_codes.OK


class _Top:
    """One session at a terminal."""

    def __init__(self, client: Client, keys: Keyboard) -> None:
        self._client = client
        self._keys = keys
        self._history = History()
        self._chosen = ""
        self._notice = ""

    def run(self) -> None:
        while True:
            document = accepted(self._client.get("/status"))
            services = {one["id"]: one for one in document["services"]}
            self._history.add(document["services"])
            if self._chosen not in services:
                self._chosen = next(iter(services), "")
            until = time.monotonic() + EVERY_S
            while (left := until - time.monotonic()) > 0:
                _draw(document, self._history, View(chosen=self._chosen, notice=self._notice))
                key = self._keys.read(left)
                if key == "q":
                    return
                if key and self._press(key, services):
                    break

    def _press(self, key: str, services: dict[str, dict[str, Any]]) -> bool:
        """Do what a key says; returns whether the services are to be looked at anew."""
        ids, id_ = list(services), self._chosen
        self._notice = ""
        moves = {"down": 1, "j": 1, "up": -1, "k": -1, "home": -len(ids), "end": len(ids)}
        if key in moves and ids:
            at = ids.index(id_) + moves[key]
            self._chosen = ids[max(0, min(len(ids) - 1, at))]
            return False
        if key == "r":
            self._command(id_, "restart")
        elif key == "s":
            runs = services[id_]["state"] not in ("stopped", "failed", "inactive")
            self._command(id_, "stop" if runs else "start")
        elif key in ("l", "enter"):
            self._read(f"log of {id_}", lambda: _log(self._client, id_))
        elif key == "e":
            self._read(f"why {id_} is as it is", lambda: _why(self._client, id_))
        else:
            return False
        return True

    def _command(self, id_: str, action: str) -> None:
        answer = self._client.post(f"/services/{id_}/{action}")
        said = answer.json()
        self._notice = render.command(action, said) if answer.ok else answer.sentence
        if answer.ok and "note" in said:
            self._notice += f"; {said['note']}"

    def _read(self, title: str, text: Callable[[], str]) -> None:
        """Show a text, anew each second, until a key is pressed."""
        key = ""
        while not key:
            _put(reading(title, text().splitlines(), screen_of(sys.stdout)))
            key = self._keys.read(EVERY_S)


def _log(client: Client, id_: str) -> str:
    answer = client.get("/logs/tail", serviceId=id_, lines=USUAL_LINES)
    if not answer.ok:
        return answer.sentence
    return json_text.visible(COLOUR.sub("", answer.body.decode("utf-8", "replace")))


def _why(client: Client, id_: str) -> str:
    return text_of(explanation(client, id_), uncoloured)


def _draw(document: dict[str, Any], history: History, view: View) -> None:
    _put(frame(document, history, view, screen_of(sys.stdout)))


def _put(lines: list[str]) -> None:
    sys.stdout.write(json_text.readable(TOP + LINE_END.join([*lines, ""]) + REST))
    sys.stdout.flush()


@contextmanager
def _other_screen() -> Iterator[None]:
    with ended_as_by_ctrl_c():
        sys.stdout.write(OTHER_SCREEN)
        try:
            with given_back_when_suspended(sys.stdout, OWN_SCREEN, OTHER_SCREEN):
                yield
        finally:
            sys.stdout.write(OWN_SCREEN)
            sys.stdout.flush()
