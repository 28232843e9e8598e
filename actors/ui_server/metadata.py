"""What the author of a bundle may set for a served ui-bundle, in the service's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

Milliseconds = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata fields that the UI server knows; all others belong to somebody else."""

    content_security_policy: str = ""
    connect_timeout_ms: Milliseconds = 5_000
    response_timeout_ms: Milliseconds = 60_000
    allowed_origins: list[str] = []
    max_connections: Annotated[int, msgspec.Meta(ge=1)] = 1000

    def __post_init__(self) -> None:
        """A line break would let the policy end its header and begin another."""
        if any(ord(char) < 32 or ord(char) > 126 for char in self.content_security_policy):
            raise ValueError("content_security_policy must be one line of ASCII text")


def read(metadata: Mapping[str, Any]) -> Settings:
    """Return the settings, null counting as left out; ValueError with the field for a bad value."""
    given = {name: value for name, value in metadata.items() if value is not None}
    try:
        return msgspec.convert(given, Settings)
    except msgspec.ValidationError as error:
        where = str(error).replace("`$.", "`metadata.")
        raise ValueError(f"metadata: {where}; please correct it") from None
