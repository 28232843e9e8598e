#!/usr/bin/env python3
"""Does everything that the product can do with a built folder: ``exercise.py FOLDER --work DIR``.

For the audit of imports, for the tests, and for a folder of another machine: words after ``--with``
stand before each command (``qemu-aarch64-static``, ``wine``). The folder is run with an empty
environment. ``--root DIR`` runs it in a root of its own, where FOLDER and the work folder lie.
Prints a line for each thing done; ends with 1 at the first that went wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from exercising.asking import a_killed_guardian, a_page, asking_by_command, asking_by_http, services
from exercising.control_api import Api, alive
from exercising.place import Place
from exercising.programs import ask, running, set_loopback_up
from exercising.verdict import DEADLINE, Wrong, done, expect, until
from exercising.whole_bundle import leave_out_the_page, make_bundle
from shipping.targets import TARGETS, Target
from shipping.tools import CannotBuild


def main() -> int:
    """Try everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--target", default="linux-x64", choices=sorted(TARGETS))
    parser.add_argument(
        "--work", required=True, metavar="DIR", help="made anew; ours, empty or not there"
    )
    parser.add_argument("--root", default="", metavar="DIR")
    parser.add_argument(
        "--loopback", action="store_true", help="set the loopback up: a new network"
    )
    parser.add_argument(
        "--only-start", action="store_true", help="a start without a page, and a stop"
    )
    parser.add_argument("--with", dest="before", nargs=argparse.REMAINDER, default=[])
    asked = parser.parse_args()
    if asked.loopback:
        set_loopback_up()
    place = Place(asked.folder, asked.work, asked.root, asked.before)
    try:
        make_bundle(place, TARGETS[asked.target])
        if asked.only_start:
            start_and_stop(place)
            return 0
        without_an_instance(place)
        with_an_instance(place, TARGETS[asked.target])
    except (CannotBuild, Wrong) as wrong:
        print(f"WRONG: {wrong}")
        return 1
    return 0


def without_an_instance(place: Place) -> None:
    """Do what needs no running instance."""
    data = ("--app-data", place.app_data)
    ask(place, 0, "--version")
    ask(place, 0, "--help")
    ask(place, 0, "schema")
    ask(place, 0, "validate", "--manifest", place.manifest, *data)
    ask(
        place,
        1,
        "validate",
        "--manifest",
        os.path.join(place.work, "bundle", "wrong.json"),
        *data,
        accept=(1, 2),
    )
    ask(place, 2, "run", "--manifest", os.path.join(place.work, "bundle", "wrong.json"), *data)
    ask(place, 2, "run", "--manifest", os.path.join(place.work, "nothing.json"), *data)
    ask(place, 2, "no-such-command")
    ask(place, 4, "status", *data)
    done("validate, schema, help, version, wrong manifests, wrong words, no instance")
    developing(place, data)


def developing(place: Place, data: tuple[str, str]) -> None:
    """Make a bundle, and look at one, in every way that there is."""
    overlay = os.path.join(place.work, "bundle", "dev.json")
    with open(place.outside("bundle", "dev.json"), "w", encoding="utf-8") as file:
        json.dump({"services": {"api": {"env": {"LEVEL": "debug"}}, "later": None}}, file)
    given = ("--manifest", place.manifest, "--overlay", overlay)
    for language in ("python", "node"):
        ask(place, 0, "init", os.path.join(place.work, language), "--language", language)
    ask(place, 1, "init", os.path.join(place.work, "node"))
    for words in (("config",), ("config", "--json"), ("config", "api")):
        ask(place, 0, *words, *given, *data)
    for flags in ((), ("--mermaid",), ("--dot",)):
        ask(place, 0, "graph", *given, *flags)
    for shell in ("bash", "zsh", "fish", "powershell"):
        ask(place, 0, "completion", shell)
    ask(place, 0, "completion", "services", "--manifest", place.manifest)
    done("init, overlays, config, graph, completion")


def start_and_stop(place: Place) -> None:
    """Start, wait until all is ready, and stop, as a shell does."""
    leave_out_the_page(place)
    words = ("run", "--manifest", place.manifest, "--app-data", place.app_data)
    with running(place, *words) as process:
        api = Api(place)
        expect(200, "a secret", api.post("/secrets", {"secrets": {"asked": "word"}}))
        expect(200, "readiness", api.get("/readyz?wait=40"))
        expect(200, "the state", api.get("/status"))
        api.stream("/events?after=0", "text/event-stream", b"data:")
        api.post("/shutdown", {})
        process.wait(DEADLINE)
    done("a start and a stop")


def with_an_instance(place: Place, target: Target) -> None:
    """Do everything with a running instance, and stop it."""
    words = ("run", "--watch", "--manifest", place.manifest, "--app-data", place.app_data)
    with running(place, *words) as process:
        asking_by_command(place)
        api = Api(place)
        asking_by_http(api)
        a_page(api)
        services(place, api)
        if target.system == "linux":
            a_killed_guardian(api)
        ask(place, 3, *words)
        done("a second instance is refused")
        left = api.children()
        ask(place, 0, "shutdown", "--app-data", place.app_data, "--wait", "30")
        code = process.wait(DEADLINE)
        if code != 0:
            raise Wrong(f"the runtime ended with {code}")
        until("everything is gone", lambda: not any(map(alive, left)))
    done("shutdown")
    with running(place, *words):
        ask(place, 0, "ready", "--app-data", place.app_data, "--wait", "30", accept=(0, 1))
        ask(place, 0, "timeline", "--app-data", place.app_data, "--compare", accept=(0, 1, 2))
        ask(place, 0, "shutdown", "--app-data", place.app_data, "--wait", "30")
    done("a second start")


if __name__ == "__main__":
    sys.exit(main())
