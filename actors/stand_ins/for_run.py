"""Imports the libraries of a start without what they import and do not use yet.

msgspec, pykka and others import modules for features that a start never touches (JSON Schema, log
formatting). While one of them is imported, a :class:`~bundlevisor.actors.stand_ins.late.Late`
module stands where such a module would be; on the first real use it imports the real one, which
takes its place everywhere. There is one thread until the opening has been imported.

tests/control/stand_ins fails when a library no longer imports what is named here.
"""

from __future__ import annotations

import os
import sys

from bundlevisor.actors.stand_ins.late import Late, StandingIn
from bundlevisor.actors.stand_ins.late_enum import standing_for_enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def import_for_opening() -> None:
    """Import what the manifest and the first answer need."""
    import_typing()
    with UncompiledReferences():
        import_msgspec()


def import_for_services() -> None:
    """Import what a service actor needs before it can spawn; there are threads by then."""
    if sys.platform == "win32":
        import_subprocess()
    with UncompiledReferences():
        import_pykka()


def import_typing() -> None:
    """Import typing without ``re``, of which it wants two classes for two aliases.

    The classes are had from a pattern made without re's compiler: one that says 'success' (1) at
    once. Where that does not work, typing is imported as ever.
    """
    try:
        pattern = __import__("_sre").compile("", 0, [1], 0, {}, (None,))
        match = pattern.match("")
    except (ImportError, TypeError, ValueError, RuntimeError, AttributeError):
        return
    with StandingIn({"re": Late("re", Pattern=type(pattern), Match=type(match))}):
        import typing  # noqa: F401


def import_subprocess() -> None:
    """Import subprocess without ``locale``, which it asks for the encoding of text pipes."""
    with StandingIn({"locale": Late("locale")}):
        import subprocess  # noqa: F401


def import_signal_and_socket() -> None:
    """Import them without making their enumerations; as ever where they are made in another way."""
    try:
        with StandingIn({"enum": standing_for_enum()}):
            import signal  # noqa: F401
            import socket  # noqa: F401
    except (AttributeError, ImportError, TypeError):
        return


def import_multiprocessing() -> None:
    """Import multiprocessing without its pickling, which a forked child does not need.

    ``multiprocessing.util`` wants subprocess for one function that only other start methods call;
    the guardian, forked next, would carry it all its life.
    """
    import_signal_and_socket()
    with StandingIn({"multiprocessing.reduction": Late("multiprocessing.reduction")}):
        import multiprocessing
    subprocess = Late("subprocess").with_functions("_args_from_interpreter_flags")
    with StandingIn({"subprocess": subprocess}):
        import multiprocessing.util
    if sys.platform != "win32":
        import multiprocessing.popen_fork  # noqa: F401


def import_msgspec() -> None:
    """Import msgspec without its schema, TOML and YAML sides.

    - ``typing_extensions`` (10 ms, where it is installed) is said to be missing: msgspec then takes
      the same names from :mod:`typing`, which has them since Python 3.11.
    - ``platform`` is wanted by ``uuid`` for one word, ``re`` for patterns in a Struct.
    - ``uuid`` does without libuuid, which nobody here asks for an address of a network card.
    - ``decimal`` is wanted for one class, by which msgspec knows its numbers. No Struct of ours has
      one, so it gets a class without any: then it does not know them, and says so (TypeError).
    - ``datetime`` is its C accelerator itself, as in Python 3.12; before, datetime.py first runs a
      whole implementation in Python and then replaces it by the same names.
    """
    schema = Late("msgspec._json_schema")
    stand_ins: dict[str, ModuleType | None] = {
        "typing_extensions": None,
        "platform": Late("platform", system=system_name),
        "_uuid": None,
        "decimal": Late("decimal", Decimal=type("Decimal", (), {})),
        "re": Late("re").with_functions("compile"),
        "msgspec.inspect": Late("msgspec.inspect"),
        "msgspec._json_schema": schema.with_functions("schema", "schema_components"),
        "msgspec.toml": Late("msgspec.toml"),
        "msgspec.yaml": Late("msgspec.yaml"),
    }
    if sys.version_info < (3, 12):
        stand_ins["datetime"] = __import__("_datetime")
    with StandingIn(stand_ins):
        import msgspec  # noqa: F401


def import_pykka() -> None:
    """Import pykka without logging, which nobody has configured yet, and without proxies of actors
    and their messages: ours are told other ones.
    """
    logging = Late("logging", NullHandler=object)
    logging.get_ready(getLogger=LateLogger)
    proxies = Late("pykka._proxy").with_functions("ActorProxy", "CallableProxy", "traversable")
    introspection = Late("pykka._introspection").with_functions("get_attr_directly")
    stand_ins = {"pykka._proxy": proxies, "pykka._introspection": introspection}
    stand_ins["pykka.messages"] = Late("pykka.messages").with_functions("_ActorStop")
    with StandingIn({"logging": logging, **stand_ins}):
        import pykka  # noqa: F401


class UncompiledReferences:
    """Has annotations that are strings compiled when they are evaluated, not when they are made.

    The first compile() of a process makes the types of all syntax trees, for 1.2 ms. What
    typing.ForwardRef keeps of it goes to eval(), which takes the string as well.
    """

    def __enter__(self) -> None:
        sys.modules["typing"].__dict__["compile"] = lambda source, *_: source

    def __exit__(self, *_: object) -> None:
        del sys.modules["typing"].__dict__["compile"]


class LateLogger:
    """A library's logger while nobody has imported logging, and so nobody asks for details.

    It never waits for logging to be imported by another thread, which may be waiting itself.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._real: Any = None

    def addHandler(self, _null: object) -> None:  # noqa: N802 - logging's own word
        """Leave it to the real logger, which gets a NullHandler of its own."""

    def debug(self, *args: Any, **options: Any) -> None:
        """Log, if somebody has imported logging."""
        if self._is_wanted():
            self._real.debug(*args, **options)

    def info(self, *args: Any, **options: Any) -> None:
        """Log, if somebody has imported logging."""
        if self._is_wanted():
            self._real.info(*args, **options)

    def __getattr__(self, attribute: str) -> Any:
        import logging

        return getattr(self._found(logging), attribute)

    def _is_wanted(self) -> bool:
        if self._real is None:
            logging = sys.modules.get("logging")
            if logging is None or isinstance(logging, Late) or _is_being_imported(logging):
                return False
            self._found(logging)
        return True

    def _found(self, logging: Any) -> Any:
        if self._real is None:
            real = logging.getLogger(self._name)
            real.addHandler(logging.NullHandler())
            self._real = real
        return self._real


def _is_being_imported(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


if sys.platform == "win32":

    def system_name() -> str:
        """Say what ``platform.system()`` says."""
        return "Windows"

else:

    def system_name() -> str:
        """Say what ``platform.system()`` says."""
        return os.uname().sysname
