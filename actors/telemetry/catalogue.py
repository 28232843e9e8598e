"""All telemetry events: what they are called, what they mean, and what stands in their details.

The description of the API and ``docs/events.md`` are made from here.
"""

from __future__ import annotations

import msgspec

from bundlevisor.manifest.format.codes import SERVICE, WARNING


class Kind(msgspec.Struct, frozen=True):
    """What an event means, and what its details are; ``of`` is what it is about."""

    meaning: str
    of: str
    fields: dict[str, str] = {}


def _runtime(meaning: str, **fields: str) -> Kind:
    return Kind(meaning, "runtime", fields)


def _service(meaning: str, **fields: str) -> Kind:
    return Kind(meaning, "service", fields)


LIFE = {
    "runtime_start": _runtime(
        "the runtime starts the bundle",
        app="its name",
        version="its version",
        services="how many it has",
        instance_id="of this start",
        pid="of the runtime",
        port="of the control API",
        dry_run="whether nothing is started",
    ),
    "bundle_validation": _runtime(
        "what was found wrong with the manifest as it was started",
        valid="whether no service is concerned",
        errors="how many findings fail a service",
        warnings="how many fail nothing",
        codes="which kinds there are",
    ),
    "ready": _runtime(
        "all services are ready for the first time",
        after_ms="since the process began",
        summary="where the time went, in a sentence",
    ),
    "runtime_shutdown": _runtime("the orderly stop is over", reason="who asked for it"),
    "runtime_died": _runtime(
        "the runtime died without one; the guardian has ended what it left",
        signal="that ended it, if one did and it is known: on Linux, to root until the runtime is "
        "reaped, and to everybody from then on (6.15)",
        exit_code="else its exit code, where that is known",
        found="services that ran",
        stopped="of these, by being asked",
        killed="the others",
        left="processes that could not be ended",
        seconds="that it took",
        log_bytes="that were saved from pipes",
        log_bytes_dropped="that were not",
    ),
    "runtime_error": Kind("an error of ours", "either", {"error": "what it says"}),
    "system_resumed": _runtime("the system slept", seconds="that were missed"),
    "slow_turn": _runtime("the loop was held up", what="by what", ms="for how long"),
    "app_data_removed": _runtime("app-data was removed; our files are back", folder="which"),
    "state_set_aside": _runtime("a file of ours could not be used", reason="which, and why"),
    "telemetry_dropped": _runtime("events are missing here", count="how many"),
    "guardian_replaced": _runtime(
        "the guardian died; another one guards", died="pid of the one", pid="of the other"
    ),
    "guardian_failed": _runtime(
        "a guardian could not be started, or has not answered",
        died="pid of the one that it was to follow, or its own; 0: it was to be in reserve",
        error="why",
    ),
    "ipc_port_reassigned": _runtime(
        "the manifest's control port is taken or reserved",
        previous="that port",
        port="the one in force",
    ),
}
SERVICES = {
    "service_start": _service("its process runs", pid="of its leader"),
    "service_start_failed": _service("it could not be started", error="why"),
    "service_ready": _service("it is ready"),
    "service_not_ready": _service("it did not become ready", error="why"),
    "unhealthy": _service(
        "its health check failed too often in a row", error="the last time", failures="how often"
    ),
    "service_exit": _service(
        "its leader has ended",
        exit_code="the code; -N for signal N",
        error="how, in words",
        expected="whether it had been told to end",
        by="`itself`, `order` (a command, the stop of all, or of what it needs), `not ready`,"
        " `unhealthy`, `broken` (an error of ours)",
        last_lines="of its log, where there are any",
        reason="the line of them that says what went wrong, where it was not told to end",
        output="that line and those around it",
    ),
    "service_killed": _service("it did not stop in time, and is killed", timeout_ms="that it had"),
    "restart": _service(
        "it will be restarted",
        reason="why it ended",
        attempt="number in this row",
        delay_ms="until then",
    ),
    "backoff": _service("it pauses before that", reason="why it ended", delay_ms="until then"),
    "gave_up": _service("it has failed for good", reason="why"),
    "service_blocked": _service("it waits for what will not come", reason="for what"),
    "secrets_missing": _service("it waits for secrets", secrets="their ids"),
    "log_match_given_up": _service("its log is searched no longer", reason="why"),
    "playwright_chromium_fallback": _service(
        "it gets Electron's Chromium",
        missing="the one it names, which is not there",
        path="the one it gets",
        there="whether that exists",
    ),
}
PORTS = {
    "port_assigned": _service(
        "it gets a port that was not to be had when the runtime started",
        name="the port's name",
        port="the number",
    ),
    "port_reassigned": _service(
        "a port that it was given is taken, or reserved, as it is started",
        name="the port's name",
        previous="that number",
        port="the new one",
    ),
    "port_answered_by_other": _service(
        "another program listens on its port",
        name="the port's name",
        port="the number",
        pid="of the program",
        program="its name",
    ),
}
OTHERS = {
    "files_changed": _service(
        "files of it have changed, and it is restarted (`run --watch`)",
        files="the first ten of them",
        count="how many",
        affected="the services that are restarted with it",
    ),
    "bundle_changed": _runtime(
        "bundle.json or an overlay has changed (noticed by `run --watch`, else when a service is"
        " started or restarted by command); the runtime goes on with what it has read",
        changes="the first ten places that are different; none: it is again as it was",
        errors="why it could not be started now",
    ),
    "api_request": _runtime(
        "somebody asks for a command, new secrets, a way into the dashboard, or the end",
        request="method and path",
        agent="what the caller calls itself (User-Agent)",
        uid="of the caller, where the system knows it (Linux)",
        pid="of the caller, where the runtime may see it; else 0",
        program="the name of that process",
    ),
    "secrets_updated": _runtime("secrets got other values", ids="which"),
    "gpu_status": _runtime(
        "whether there is a GPU",
        available="true or false",
        method="how that is known",
        reason="in a sentence",
        requirements="of the services, by id",
    ),
    "gpu_details": _runtime("which GPU it is", name="its name", driver="its driver"),
    "gpu_details_unknown": _runtime("that is not to be had", patience_s="that were waited"),
    **dict.fromkeys(
        ("gpu_required_missing", "gpu_fallback_cpu", "gpu_optional_unavailable"),
        _service("there is no GPU for it", requirement="its own", message="in a sentence"),
    ),
    "app_downgraded": _runtime(
        "the app is older than its data", **{"from": "the version before", "to": "the one now"}
    ),
    "migration_start": _service("a migration begins", version="its version"),
    "migration_applied": _service("it has succeeded", version="its version"),
    "migration_failed": _service(
        "it has failed", version="its version", error="how", last_lines="of what it said"
    ),
    "migration_snapshot_taken": _service("its data was copied before", folders="which"),
    "migration_snapshot_skipped": _service("there is no way back", reason="why"),
    "migration_rolled_back": _service("its data is what it was before", reason="why"),
}
ASSETS = {
    code: _service(meaning, code="the same", message="in a sentence")
    for code, meaning in (SERVICE | WARNING).items()
    if code.startswith(("asset_", "checksum_"))
}
EVENTS: dict[str, Kind] = LIFE | SERVICES | PORTS | OTHERS | ASSETS
