"""The bundle as a whole: version, target, control address, paths of the runtime's own files."""

from __future__ import annotations

from bundlevisor.manifest.check.view import View, check_path
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.format.schema import MODES, TARGET, VERSIONS
from bundlevisor.manifest.format.suggest import hint, quoted
from bundlevisor.manifest.plan.ports import REFUSED_BY_BROWSERS


def check(view: View, report: Report) -> None:
    """Check what stands at the top of the bundle."""
    manifest = view.manifest
    if manifest.schema_version not in VERSIONS:
        report.error(
            "schema_version_unsupported",
            "schema_version",
            f"schema_version '{manifest.schema_version}' is not supported; this runtime reads"
            f" {quoted(VERSIONS)}.",
        )
    if manifest.target != TARGET:
        near = hint(manifest.target, (TARGET,))
        report.error(
            "target_unsupported",
            "target",
            f"target '{manifest.target}' is not supported{near}; it must be '{TARGET}'.",
        )
    _check_ipc(view, report)
    check_path(manifest.telemetry.file, "telemetry.file", view, report)


def _check_ipc(view: View, report: Report) -> None:
    ipc = view.manifest.ipc
    if ipc.mode not in MODES:
        near = hint(ipc.mode, MODES)
        report.error(
            "ipc_mode_unsupported",
            "ipc.mode",
            f"ipc.mode '{ipc.mode}' is not supported{near}; it must be 'loopback-http'.",
        )
    if not address_of(ipc.host):
        report.error(
            "ipc_host_not_loopback",
            "ipc.host",
            f"ipc.host '{ipc.host}' is not a loopback address: others could reach the control API;"
            " write '127.0.0.1'.",
        )
    if ipc.port in REFUSED_BY_BROWSERS:
        report.warning(
            "port_refused_by_browsers",
            "ipc.port",
            f"ipc.port is {ipc.port}, which browsers refuse, so neither a window nor the dashboard"
            " can ask the control API (ERR_UNSAFE_PORT); choose another number, or 0 for any.",
        )
    check_path(ipc.auth_token_path, "ipc.auth_token_path", view, report)
