"""How a change to the core is named."""

from __future__ import annotations

Change = tuple[str, str]
"""By the function (``room.module.function``) and the line as the change leaves it, without blanks
around it: mutmut's numbers would be others after the next commit."""
