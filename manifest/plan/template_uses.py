"""The texts of a service in which templates are replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from bundlevisor.manifest.format.findings import child
from bundlevisor.manifest.format.platform import pick_binary
from bundlevisor.manifest.format.schema import Binary, Service
from bundlevisor.manifest.format.secret import Secret
from bundlevisor.manifest.plan.template import Names, references


class Text(msgspec.Struct, frozen=True):
    """One text; its path is relative to the service.

    ``elsewhere``: it belongs to a binary that is not for this platform.
    """

    path: str
    value: str
    elsewhere: bool = False


def texts_of(service: Service, secrets: Mapping[str, Secret], platform: str) -> Iterator[Text]:
    """Yield every text of the service that holds a template."""
    yield from _of_map(service.env, "env")
    chosen, _ = pick_binary(service, platform)
    for key, binary in service.binaries.items():
        for path, value in _of_binary(binary):
            if "${" in value:
                yield Text(f"{child('binaries', key)}.{path}", value, binary is not chosen)
    if service.health:
        yield from _of_list(service.health.command, "health.command")
    for index, migration in enumerate(service.migrations):
        yield from _of_list(migration.command, f"migrations[{index}].command")
        yield from _of_map(migration.env, f"migrations[{index}].env")
    for index, name in enumerate(service.secrets):
        secret = secrets.get(name)
        if secret and secret.target.type == "file" and "${" in secret.target.name:
            yield Text(f"secrets[{index}]", secret.target.name)


def ports_named(
    service: Service, secrets: Mapping[str, Secret], platform: str, ports: Names
) -> set[tuple[str, str]]:
    """Return the ports that the service's texts name on a platform, as (service, port name).

    When one of them changes, the service must be rendered anew.
    """
    return {
        pair
        for text in texts_of(service, secrets, platform)
        if not text.elsewhere
        for pair in references(text.value, ports)
    }


def _of_binary(binary: Binary) -> Iterator[tuple[str, str]]:
    yield "cwd", binary.cwd
    for index, value in enumerate(binary.args):
        yield f"args[{index}]", value
    for name, value in binary.env.items():
        yield child("env", name), value


def _of_map(values: Mapping[str, str], path: str) -> Iterator[Text]:
    for name, value in values.items():
        if "${" in value:
            yield Text(child(path, name), value)


def _of_list(values: list[str], path: str) -> Iterator[Text]:
    for index, value in enumerate(values):
        if "${" in value:
            yield Text(f"{path}[{index}]", value)
