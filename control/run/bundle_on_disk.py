"""What a command says of a bundle that was changed since the start, which a restart does not read.

The disk is looked at beside the answer, which waits for that no longer than ``PATIENCE_S``.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from bundlevisor.control.watch.differences import details, differences
from bundlevisor.manifest.read import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.control.run.bundle import Bundle

PATIENCE_S = 0.5
SHOWN = 3
"""How many of them a sentence names."""


class BundleOnDisk:
    """Compares what is on disk with what runs; any thread."""

    def __init__(self, bundle: Bundle, emit: Callable[..., None]) -> None:
        """``emit`` is told each change once (``bundle_changed``), unless files are watched: then
        that is told as it happens."""
        self._bundle = bundle
        self._emit = emit
        self._told: tuple[tuple[str, ...], ...] = ((), ())
        self._turn = threading.Lock()

    def note(self) -> str:
        """Return a sentence on what is different.

        Empty where nothing is, the disk hangs, or the system gives no thread to look at it.
        """
        found: list[str] = []
        look = threading.Thread(target=lambda: found.append(self._look()), daemon=True)
        with suppress(RuntimeError):  # no more threads: the command is accepted all the same
            look.start()
            look.join(PATIENCE_S)
        return found[0] if found else ""

    def _look(self) -> str:
        options = self._bundle.options
        loaded = load.read(options.manifest, overlays=options.overlay)
        errors = tuple(one.told(options.manifest) for one in loaded.findings.errors)
        changes = (
            () if loaded.manifest is None else differences(self._bundle.manifest, loaded.manifest)
        )
        with self._turn:
            if not options.watch and (changes, errors) != self._told:
                self._told = changes, errors
                self._emit("bundle_changed", None, **details(changes, errors))
        return sentence(changes, errors)


def sentence(changes: tuple[str, ...], errors: tuple[str, ...]) -> str:
    """Return what is to be said of these differences; empty where there are none."""
    if errors:
        return f"the bundle on disk could not be started now, and is not used: {errors[0]}"
    if not changes:
        return ""
    more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    places = ", ".join(changes[:SHOWN]) + more
    return (
        f"the bundle was changed since it was started ({places}), and this run does not use that:"
        " end it and start it again"
    )
