"""Enumerations of signal and socket that are made when something is first asked of them.

They have some two hundred members, which take longer to make than the rest of these modules, and a
start asks for none: a constant is the number that it stands for until then.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Which = Callable[[str], bool]


class LateEnum:
    """Stands for an enumeration in its module, until the real one takes its place there."""

    def __init__(self, base: str, name: str, module: str, which: Which) -> None:
        self._make = base, name, module, which

    @property
    def _real(self) -> Any:
        import enum

        base, name, module, which = self._make
        found: Any = vars(sys.modules[module])
        if found.get(name) is self:
            maker: Any = getattr(enum, base)
            maker._convert_(name, module, which)
        return found[name]

    def __call__(self, *values: Any) -> Any:
        """Return a member by its value."""
        return self._real(*values)

    def __getitem__(self, name: str) -> Any:
        """Return a member by its name."""
        return self._real[name]

    def __iter__(self) -> Iterator[Any]:
        """Go through its members."""
        return iter(self._real)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._real)

    def __contains__(self, member: object) -> bool:
        """Whether it is one of the members."""
        return member in self._real

    def __instancecheck__(self, instance: object) -> bool:
        """Whether it is one of the members."""
        return isinstance(instance, self._real)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real, attribute)


def standing_for_enum() -> ModuleType:
    """Return what stands for ``enum`` while signal or socket is imported."""
    stand_in = ModuleType("enum")
    for base in ("IntEnum", "IntFlag"):
        setattr(stand_in, base, _maker(base))
    return stand_in


def _maker(base: str) -> type:
    def convert(name: str, module: str, which: Which) -> None:
        setattr(sys.modules[module], name, LateEnum(base, name, module, which))

    return type(base, (), {"_convert_": staticmethod(convert)})
