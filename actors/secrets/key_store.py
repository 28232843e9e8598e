"""Secrets in the operating system's key store, through the package ``keyring`` (an extra).

A key store may be locked and wait for a user who is not there, so each call is made in a process
of its own with a time-out. A value is stored when it can be read back: some stores drop silently,
others refuse what is long (Windows takes 2560 bytes, CREDENTIALW).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.process import isolated_call

TIMEOUT = 20.0
"""Seconds: time for a user to unlock it."""

_REASONS = {
    "ModuleNotFoundError": "the package 'keyring' is not there (pip install"
    " 'bundlevisor[keyring]'; a shipped folder has none)",
    "NoKeyringError": "this system has none",
    "KeyringLocked": "it is locked",
}


class KeyStoreUnavailable(Exception):
    """The key store did not answer, or cannot; the sentence says why."""


class KeyStore:
    """One app's entries; every method blocks for up to ``timeout`` s and raises on failure."""

    def __init__(self, app_name: str, timeout: float = TIMEOUT) -> None:
        self._app_name = app_name
        self._timeout = timeout

    def get(self, ids: Collection[str]) -> Concealed:
        """Return the values that are there. Raises KeyStoreUnavailable."""
        return Concealed(self._call("get", Concealed(dict.fromkeys(ids, ""))))

    def put(self, values: Mapping[str, str]) -> frozenset[str]:
        """Store values; return the ids of those that really are stored now."""
        return frozenset(self._call("put", Concealed(values)))

    def _call(self, verb: str, values: Concealed) -> Concealed:
        try:
            return isolated_call.call(perform, verb, self._app_name, values, timeout=self._timeout)
        except TimeoutError:
            raise KeyStoreUnavailable(f"it did not answer within {self._timeout:g} s") from None
        except isolated_call.CallFailed as error:
            raise KeyStoreUnavailable(_REASONS.get(str(error), f"it failed ({error})")) from None


def perform(verb: str, app_name: str, values: Concealed) -> Concealed:
    """Do what was asked for, in the other process."""
    import keyring

    found = Concealed()
    for id_, value in values.items():
        if verb == "put":
            _store(app_name, id_, value)
        there = keyring.get_password(app_name, id_)
        if there is not None and (verb == "get" or there == value):
            found[id_] = there if verb == "get" else ""
    return found


def _store(app_name: str, id_: str, value: str) -> None:
    import keyring
    from keyring.errors import PasswordSetError

    try:
        keyring.set_password(app_name, id_, value)
    except PasswordSetError:
        return
