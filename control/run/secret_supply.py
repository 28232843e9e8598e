"""The secrets of a run: opened when somebody needs them, settled beside the booting services."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pykka

from bundlevisor.actors.core.messages import SecretsChanged
from bundlevisor.actors.ports.service_ports import Ports
from bundlevisor.control.run.bundle import Bundle

if TYPE_CHECKING:
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.secrets.vault import Vault


class SecretSupply:
    """Opens the vault at the first use; a bundle without secrets never does at its start."""

    def __init__(self, bundle: Bundle, warn: Callable[[str], None]) -> None:
        self._bundle = bundle
        self._warn = warn
        self._opened: Vault | None = None

    def vault(self) -> Vault:
        """Return the secrets' values, read at the first use."""
        if self._opened is None:
            from bundlevisor.actors.secrets.vault import open_vault

            self._opened = open_vault(
                self._bundle.manifest,
                self._bundle.app_data,
                self._warn,
                os.environ,
                generates=not self._bundle.options.dry_run,
            )
        return self._opened

    def begin(self) -> None:
        """Have secrets made and stored beside the start, early; one without any costs nothing."""
        if self._bundle.manifest.secrets and not self._bundle.options.dry_run:
            self.vault().begin()

    def prepare(self, specs: Iterable[LaunchSpec], ports: Ports) -> Vault:
        """Remove the secret files that a dead runtime left, and return the vault."""
        from bundlevisor.actors.secrets.files import remove_left_over

        vault = self.vault()
        remove_left_over(specs, ports, vault.values_for, self._warn)
        return vault

    def settle(self, supervisor: pykka.ActorRef[Any], emit: Callable[..., None]) -> None:
        """Let the services start that have waited for the vault; say which ones still wait."""
        vault = self.vault()

        if vault.set_aside:
            emit("state_set_aside", None, reason=vault.set_aside)

        def look_again() -> None:
            supervisor.tell(SecretsChanged(frozenset()))

        def settled() -> None:
            for id_, missing in vault.held_back().items():
                emit("secrets_missing", id_, secrets=list(missing))
            look_again()

        vault.when_settled(settled, look_again)
