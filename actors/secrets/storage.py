"""Where secrets are kept: in the file, or in the system's key store as far as that takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.secrets import store as file
from bundlevisor.actors.secrets.store import Kept
from bundlevisor.manifest.format.variables import KEY_STORE

if TYPE_CHECKING:
    from bundlevisor.actors.secrets.key_store import KeyStore


class SecretStorage:
    """One thread at a time may use it; ``warn`` hears what cannot be read or written."""

    def __init__(
        self,
        app_data: str,
        ids: frozenset[str],
        warn: Callable[[str], None],
        key_store: KeyStore | None,
    ) -> None:
        self._app_data = app_data
        self._ids = ids
        self._warn = warn
        self._key_store = key_store
        self._unreadable: OSError | None = None
        self.unreadable = ""
        """Why it is not known what stands in the file; empty where it is."""
        self.set_aside = ""
        """What was wrong with a torn file, in a sentence."""
        self._kept = self._read() if ids else Kept()

    @property
    def values(self) -> Mapping[str, str]:
        """What stands in the file."""
        return self._kept.values

    @property
    def in_key_store(self) -> frozenset[str]:
        """What the key store is known to hold."""
        return self._kept.in_key_store

    @property
    def out_of_reach(self) -> frozenset[str]:
        """What the key store is known to hold where it is locked, or not switched on.

        Where it answers, it has what it gives: somebody may have removed the rest from it.
        """
        return self._kept.in_key_store if self._key_store is None else frozenset()

    def from_key_store(self) -> Mapping[str, str]:
        """Return what the key store has; where it cannot be used all goes on without it."""
        if self._key_store is None:
            return {}
        from bundlevisor.actors.secrets.key_store import KeyStoreUnavailable

        try:
            return self._key_store.get(self._ids)
        except KeyStoreUnavailable as error:
            self._key_store = None
            self._warn(f"the key store is not used: {error}; secrets are kept in secrets.json")
            return {}

    def to_move(self) -> dict[str, str]:
        """Return what stands in the file and belongs into the key store."""
        if self._key_store is None:
            return {}
        return {id_: value for id_, value in self._kept.values.items() if id_ in self._ids}

    def save(self, changed: Mapping[str, str]) -> None:
        """Store values where they belong, on disk when this returns; raises OSError."""
        if self._unreadable is not None:
            raise self._unreadable
        moved = self._put_into_key_store(changed)
        rest = {id_: v for id_, v in {**self._kept.values, **changed}.items() if id_ not in moved}
        in_key_store = (self._kept.in_key_store - frozenset(changed)) | moved
        kept = Kept(Concealed(rest), in_key_store)
        file.write(self._app_data, kept.values, kept.in_key_store)
        self._kept = kept

    def _put_into_key_store(self, values: Mapping[str, str]) -> frozenset[str]:
        """Return the ids of what the key store has taken; the file takes the rest."""
        if self._key_store is None:
            return frozenset()
        from bundlevisor.actors.secrets.key_store import KeyStoreUnavailable

        try:
            taken = self._key_store.put(values)
        except KeyStoreUnavailable as error:
            self._warn(f"the key store was not written: {error}; secrets.json is, instead")
            return frozenset()
        refused = sorted(frozenset(values) - taken)
        if refused:
            self._warn(f"the key store did not take {', '.join(refused)}; secrets.json does")
        return taken

    def _read(self) -> Kept:
        try:
            kept, trouble = file.read(self._app_data)
        except OSError as error:
            self._unreadable = error
            self.unreadable = f"{file.path(self._app_data)} cannot be read ({error.strerror})"
            self._warn(f"{self.unreadable}; the services that need secrets wait")
            return Kept()
        if trouble:
            self.set_aside = trouble
        if kept.in_key_store and self._key_store is None:
            self._warn(
                f"the key store holds {', '.join(sorted(kept.in_key_store))}; start with"
                f" {KEY_STORE}=1 to use it"
            )
        return kept


def wants_key_store(environ: Mapping[str, str], warn: Callable[[str], object]) -> bool:
    """Whether the environment switches the key store on; ``warn`` hears what is unclear in it."""
    if not environ.get(KEY_STORE):
        return False
    from bundlevisor.manifest.format.flag import read_flag, unclear

    if ignored := unclear(environ, KEY_STORE):
        warn(f"{ignored}; it is ignored, and secrets are kept in secrets.json")
    return bool(read_flag(environ, KEY_STORE))
