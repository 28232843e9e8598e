"""The files by which this instance is found: its token, its port, and the record of it."""

from __future__ import annotations

import os

from bundlevisor.actors.files import endpoint, instance
from bundlevisor.actors.guardian.in_the_making import in_the_making
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.console import Console


class EndpointFiles:
    """Written at the start, again where app-data was removed, and removed in the end."""

    def __init__(self, bundle: Bundle, guardian: Guardian, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.token = endpoint.new_token()
        self._bundle = bundle
        self._guardian = guardian

    def write(self) -> None:
        """Write them, for the guardian to remove if the runtime dies; raises OSError.

        It knows of each before it is there, and of the new file that is renamed to it: each step
        may be the runtime's last act.
        """
        bundle, guardian = self._bundle, self._guardian
        token, port = bundle.token_path, endpoint.port_path(bundle.app_data)
        with in_the_making(guardian) as making:
            endpoint.write_token(
                token,
                self.token,
                making=making,
                announce=lambda new: guardian.own(token, beside=new),
            )
            endpoint.write_port(
                bundle.app_data,
                self.port,
                making=making,
                announce=lambda new: guardian.own(port, beside=new),
            )
        guardian.telemetry(bundle.telemetry_path)
        guardian.own(instance.path(bundle.app_data), containing=bundle.instance_id.encode())

    def say_listening(self, console: Console) -> None:
        """Tell the shell where the API listens, in the one line on stdout."""
        console.tell_parent(
            {
                "event": "listening",
                "host": self.host,
                "port": self.port,
                "pid": os.getpid(),
                "token_path": self._bundle.token_path,
                "instance_id": self._bundle.instance_id,
            }
        )

    def remove(self) -> None:
        """Remove what is still ours."""
        bundle = self._bundle
        endpoint.remove_if_ours(bundle.token_path, self.token)
        endpoint.remove_if_ours(endpoint.port_path(bundle.app_data), str(self.port))
