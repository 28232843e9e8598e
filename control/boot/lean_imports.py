"""Imports the libraries of the start without what they import and do not use yet.

msgspec, pykka, Falcon and others import modules for features that a start never touches (JSON
Schema, log formatting, asyncio, cookie jars). While one of them is imported, a :class:`Late` module
stands where such a module would be; on the first real use it imports the real one, which takes its
place everywhere. No stand-in stays in ``sys.modules``: whoever imports such a module himself gets
the real one. What is loaded already is never stood in for.

Nothing but ``sys``, ``os`` and ``types`` is imported here: this file comes before the others.
tests/control/test_lean_imports.py fails when a library no longer imports what is named here.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def import_for_run() -> None:
    """Import what a service actor needs before it can spawn, in the order that costs least."""
    import_typing()
    import_subprocess()
    import_msgspec()
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


def import_multiprocessing() -> None:
    """Import multiprocessing without its pickling, which a forked child does not need.

    ``multiprocessing.util`` wants subprocess for one function that only other start methods call;
    the guardian, forked next, would carry it all its life.
    """
    with StandingIn({"multiprocessing.reduction": Late("multiprocessing.reduction")}):
        import multiprocessing
    subprocess = Late("subprocess").with_functions("_args_from_interpreter_flags")
    with StandingIn({"subprocess": subprocess}):
        import multiprocessing.util
    if sys.platform != "win32":
        import multiprocessing.popen_fork  # noqa: F401


def import_msgspec() -> None:
    """Import msgspec without its schema, TOML and YAML sides.

    - ``typing_extensions`` (10 ms; aiohttp brings it) is said to be missing: msgspec then takes
      the same names from :mod:`typing`, which has them since Python 3.11.
    - ``platform`` is wanted by ``uuid`` for one word, ``re`` for patterns in a Struct.
    - ``datetime`` is its C accelerator itself, as in Python 3.12; before, datetime.py first runs a
      whole implementation in Python and then replaces it by the same names.
    """
    schema = Late("msgspec._json_schema")
    stand_ins: dict[str, ModuleType | None] = {
        "typing_extensions": None,
        "platform": Late("platform", system=_system),
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
    """Import pykka without logging, which nobody has configured yet."""
    logging = Late("logging", NullHandler=object)
    logging.get_ready(getLogger=LateLogger)
    with StandingIn({"logging": logging}):
        import pykka  # noqa: F401


def import_falcon() -> None:
    """Import Falcon without its asynchronous half, its XML, cookie jars and pathlib.

    ``http.cookiejar`` (http.client, ssl, email and tempfile stand behind it) and ``pathlib`` are
    wanted for annotations only: these get the names of the classes, as forward references.
    """
    import xml.etree  # noqa: F401 - the parent of a module that is stood in for
    from typing import ForwardRef

    asyncio = Late("asyncio")
    asyncio.get_ready(Runner=lambda: LateRunner(asyncio))
    stand_ins = {
        "asyncio": asyncio.with_functions("create_task", "get_running_loop"),
        "http.cookiejar": Late("http.cookiejar", Cookie=ForwardRef("http.cookiejar.Cookie")),
        "pathlib": Late("pathlib", Path=ForwardRef("pathlib.Path")),
        "xml.etree.ElementTree": Late("xml.etree.ElementTree"),
    }
    with StandingIn(stand_ins):
        import falcon  # noqa: F401


def import_waitress() -> None:
    """Import waitress without logging, its command line (getopt, with gettext) and traces.

    ``calendar`` (locale and datetime stand behind it) is wanted for dates that nobody sends, and
    ``ipaddress``, by urllib.parse, for targets with an address of IPv6.
    """
    logging = Late("logging")
    logging.get_ready(getLogger=LateLogger)
    stand_ins = {
        "calendar": Late("calendar"),
        "getopt": Late("getopt"),
        "ipaddress": Late("ipaddress"),
        "logging": logging,
        "platform": Late("platform", system=_system),
        "traceback": Late("traceback"),
    }
    with StandingIn(stand_ins):
        import waitress.server  # noqa: F401


class Late(ModuleType):
    """Stands for a module until something is asked of it; then the real one takes its place.

    ``ready`` are attributes to be had without the real module, while a library is imported.
    """

    def __init__(self, name: str, **ready: object) -> None:
        super().__init__(name)
        vars(self)["_ready"] = ready

    def get_ready(self, **more: object) -> None:
        """Have these attributes too."""
        vars(self)["_ready"].update(more)

    def with_functions(self, *names: str) -> Late:
        """Have functions of these names, which call the real ones."""
        self.get_ready(**{name: _calling(self, name) for name in names})
        return self

    def settle(self) -> None:
        """Have nothing of its own any more: the import is over."""
        vars(self)["_ready"] = {}

    def become_real(self) -> ModuleType:
        """Import the module and put it wherever this one is a global of some module."""
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        __import__(name)
        real = sys.modules[name]
        _replace(self, real)
        return real

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        ready = vars(self)["_ready"]
        return ready[attribute] if attribute in ready else getattr(self.become_real(), attribute)


class StandingIn:
    """Places stand-ins in ``sys.modules`` for modules not loaded yet, and takes them out again."""

    def __init__(self, stand_ins: Mapping[str, ModuleType | None]) -> None:
        self._placed = {k: v for k, v in stand_ins.items() if k not in sys.modules}

    def __enter__(self) -> None:
        modules: dict[str, Any] = sys.modules  # None in it means: not to be had
        modules.update(self._placed)

    def __exit__(self, *_: object) -> None:
        for name, stand_in in self._placed.items():
            if sys.modules.get(name, self) is stand_in:
                del sys.modules[name]
            if isinstance(stand_in, Late):
                stand_in.settle()


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


class LateRunner:
    """An asyncio.Runner that is made when it is first used; Falcon makes one as it is imported."""

    def __init__(self, asyncio: Late) -> None:
        self._asyncio = asyncio

    def __getattr__(self, attribute: str) -> Any:
        if "_real" not in vars(self):
            self._real = self._asyncio.become_real().Runner()
        return getattr(self._real, attribute)


def _calling(late: Late, name: str) -> Callable[..., Any]:
    found: list[Any] = []

    def function(*args: Any, **options: Any) -> Any:
        if not found:
            found.append(getattr(late.become_real(), name))
            _replace(function, found[0])
        return found[0](*args, **options)

    function.__name__ = function.__qualname__ = name
    return function


def _is_being_imported(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


def _replace(stand_in: object, real: object) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is stand_in:
                setattr(module, name, real)


if sys.platform == "win32":

    def _system() -> str:
        """Say what ``platform.system()`` says."""
        return "Windows"

else:

    def _system() -> str:
        """Say what ``platform.system()`` says."""
        return os.uname().sysname
