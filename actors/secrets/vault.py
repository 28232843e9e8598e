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

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.secrets.former_values import FormerValues
from bundlevisor.actors.secrets.storage import SecretStorage, wants_key_store
from bundlevisor.actors.secrets.store import path
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.format.variables import KEY_STORE
from bundlevisor.manifest.plan import secrets
from bundlevisor.manifest.plan.secrets import Rejection

if TYPE_CHECKING:
    from bundlevisor.actors.secrets.key_store import KeyStore

WITHHELD = (
    f"the key store has it, and does not give it: unlock that, start again with {KEY_STORE}=1"
)
RETRY_FIRST = 0.5
RETRY_LONGEST = 30.0
"""Seconds until a disk that did not take the generated secrets is tried again."""


class Vault:
    """Implements :class:`bundlevisor.actors.collaborators.Vault`; every method may be called
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
        self._warn = warn
        self._ids = frozenset(secret.id for secret in manifest.secrets)
        self._listed = {service.id: tuple(service.secrets) for service in manifest.services}
        self._writing = threading.Lock()
        self._telling = threading.Lock()
        self._waiting: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._is_settled = False
        self._storage = SecretStorage(app_data, self._ids, warn, key_store)
        self._values = Concealed()
        self._former = FormerValues()
        self._asks_key_store = key_store is not None
        """Until that has answered, or is found to be of no use."""
        self._unsettled = frozenset(self._ids if key_store else ())
        """Secrets that nobody may be given yet: still being asked for, or not stored."""
        self._unstored = Concealed()
        self._generates = generates
        self._writes = f"{path(app_data)} is being written"
        self._hindrance = "the key store is being asked" if key_store else self._writes
        self._take_in(self._storage.values)
        if key_store is None:
            self._generate()

    @property
    def set_aside(self) -> str:
        """What was wrong with a torn file, in a sentence."""
        return self._storage.set_aside

    # For the supervisor

    def missing(self, service_id: str) -> tuple[str, ...]:
        """Return the secrets that hold a service back."""
        return self._missing.get(service_id, ())

    def hindrance(self, service_id: str) -> str:
        """Return why what holds a service back is not there, where that is not for a person to
        give."""
        if self._storage.unreadable:
            return self._storage.unreadable
        missing = frozenset(self.missing(service_id))
        if self._unsettled & missing:
            return self._hindrance
        return WITHHELD if self._storage.out_of_reach & missing else ""

    def values_for(self, service_id: str) -> dict[str, str]:
        """Return the values of the secrets that a service lists, by id."""
        values = self._values
        listed = dict.fromkeys(self._listed[service_id])
        return Concealed({id_: values[id_] for id_ in listed if id_ in values})

    def former_for(self, service_id: str) -> tuple[Concealed, ...]:
        """Return what the secrets that a service lists were before in this run."""
        return self._former.of(self._listed[service_id])

    # For the control API

    def present(self) -> frozenset[str]:
        """Return the ids of the manifest's secrets that have a value."""
        values = self._values
        return frozenset(id_ for id_ in self._ids if secrets.has_value(id_, values))

    def pending(self) -> frozenset[str]:
        """Return the ids of those of which it is not known yet whether they have a value."""
        if not (self._asks_key_store and self._generates):  # a dry run asks no key store
            return frozenset()
        return self._ids - self.present()

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
                self._former.replace(self._values, changed)
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
        if self._generates and not self._storage.unreadable:
            self._unstored = Concealed(
                {
                    secret.id: secrets.generate(secret.generator, os.urandom)
                    for secret in secrets.missing_generated(self._manifest, self._values)
                    if secret.id not in self._storage.in_key_store
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

    def when_settled(
        self, on_settled: Callable[[], object], on_hindrance: Callable[[], object] = bool
    ) -> None:
        """Call ``on_settled`` once nobody waits for the vault any more, now if that is so.

        Until then ``on_hindrance`` is called whenever :meth:`hindrance` has become another.
        """
        with self._telling:
            if not self._is_settled:
                self._waiting.append((on_settled, on_hindrance))
                return
        on_settled()

    def _tell(self) -> None:
        with self._telling:
            self._is_settled = True
        for on_settled, _ in self._waiting:
            on_settled()

    def _hinder(self, why: str) -> None:
        with self._telling:
            is_news, self._hindrance = why != self._hindrance, why
            concerned = [on_hindrance for _, on_hindrance in self._waiting if is_news]
        for on_hindrance in concerned:
            on_hindrance()

    def _settle_all(self) -> None:
        with self._writing:
            if self._asks_key_store:  # what stands in the file is newer
                self._values = Concealed({**self._storage.from_key_store(), **self._values})
                self._generate()
                self._asks_key_store = False  # last: what has a value is known by then
            self._hinder(self._writes)
        patience = RETRY_FIRST
        while trouble := self._store_generated():
            self._hinder(trouble)
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
                moving = self._storage.to_move()
                if self._unstored or moving:
                    self._save(Concealed({**moving, **self._unstored}))
            except OSError as error:
                if self._unstored:
                    return error_text(error)
            self._settle(self._values)
        return ""

    def _save(self, changed: Mapping[str, str]) -> None:
        """Store values, generated ones among them; raises OSError. Only under ``_writing``."""
        self._storage.save(changed)
        self._unstored = Concealed()

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
