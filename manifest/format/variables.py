"""What the variables are called by which the runtime tells, and is told; and the mark of a start.

No imports: the guardian reads this.
"""

from __future__ import annotations

MARK = "SERVICE_INSTANCE_ID"
"""Says to which start of which service a process belongs: by this it is found, whoever its parent
is by then. No bundle can give it another value."""

APP_DATA_DIR = "APP_DATA_DIR"
BUNDLE_ROOT = "BUNDLE_ROOT"
SERVICE_ID = "SERVICE_ID"

SECRET_FILE_PREFIX = "SECRET_FILE_"  # noqa: S105
"""``SECRET_FILE_<ID>`` holds the path of a file secret."""

GPU_AVAILABLE = "BUNDLE_GPU_AVAILABLE"
"""Told to services; where the runtime itself is given it, it says whether there is a GPU."""
GPU_MODE = "BUNDLE_GPU_MODE"

CHROMIUM = "PLAYWRIGHT_CHROMIUM_PATH"
"""The browser of a Playwright service, in the bundle or Electron's."""

ELECTRON_CHROMIUM = "ELECTRON_CHROMIUM_PATH"
"""Electron's browser, told by the shell; for services whose bundle has none."""

NOTIFY_SOCKET = "NOTIFY_SOCKET"
WATCHDOG_USEC = "WATCHDOG_USEC"
OF_A_MANAGER = (
    *(NOTIFY_SOCKET, WATCHDOG_USEC, "WATCHDOG_PID"),
    *("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"),
    *("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"),
)
"""By these a manager tells its own child of sd_notify(3) and sd_listen_fds(3), or of the channel
that Node's ``stdio: 'ipc'`` gives it (as PM2 does): they are for the runtime, where it was started
so. No service may speak for it, nor has any its descriptors."""

PRIVATE_PREFIX = "BUNDLEVISOR_"
"""The runtime's own variables (its control token among them): no service receives them."""
KEY_STORE = f"{PRIVATE_PREFIX}KEYRING"
"""Has secrets kept in the system's key store."""


def mark_of(instance_id: str, what: str, number: int) -> str:
    """Return the mark of a start: of a service, or of a process of ours in a service's place."""
    return f"{mark_prefix(instance_id)}{what}-{number}"


def mark_prefix(instance_id: str) -> str:
    """Return what the marks of all that an instance has started begin with, and no other's."""
    return f"{instance_id}-"
