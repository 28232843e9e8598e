"""Modules that are imported when something is first asked of them, while a library is imported.

No stand-in stays in ``sys.modules``, and other threads get none while it is there: whoever imports
such a module himself gets the real one. What is loaded already is never stood in for.

Nothing but built-in modules and ``types`` is imported here: this file comes before the others.
"""

from __future__ import annotations

import builtins
import sys
from _thread import _count, allocate_lock, get_ident
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_one_at_a_time = allocate_lock()


class Late(ModuleType):
    """Stands for a module until something is asked of it; then the real one takes its place.

    ``ready`` are attributes to be had without the real module, while a library is imported, and by
    the thread that imports it.
    """

    def __init__(self, name: str, **ready: object) -> None:
        super().__init__(name)
        vars(self).update(_ready=ready, _thread=get_ident())

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
        if attribute in ready and get_ident() == vars(self)["_thread"]:
            return ready[attribute]
        return getattr(self.become_real(), attribute)


class StandingIn:
    """Places stand-ins in ``sys.modules`` for modules not loaded yet, and takes them out again.

    One thread at a time does so; an import by another one takes the stand-in's place.
    """

    def __init__(self, stand_ins: Mapping[str, ModuleType | None]) -> None:
        """A name with None is said to be missing: only while there is one thread."""
        self._stand_ins = stand_ins
        self._placed: dict[str, ModuleType | None] = {}
        self._thread = 0
        self._import: Any = None

    def __enter__(self) -> None:
        _one_at_a_time.acquire()
        self._thread = get_ident()
        self._placed = {k: v for k, v in self._stand_ins.items() if k not in sys.modules}
        modules: dict[str, Any] = sys.modules  # None in it means: not to be had
        modules.update(self._placed)
        if _count():
            self._import, builtins.__import__ = builtins.__import__, self._import_in_others

    def __exit__(self, *_: object) -> None:
        if self._import is not None:
            builtins.__import__ = self._import
        for name, stand_in in self._placed.items():
            if sys.modules.get(name, self) is stand_in:
                del sys.modules[name]
            if isinstance(stand_in, Late):
                stand_in.settle()
        _one_at_a_time.release()

    def _import_in_others(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - what __import__ takes
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and get_ident() != self._thread:
            words = name.split(".")
            wanted = [".".join(words[: n + 1]) for n in range(len(words))]
            for one in (*wanted, *(f"{name}.{part}" for part in fromlist or ())):
                stand_in = sys.modules.get(one)
                if isinstance(stand_in, Late):
                    stand_in.become_real()
        imported: ModuleType = self._import(name, globals, locals, fromlist, level)
        return imported


def _calling(late: Late, name: str) -> Callable[..., Any]:
    found: list[Any] = []

    def function(*args: Any, **options: Any) -> Any:
        if not found:
            found.append(getattr(late.become_real(), name))
            _replace(function, found[0])
        return found[0](*args, **options)

    function.__name__ = function.__qualname__ = name
    return function


def _replace(stand_in: object, real: object) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is stand_in:
                setattr(module, name, real)
