"""Single keys of the terminal, as they are pressed: ``with Keyboard() as keys: keys.read(0.5)``.

Chosen once for the platform. Letters come as they are, the others by name: ``up``, ``down``,
``page up``, ``page down``, ``home``, ``end``, ``enter``, ``escape``. Ctrl-C stays an interrupt.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.control.cli.screen.keys_windows import Keyboard
else:
    from bundlevisor.control.cli.screen.keys_posix import Keyboard

__all__ = ["Keyboard"]
