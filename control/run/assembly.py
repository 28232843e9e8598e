"""The second half of a start: all that services need, up to those that wait for nothing.

Nothing slow may be imported here; a test lists the modules that are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.process.parent_watch import watch_parent
from bundlevisor.actors.telemetry.writer import Telemetry
from bundlevisor.control.run.bundle_start import BundleStart
from bundlevisor.control.run.console_events import Announcer
from bundlevisor.control.run.edges import open_edges
from bundlevisor.control.run.launch_specs import launch_specs
from bundlevisor.control.run.opening import Opening
from bundlevisor.control.run.secret_supply import SecretSupply

if TYPE_CHECKING:
    from bundlevisor.control.run.parts import Parts


def assemble(opened: Opening, parent: int) -> Parts:
    """Build what is missing, and start the services; ``parent`` is the pid of who started us."""
    bundle, console = opened.bundle, opened.console
    secrets = SecretSupply(bundle, console.warn)
    secrets.begin()
    specs = launch_specs(bundle)
    if any(spec.page for spec in specs.values()):
        from bundlevisor.actors.stand_ins.for_page import import_pipes

        import_pipes()
    telemetry = Telemetry(bundle.telemetry_path, console.warn)
    announcer = Announcer(console, telemetry, opened.board, specs)
    for reason in opened.set_aside:
        announcer.set_aside(reason)
    edges = open_edges(opened, announcer)
    if not bundle.options.keep_running:
        watch_parent(opened.loop, parent, opened.ending.ask)
    gpu, supervisor = BundleStart(opened, specs, announcer, edges, secrets).begin()
    from bundlevisor.control.run.parts import Parts

    return Parts(
        **msgspec.structs.asdict(opened),
        secrets=secrets,
        telemetry=telemetry,
        announcer=announcer,
        edges=edges,
        gpu=gpu,
        specs=specs,
        supervisor=supervisor,
    )
