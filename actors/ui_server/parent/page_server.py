"""Starting the UI server of a page as the child of a service actor."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.page import page_of
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.process.own_children import starting
from bundlevisor.actors.ui_server.config import UiConfig, configure
from bundlevisor.actors.ui_server.parent.ui_process import start
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.schema import Service
from bundlevisor.manifest.plan.template import Unresolved

if TYPE_CHECKING:
    from bundlevisor.actors.ui_server.parent.hosted_page import HostedPage
    from bundlevisor.actors.ui_server.parent.page_hosts import PageHosts
    from bundlevisor.actors.ui_server.parent.ui_process import UiProcess

    PageServer = UiProcess | HostedPage
    """A process for one page, or a part of one that several share."""


def serve_page(
    spec: LaunchSpec,
    inputs: StartInputs,
    instance: str,
    output: int,
    held: socket.socket | None,
    hosts: Callable[[], PageHosts],
) -> PageServer:
    """Start the server of a page; CannotLaunch says why that cannot be done.

    ``hosts`` has those of pages that share a process.
    """
    try:
        config = _configure(spec, inputs)
        env = spec.environment(inputs, instance)
        group = spec.group and hosts().group_of(spec)
        if group is not None:
            return hosts().serve(spec, group, config, instance, output, held)
        with starting():
            return start(config, output, env, held)
    except (PathRefused, Unresolved, ValueError) as error:
        raise spec.refusal(str(error), fatal=True) from error
    except OSError as error:
        raise spec.refusal(f"its page cannot be served: {error}") from error


def upstream_port(spec: LaunchSpec, inputs: StartInputs) -> int | None:
    """Return the port of the API behind a page at this moment."""
    if spec.upstream is None:
        return None
    service, name = spec.upstream
    return inputs.ports.get(service, {}).get(name)


def _configure(spec: LaunchSpec, inputs: StartInputs) -> UiConfig:
    service = spec.service
    page = page_of(service, spec.binary, spec.site.bundle_root)
    ports = inputs.ports.get(service.id, {})
    if page is None:
        raise spec.refusal("its page has become a program; start the runtime again", fatal=True)
    if lack := page.lack():
        raise spec.refusal(lack)
    if not ports:
        raise spec.refusal("its page needs a port: ports.requested names none", fatal=True)
    return configure(
        service_id=service.id,
        root=page.root,
        index=page.index,
        port=next(iter(ports.values())),
        upstream=None,  # which is told as soon as it is known that it runs
        proxied=spec.upstream is not None,
        health_path=_health_path(service),
        metadata=service.metadata,
    )


def _health_path(service: Service) -> str:
    """Return the path that the health check asks, without its query; empty when it asks none."""
    if service.health is None or service.health.type != "http":
        return ""
    return service.health.request_path.partition("?")[0]
