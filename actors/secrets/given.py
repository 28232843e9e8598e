"""The values that a service is given, read beside a runtime that runs: nothing is written.

For a person at the terminal, who may read the same files; no runtime hands values out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.actors.launch.inputs import Concealed
from bundlevisor.actors.secrets import store
from bundlevisor.actors.secrets.storage import wants_key_store
from bundlevisor.actors.secrets.store import Kept
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.secrets import has_value


def values_of(
    service_id: str,
    manifest: Manifest,
    app_data: str,
    environ: Mapping[str, str],
    warn: Callable[[str], object],
) -> Concealed:
    """Return the values of the secrets that the service lists, by id, and of no other.

    ``warn`` hears why values are missing. KeyError where the bundle has no such service.
    """
    listed = dict.fromkeys(manifest.service(service_id).secrets)
    if not listed:
        return Concealed()
    found = _kept(app_data, warn).values
    if wants_key_store(environ, warn):
        found = Concealed({**_in_key_store(manifest.app.name, listed, warn), **found})
    values = Concealed({id_: found[id_] for id_ in listed if has_value(id_, found)})
    for id_ in listed:
        if id_ not in values:
            warn(f"secret '{id_}' has no value: the command goes without")
    return values


def all_values(
    manifest: Manifest | None,
    app_data: str,
    environ: Mapping[str, str],
    warn: Callable[[str], object],
) -> Concealed:
    """Return every value that is kept, by id: for taking them out of what is passed on.

    What the file says that the key store holds is asked of that whatever ``environ`` says: often
    only an application switches it on, for its runtime.
    """

    def cannot_be_masked(reason: str) -> None:
        warn(f"{reason}; its values cannot be masked")

    kept = _kept(app_data, cannot_be_masked)
    ids = set(kept.in_key_store)
    if manifest is not None and wants_key_store(environ, warn):
        ids |= {secret.id for secret in manifest.secrets}
    if not ids:
        return kept.values
    if manifest is None:
        cannot_be_masked("the key store cannot be asked without the bundle (--manifest)")
        return kept.values
    listed = dict.fromkeys(sorted(ids))
    held = _in_key_store(manifest.app.name, listed, cannot_be_masked)
    return Concealed({**held, **kept.values})


def _kept(app_data: str, warn: Callable[[str], object]) -> Kept:
    try:
        return store.peek(app_data)
    except (OSError, ValueError) as error:
        reason = error_text(error) if isinstance(error, OSError) else "it is torn"
        warn(f"{store.path(app_data)} cannot be read: {reason}")
        return Kept()


def _in_key_store(
    app: str, ids: Mapping[str, object], warn: Callable[[str], object]
) -> Mapping[str, str]:
    from bundlevisor.actors.secrets.key_store import KeyStore, KeyStoreUnavailable

    try:
        return KeyStore(app).get(list(ids))
    except KeyStoreUnavailable as error:
        warn(f"the key store is not used: {error}")
        return {}
