"""Which process serves the next page of a bundle that has several.

One for all of them, until it ends with pages in it: from then on each page has a process of its
own, so that the one that brings its server down again and again takes no other along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.guardian.guarded import OURS, GuardedProcess
from bundlevisor.actors.process.own_children import starting
from bundlevisor.actors.ui_server.parent.page_host import PageHost
from bundlevisor.actors.ui_server.parent.ui_process import start
from bundlevisor.manifest.format.variables import mark_of
from bundlevisor.manifest.plan import environment

if TYPE_CHECKING:
    import socket

    from bundlevisor.actors.guardian.interface import Guardian
    from bundlevisor.actors.launch.page import PageGroup
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.actors.ui_server.config import UiConfig
    from bundlevisor.actors.ui_server.parent.hosted_page import HostedPage

NAME = f"{OURS}pages"
"""Takes the place of a service's id in its mark."""


class PageHosts:
    """One for a runtime; the events loop's thread only."""

    def __init__(self, loop: Loop, guardian: Guardian) -> None:
        self._loop = loop
        self._guardian = guardian
        self._host: PageHost | None = None
        self._started = 0
        self._has_failed = False

    def group_of(self, spec: LaunchSpec) -> PageGroup | None:
        """Return the pages with which one shares a process at present, if there is any."""
        return None if self._has_failed else spec.group

    def serve(
        self,
        spec: LaunchSpec,
        group: PageGroup,
        config: UiConfig,
        instance: str,
        output: int,
        listener: socket.socket | None,
    ) -> HostedPage:
        """Serve a page in the process of its group, which is started if need be; OSError."""
        if self._host is not None and self._host.is_open:
            return self._host.add(instance, config, listener, output)
        self._started += 1
        mark = mark_of(spec.site.instance_id, NAME, self._started)
        self._guardian.expect(
            GuardedProcess(NAME, mark, grace_s=group.grace_s, depends_on=group.needs)
        )
        env = environment.of_helper(spec.site.environment, mark)
        try:
            with starting():
                ui = start(config, output, env, listener, page=instance, pages=len(group.ids))
        except BaseException:
            self._guardian.forget(mark)
            raise
        child = ui.child
        self._guardian.spawned(mark, child.pid, child.created, child.session)
        host = self._host = PageHost(
            ui, self._loop, self._share_no_more, lambda: self._guardian.forget(mark)
        )
        return host.began_with(instance)

    def _share_no_more(self) -> None:
        self._has_failed = True
