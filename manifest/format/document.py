"""What every Struct of a bundle is made of.

Annotations are evaluated as they stand: see :mod:`bundlevisor.manifest.format.schema`.
"""

from typing import Annotated

import msgspec

LARGEST = 2**53 - 1  # what every JSON program reads exactly (RFC 8259, section 6)
Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
LAST_PORT = 65_535
"""Of TCP."""
Port = Annotated[int, msgspec.Meta(ge=1, le=LAST_PORT)]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every Struct that is read from a bundle: frozen, named fields only.

    An unknown field is no error of the format: it only sends the reader the slow way, where
    :mod:`bundlevisor.manifest.read.collect` turns it into a warning and leaves it out.
    """


class Extension(Document, frozen=True, kw_only=True):
    """Base of the parts that only this runtime knows.

    The others are also written by Go programs, where 0 and ``""`` mean that a field is absent;
    here they mean what they say.
    """
