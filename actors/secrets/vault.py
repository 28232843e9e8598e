"""The vault: which secrets have which values, who receives them, who waits for them.

What the runtime makes itself is on disk before any service sees it: a service that encrypted its
data with a key which a power cut then takes away would have lost the data. So such a key counts as
missing until it is stored, which happens beside the boot; the supervisor is told when it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bundlevisor.actors.files.own_file import told
from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.secrets import store as file
from bundlevisor.actors.secrets.store import Kept
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan import secrets
from bundlevisor.manifest.plan.secrets import Rejection

if TYPE_CHECKING:
    from bundlevisor.actors.secrets.key_store import KeyStore

KEY_STORE_VARIABLE = "BUNDLEVISOR_KEYRING"
"""A yes in the runtime's environment switches the system's key store on; no service sees it."""
RETRY_FIRST = 0.5
RETRY_LONGEST = 30.0
"""Seconds until a disk that did not take the generated secrets is tried again."""
FORMER = 8
FORMER_LENGTH = 64 * 1024
"""How many former values of a secret are remembered, and how many characters of them in all."""


class Vault:
    """Implements :class:`bundlevisor.actors.core.collaborators.Vault`; every method may be called
    from any thread.

    ``key_store`` None keeps everything in the file. ``warn`` hears sentences about what cannot be
    read or written. ``generates`` False leaves those without a value that the runtime makes.
    """

    def __init__(
        self,
        manifest: Manifest,
        app_data: str,
        warn: Callable[[str], None],
        key_store: KeyStore | None = None,
        *,
        generates: bool = True,
    ) -> None:
        self._manifest = manifest
        self._app_data = app_data
        self._warn = warn
        self._key_store = key_store
        self._ids = frozenset(secret.id for secret in manifest.secrets)
        self._listed = {service.id: tuple(service.secrets) for service in manifest.services}
        self._writing = threading.Lock()
        self._telling = threading.Lock()
        self._told: list[Callable[[], object]] = []
        self._is_settled = False
        self._unreadable: OSError | None = None
        self.set_aside = ""
        """What was wrong with a torn file, in a sentence."""
        self._values = Concealed()
        self._former: dict[str, tuple[str, ...]] = {}
        """What a secret was before in this run, the latest first; never on disk."""
        self._kept = self._read() if manifest.secrets else Kept()
        self._unsettled = frozenset(self._ids if key_store else ())
        """Secrets that nobody may be given yet: still being asked for, or not stored."""
        self._unstored = Concealed()
        self._generates = generates
        self._take_in(self._kept.values)
        if key_store is None:
            self._generate()

    # For the supervisor

    def missing(self, service_id: str) -> tuple[str, ...]:
        """Return the secrets that hold a service back."""
        return self._missing.get(service_id, ())

    def values_for(self, service_id: str) -> dict[str, str]:
        """Return the values of the secrets that a service lists, by id."""
        values = self._values
        listed = dict.fromkeys(self._listed[service_id])
        return Concealed({id_: values[id_] for id_ in listed if id_ in values})

    def former_for(self, service_id: str) -> tuple[Concealed, ...]:
        """Return what the secrets that a service lists were before in this run.

        A service may have kept the old value, and tell with the new one in its hands that it was
        replaced: its output must not show either.
        """
        former = self._former
        listed = dict.fromkeys(self._listed[service_id]) if former else {}
        generations = (
            Concealed({id_: former[id_][age] for id_ in listed if len(former.get(id_, ())) > age})
            for age in range(FORMER)
        )
        return tuple(values for values in generations if values)

    # For the control API

    def present(self) -> frozenset[str]:
        """Return the ids of the manifest's secrets that have a value."""
        values = self._values
        return frozenset(id_ for id_ in self._ids if secrets.has_value(id_, values))

    def refused(self, submitted: Mapping[str, object]) -> tuple[Rejection, ...]:
        """Return why submitted values are refused; may take seconds for a hostile format."""
        from bundlevisor.actors.secrets.format_match import matches

        return secrets.judge(self._manifest, submitted, matches)

    def store(self, submitted: Mapping[str, str], timeout: float) -> frozenset[str]:
        """Store values, all or none; return the ids of those that are others now.

        They are on disk when this returns. Raises OSError, and TimeoutError when another write is
        not done within ``timeout`` seconds.
        """
        if not self._writing.acquire(timeout=timeout):
            raise TimeoutError("the secrets are being written")
        try:
            changed = Concealed(
                {id_: v for id_, v in submitted.items() if self._values.get(id_) != v}
            )
            if changed:
                self._save(Concealed({**self._unstored, **changed}))
                self._remember(changed)
                self._settle({**self._values, **changed})
            return frozenset(changed)
        finally:
            self._writing.release()

    # At the start

    def held_back(self) -> dict[str, tuple[str, ...]]:
        """Return the services that must wait for somebody to give a value, with what they need."""
        return secrets.held_back(self._manifest, self._values)

    def _generate(self) -> None:
        """Make the values that the runtime makes itself; nobody is given them before they are kept.

        What a key store holds, or a file that cannot be read may hold, is not made anew.
        """
        if self._generates and self._unreadable is None:
            self._unstored = Concealed(
                {
                    secret.id: secrets.generate(secret.generator, os.urandom)
                    for secret in secrets.missing_generated(self._manifest, self._values)
                    if secret.id not in self._kept.in_key_store
                }
            )
        self._unsettled = frozenset(self._unstored)
        self._take_in({**self._values, **self._unstored})

    def begin(self) -> None:
        """Ask the key store, and store what was generated, on a thread of its own; once.

        Begun early it is done by the time that services start: a millisecond of work takes ten
        beside the imports of a boot.
        """
        if self._unsettled:
            threading.Thread(target=self._settle_all, name="vault", daemon=True).start()
        else:
            self._tell()

    def when_settled(self, told: Callable[[], object]) -> None:
        """Call ``told`` once nobody waits for the vault any more, now if that is so."""
        with self._telling:
            if not self._is_settled:
                self._told.append(told)
                return
        told()

    def _tell(self) -> None:
        with self._telling:
            self._is_settled = True
        for hear in self._told:
            hear()

    def _settle_all(self) -> None:
        with self._writing:
            if self._key_store is not None:
                self._ask_key_store(self._key_store)
                self._generate()
        patience = RETRY_FIRST
        while trouble := self._store_generated():
            if patience == RETRY_FIRST:
                self._warn(
                    f"the generated secrets could not be stored ({trouble}); the services that"
                    " need them wait"
                )
            threading.Event().wait(patience)
            patience = min(RETRY_LONGEST, patience * 2)
        self._tell()

    def _store_generated(self) -> str:
        """Store what is not stored; return why that was not possible, empty when it was."""
        with self._writing:
            try:
                if self._unstored or self._to_move():
                    self._save(Concealed({**self._to_move(), **self._unstored}))
            except OSError as error:
                if self._unstored:
                    return told(error)
            self._settle(self._values)
        return ""

    def _read(self) -> Kept:
        try:
            kept, trouble = file.read(self._app_data)
        except OSError as error:
            self._unreadable = error
            self._warn(
                f"{file.path(self._app_data)} cannot be read ({error.strerror}); the services that"
                " need secrets wait"
            )
            return Kept()
        if trouble:
            self.set_aside = trouble
        if kept.in_key_store and self._key_store is None:
            self._warn(
                f"the key store holds {', '.join(sorted(kept.in_key_store))}; start with"
                f" {KEY_STORE_VARIABLE}=1 to use it"
            )
        return kept

    def _ask_key_store(self, key_store: KeyStore) -> None:
        """Add what the key store has; what stands in the file is newer. Else go on with that."""
        from bundlevisor.actors.secrets.key_store import KeyStoreUnavailable

        try:
            found = key_store.get(self._ids)
        except KeyStoreUnavailable as error:
            self._key_store = None
            self._warn(f"the key store is not used: {error}; secrets are kept in secrets.json")
            found = Concealed()
        self._values = Concealed({**found, **self._values})

    def _to_move(self) -> dict[str, str]:
        """Return what stands in the file and belongs into the key store."""
        if self._key_store is None:
            return {}
        return {id_: value for id_, value in self._kept.values.items() if id_ in self._ids}

    def _save(self, changed: Mapping[str, str]) -> None:
        """Store values where they belong; raises OSError. Only while ``_writing`` is held."""
        if self._unreadable is not None:
            raise self._unreadable
        moved = self._put_into_key_store(changed)
        rest = {id_: v for id_, v in {**self._kept.values, **changed}.items() if id_ not in moved}
        in_key_store = (self._kept.in_key_store - frozenset(changed)) | moved
        kept = Kept(Concealed(rest), in_key_store)
        file.write(self._app_data, kept.values, kept.in_key_store)
        self._kept = kept
        self._unstored = Concealed()

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

    def _remember(self, changed: Mapping[str, str]) -> None:
        """Keep what is about to be replaced, within bounds."""
        former = dict(self._former)
        for id_ in changed:
            before = (self._values.get(id_, ""), *former.get(id_, ()))
            kept = [value for value in dict.fromkeys(before) if value and value != changed[id_]]
            former[id_] = _within_bounds(kept)
        self._former = former

    def _settle(self, values: Mapping[str, str]) -> None:
        self._unsettled = frozenset()
        self._take_in(values)

    def _take_in(self, values: Mapping[str, str]) -> None:
        """Make these the present values, and see anew who waits for what."""
        self._values = Concealed(values)
        held = secrets.held_back(self._manifest, self._values)
        unsettled = self._unsettled
        self._missing = {
            id_: waiting
            for id_, listed in self._listed.items()
            if (
                waiting := tuple(
                    secret
                    for secret in dict.fromkeys(listed)
                    if secret in unsettled or secret in held.get(id_, ())
                )
            )
        }


def _within_bounds(values: list[str]) -> tuple[str, ...]:
    """Return the first values, as many as may be remembered."""
    kept = values[:FORMER]
    while kept and sum(map(len, kept)) > FORMER_LENGTH:
        kept.pop()
    return tuple(kept)


def open_vault(
    manifest: Manifest,
    app_data: str,
    warn: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    generates: bool,
) -> Vault:
    """Read what is kept; ``environ`` says whether the system's key store is wanted."""
    key_store = None
    if manifest.secrets and wants_key_store(environ, warn):
        from bundlevisor.actors.secrets.key_store import KeyStore

        key_store = KeyStore(manifest.app.name)
    return Vault(manifest, app_data, warn, key_store, generates=generates)


def wants_key_store(environ: Mapping[str, str], warn: Callable[[str], object]) -> bool:
    """Whether the environment switches the key store on; ``warn`` hears what is unclear in it."""
    if not environ.get(KEY_STORE_VARIABLE):
        return False
    from bundlevisor.manifest.format.flag import read_flag, unclear

    if ignored := unclear(environ, KEY_STORE_VARIABLE):
        warn(f"{ignored}; it is ignored, and secrets are kept in secrets.json")
    return bool(read_flag(environ, KEY_STORE_VARIABLE))
