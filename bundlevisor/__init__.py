"""The runtime that a desktop application ships beside its window.

In a checkout the rooms (``actors``, ``control``, ``manifest``, ``perf``) lie beside this folder, in
an installation within it. The links in a checkout are for tools that follow no ``__path__``.
"""

import os

__version__ = "0.2.0"

_above = os.path.dirname(__path__[0])
if os.path.exists(os.path.join(_above, "packaging", "bundlevisor")):  # the launcher: a checkout
    __path__.insert(0, _above)
del _above
