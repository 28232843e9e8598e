"""``bundlevisor exec ID -- COMMAND``: a command in the environment of a service that is up.

Ports are asked of the instance. Values of secrets are read where a start reads them, and only those
that the service is given: the instance hands none out. Everything else of the environment is that
of this terminal, with what the bundle adds.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bundlevisor.actors.files import instance
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.queries import Refused, accepted, check_service
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse

    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.run.bundle import Bundle


def execute(client: Client, arguments: argparse.Namespace) -> int:
    """Hand over to the command; returns its exit code, 126 or 127 where it cannot be run."""
    from bundlevisor.control.develop.hand_over import CannotRun, hand_over
    from bundlevisor.control.run.launch_specs import launch_specs

    bundle = _bundle(client)
    id_ = arguments.service
    specs = launch_specs(bundle)
    if id_ not in specs:
        check_service(client, id_)
        raise Refused(f"the bundle on disk has no service '{id_}' any more")
    env, cwd = _place(specs[id_], bundle, accepted(client.get("/ports"))["services"])
    sys.stdout.flush()
    try:
        return hand_over(arguments.words, env, cwd)
    except CannotRun as error:
        return complain(str(error), error.code)


def _bundle(client: Client) -> Bundle:
    """Return the bundle that the instance runs, as it is on disk now; raises Refused."""
    from bundlevisor.control.run.bundle import Bundle
    from bundlevisor.control.run.options import RunOptions
    from bundlevisor.manifest.read import load

    app_data = client.endpoint.app_data
    record = instance.peek(app_data)
    if record is None:
        raise Refused(f"{instance.path(app_data)} does not say which bundle runs")
    loaded = load.read(record.manifest, overlays=record.overlays)
    if loaded.manifest is None:
        first = loaded.findings.errors[0]
        raise Refused(first.told(record.manifest))
    if loaded.sha256 != accepted(client.get("/status"))["manifest_hash"]:
        _warn("the bundle was changed since it was started; what is on disk counts here")
    options = RunOptions(
        manifest=record.manifest, bundle_root=record.bundle_root, overlay=record.overlays
    )
    return Bundle(loaded.manifest, loaded, options, app_data, f"exec-{os.getpid()}")


def _place(
    spec: LaunchSpec, bundle: Bundle, ports: dict[str, dict[str, int]]
) -> tuple[dict[str, str], str]:
    """Return the environment and the folder of the service; raises Refused."""
    from bundlevisor.actors.gpu import presence
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.launch.spec import CannotLaunch
    from bundlevisor.actors.secrets.given import values_of
    from bundlevisor.manifest.format.paths import PathRefused
    from bundlevisor.manifest.plan.launch import working_folder
    from bundlevisor.manifest.plan.template import Unresolved

    values = values_of(spec.service.id, bundle.manifest, bundle.app_data, os.environ, _warn)
    inputs = StartInputs(ports, values, presence.look(os.environ).available)
    try:
        env = spec.environment(inputs, spec.site.instance_id)  # of no start: no sweep ends it
        folder = working_folder(spec.binary, spec.scope(inputs))
        for path in spec.secret_files(inputs):
            if not os.path.exists(path):
                _warn(f"{path} is not there: it is only while the service runs")
    except (Unresolved, PathRefused, CannotLaunch) as error:
        raise Refused(str(error)) from error
    return dict(env), folder


def _warn(sentence: str) -> None:
    complain(sentence, exit_codes.OK)
