"""What a bundle says of a secret; never its value.

Annotations are evaluated as they stand: see :mod:`bundlevisor.manifest.format.schema`.
"""

from typing import Annotated, Literal

import msgspec

from bundlevisor.manifest.format.document import Document, NonEmpty


class SecretPrompt(Document, frozen=True, kw_only=True):
    """What the shell shows when it asks the user for a secret."""

    label: str = ""
    description: str = ""
    hint: str = ""


class SecretGenerator(Document, frozen=True, kw_only=True):
    """How a ``per_install_generated`` secret is made."""

    type: Literal["random", "uuid"] = "random"
    length: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 32
    charset: NonEmpty = "alnum"


class SecretTarget(Document, frozen=True, kw_only=True):
    """How a service receives a secret: an environment variable or a file under app-data."""

    type: Literal["env", "file"]
    name: str = ""


SecretClass = Literal["per_install_generated", "user_prompt", "remote_fetch", "infrastructure"]


class Secret(Document, frozen=True, kw_only=True):
    """A value that only the services which list it receive."""

    id: NonEmpty
    class_: SecretClass = msgspec.field(name="class")
    target: SecretTarget
    description: str = ""
    format: str = ""
    required: bool = True
    prompt: SecretPrompt | None = None
    generator: SecretGenerator | None = None
