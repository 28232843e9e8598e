"""``python -m bundlevisor`` is the command ``bundlevisor``."""

import sys

from bundlevisor.control.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
