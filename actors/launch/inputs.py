"""What a start needs of the rest of the bundle, and values that nobody may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bundlevisor.actors.logs.redact import Redactor


class StartInputs(msgspec.Struct, frozen=True):
    """What a start needs from the rest of the bundle at that moment."""

    ports: dict[str, dict[str, int]]
    secrets: dict[str, str] = {}
    """The values that the service is given, by id."""
    gpu: bool = False
    former: tuple[dict[str, str], ...] = ()
    """What its secrets were before, and it may still know: hidden like those that it is given."""

    def hidden(self) -> tuple[tuple[str, bytes], ...]:
        """Return what must not be seen of the service's output."""
        if not self.secrets and not self.former:
            return ()
        from bundlevisor.actors.logs.secret_forms import forms

        return tuple(one for values in (self.secrets, *self.former) for one in forms(values))

    def redactor(self) -> Redactor | None:
        """Return what hides these secrets in one stream of output; None when there are none."""
        if not self.secrets and not self.former:
            return None
        from bundlevisor.actors.logs.redact import Redactor

        return Redactor(self.hidden())


class Concealed(dict[str, str]):
    """Values by name; its text shows the names only, and so does the text of what holds it."""

    def __repr__(self) -> str:
        return f"<concealed: {', '.join(self) or 'nothing'}>"

    __str__ = __repr__


def encoded(secrets: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """Return secrets as the bytes that services read from their files."""
    return tuple((id_, value.encode("utf-8", "surrogateescape")) for id_, value in secrets.items())
