"""How each service of a bundle is launched on this machine."""

from __future__ import annotations

import os

import msgspec

from bundlevisor.actors.launch.page import is_page, page_group, upstream_of
from bundlevisor.actors.launch.spec import BundleSite, LaunchSpec
from bundlevisor.actors.logs.path import log_path
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.manifest.format import platform
from bundlevisor.manifest.format.schema import UI_BUNDLE, Service


def launch_specs(bundle: Bundle) -> dict[str, LaunchSpec]:
    """Return them by the services' ids, in the manifest's order."""
    site = BundleSite(
        bundle_root=bundle.root,
        app_data=bundle.app_data,
        environment=dict(os.environ),
        instance_id=bundle.instance_id,
        secrets={secret.id: secret for secret in bundle.manifest.secrets},
    )
    key = platform.current_key()
    services = bundle.manifest.services
    specs = {one.id: _spec(bundle, site, one, index, key) for index, one in enumerate(services)}
    pages = [id_ for id_, spec in specs.items() if spec.page]
    group = None
    if len(pages) > 1:
        group = page_group(services, pages, {id_: one.depends_on for id_, one in specs.items()})
    if group is not None:
        specs |= {id_: msgspec.structs.replace(specs[id_], group=group) for id_ in group.ids}
    return specs


def _spec(bundle: Bundle, site: BundleSite, service: Service, index: int, key: str) -> LaunchSpec:
    binary = platform.pick_binary(service, key)[0]
    others = bundle.manifest.services
    return LaunchSpec(
        service,
        binary,
        site,
        log_path(service, bundle.app_data),
        depends_on=bundle.graph.all_dependencies(service.id),
        index=index,
        page=is_page(service, binary, bundle.root),
        upstream=upstream_of(service, others) if service.type == UI_BUNDLE else None,
    )
