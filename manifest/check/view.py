"""A bundle as its rules look at it, with the tables that several of them need."""

from __future__ import annotations

import msgspec

from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.paths import PathRefused, is_template_of, normalise
from bundlevisor.manifest.format.platform import minds_case
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.format.secret import Secret
from bundlevisor.manifest.plan.command import names_program


class Place(msgspec.Struct, frozen=True):
    """One service with its JSON path."""

    service: Service
    path: str

    @property
    def id(self) -> str:
        """The service's id."""
        return self.service.id

    @property
    def ports(self) -> list[str]:
        """The names of the service's own ports."""
        return [request.name for request in self.service.port_requests]


class View(msgspec.Struct, frozen=True):
    """The bundle, its services with their paths, and its names."""

    manifest: Manifest
    platform: str
    places: tuple[Place, ...]
    ports: dict[str, dict[str, None]]
    """The port names of each service, in their order; of one id's services, of all of them."""
    secrets: dict[str, Secret]

    @classmethod
    def of(cls, manifest: Manifest, platform: str) -> View:
        """Build the tables."""
        places = tuple(
            Place(service, f"services[{index}]") for index, service in enumerate(manifest.services)
        )
        ports: dict[str, dict[str, None]] = {}
        for place in places:
            ports.setdefault(place.id, {}).update(dict.fromkeys(place.ports))
        return cls(
            manifest, platform, places, ports, {secret.id: secret for secret in manifest.secrets}
        )

    @property
    def on_windows(self) -> bool:
        """Whether the bundle is looked at for Windows."""
        return self.platform.startswith("win-")

    @property
    def minds_case(self) -> bool:
        """Whether two names that differ only in case are two files where it is looked at for."""
        return minds_case(self.platform)


def check_path(
    text: str, path: str, view: View, report: Report, service: str = "", *, template: bool = False
) -> None:
    """Report a path that leaves its root. With ``template`` it may start with ``${data}``."""
    relative = _below_template(text) if template else text
    try:
        normalise(relative, windows=view.on_windows)
    except PathRefused as refused:
        report.error(refused.code, path, _sentence(service, str(refused)), service)


def check_word(words: list[str], path: str, view: View, report: Report, service: str) -> None:
    """Report a command without a word, or whose first word leads out of the bundle."""
    if not names_program(words):
        report.error(
            "empty_command",
            path,
            f"service '{service}': this command names no program; add one.",
            service,
        )
    else:
        check_path(words[0], f"{path}[0]", view, report, service, template=True)


def _below_template(text: str) -> str:
    for name in ("data", "bundle"):
        if is_template_of(text, name):
            return text.removeprefix(f"${{{name}}}").lstrip("/\\")
    return text


def _sentence(service: str, sentence: str) -> str:
    return f"service '{service}': {sentence}" if service else sentence
