"""Descriptors on their way into a child that inherits them; the child imports nothing but this."""


class InheritedFd:
    """A descriptor that the child has under the same number."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def detach(self) -> int:
        """Return the descriptor; called in the child."""
        return self._fd
