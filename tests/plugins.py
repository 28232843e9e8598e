"""Which plugins pytest has where the test command runs it: these, not all that are installed.

Our own is one of those, by an entry point. Loaded in that way it has pytest rewrite every module of
ours as if it were a test: three seconds for what asserts nothing. What tests our plugin loads it as
its users do (``tests/packaging/test_outside_suite.py``).
"""

from __future__ import annotations

NO_OTHERS = "--disable-plugin-autoload"
TIMEOUT = ("-p", "timeout")  # without it pytest.ini_options has a name that nobody knows
ALONE = (NO_OTHERS, *TIMEOUT)
"""For one process without Hypothesis' examples."""
SHARED = (*ALONE, "-p", "hypothesispytest", "-p", "xdist")
"""For all tests, in several processes."""
