"""What a request asks for: usually a path, but whoever takes us for a proxy names us as well."""

from __future__ import annotations

SCHEME = "http://"


def absolute(target: str) -> tuple[str, str] | None:
    """Return host and path (with its query) of an absolute target; None for any other.

    RFC 9112, section 3.2.2: a server has to accept it, and what it names is the host.
    """
    if target[: len(SCHEME)].lower() != SCHEME:
        return None
    rest = target[len(SCHEME) :]
    end = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    path = rest[end:]
    return rest[:end], path if path.startswith("/") else f"/{path}"
