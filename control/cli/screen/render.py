"""The API's answers as a person reads them: from documents to text, nothing else."""

from __future__ import annotations

from typing import Any

from bundlevisor.control.cli.screen.tables import duration, plain, table
from bundlevisor.manifest.format.findings import told
from bundlevisor.manifest.format.loopback import url_of

Document = dict[str, Any]


def status(document: Document, width: int | None = None) -> str:
    """Return the instance on one line and its services in a table."""
    return f"{headline(document)}\n\n{_services(document['services'], width)}"


def headline(document: Document) -> str:
    """Return the instance on one line."""
    parts = [
        f"{document['app_name']} {document['app_version']}",
        f"pid {document['pid']}",
        f"up {duration(document['uptime_s'])}",
        url_of(document["ipc_host"], document["ipc_port"]),
    ]
    if document["dry_run"]:
        parts.insert(1, "dry run")
    return ", ".join(plain(part) for part in parts)


def _services(services: list[Document], width: int | None) -> str:
    heads = ["SERVICE", "STATE", "READY AFTER", "RESTARTS", "PID", "PORTS", "MESSAGE"]
    rows = [
        [
            service["id"],
            service["state"],
            _ready_after(service),
            str(service["restarts"]),
            str(service.get("pid", "-")),
            _ports(service.get("ports", {})),
            reason(service),
        ]
        for service in services
    ]
    return table(heads, rows, width, right=("READY AFTER", "RESTARTS", "PID"))


def _ready_after(service: Document) -> str:
    seconds = service.get("ready_after_s")
    return "-" if seconds is None or service["state"] != "ready" else duration(seconds)


def _ports(ports: dict[str, int]) -> str:
    return " ".join(f"{name}:{number}" for name, number in ports.items()) or "-"


def reason(service: Document) -> str:
    """Return why a service is in its state, whole; empty where the state says it."""
    message = str(service.get("message", ""))
    missing = [name for name in service.get("waiting_for", ()) if name not in message]
    if missing:
        waits = f"waiting for {', '.join(missing)}"
        message = waits if not message or message == service["state"] else f"{message} ({waits})"
    return "" if message == service["state"] else message


def readiness(document: Document, width: int | None = None) -> str:
    """Return ``ready``, or which services are not and why."""
    counted = {id_: one for id_, one in document["details"].items() if not one.get("skipped")}
    if document["ready"]:
        return f"ready: {_count(len(counted), 'service')}"
    missing = [{"id": id_, **one} for id_, one in counted.items() if not one["ready"]]
    rows = [[one["id"], one["state"], reason(one)] for one in missing]
    head = f"not ready: {len(missing)} of {len(counted)} services"
    return f"{head}\n\n{table(['SERVICE', 'STATE', 'MESSAGE'], rows, width)}"


def ports(document: Document, width: int | None = None) -> str:
    """Return a line for each port."""
    rows = [
        [service, name, f"127.0.0.1:{number}"]
        for service, named in document["services"].items()
        for name, number in named.items()
    ]
    if not rows:
        return "no service has a port"
    return table(["SERVICE", "PORT", "ADDRESS"], rows, width)


def secrets(document: Document, width: int | None = None) -> str:
    """Return a line for each secret, never with its value."""
    rows = [
        [
            secret["id"],
            secret["class"],
            _has_value(secret),
            secret.get("description", ""),
        ]
        for secret in document["secrets"]
    ]
    if not rows:
        return "the bundle has no secrets"
    return table(["SECRET", "CLASS", "VALUE", "DESCRIPTION"], rows, width)


def _has_value(secret: Document) -> str:
    if secret["has_value"]:
        return "set"
    if secret.get("pending"):
        return "being asked for"
    return "missing" if secret["required"] else "not set"


def validation(document: Document) -> str:
    """Return every problem on a line of its own, and a sentence that sums them up."""
    lines = [
        f"{kind}: {plain(_told(problem))} [{problem['code']}]"
        for kind, key in (("error", "errors"), ("warning", "warnings"))
        for problem in document.get(key, ())
    ]
    errors, warnings = len(document.get("errors", ())), len(document.get("warnings", ()))
    verdict = "valid" if document["valid"] else "not valid"
    counts = ", ".join(
        _count(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n
    )
    return "\n".join([*lines, f"{verdict}: {counts}" if counts else verdict])


DONE = {"start": "started", "stop": "stopped", "restart": "restarted"}
AIM = {"start": "ready", "stop": "stopped"}
"""What a service may be already when it is told to."""


def command(action: str, document: Document) -> str:
    """Return what a command to a service has come to."""
    name, state = document["id"], document["state"]
    if "done" not in document and state == AIM.get(action):
        line = f"{name}: {state} already"
    elif "done" not in document:
        line = f"{name}: {action} accepted, {state} so far"
    elif document["done"]:
        word = DONE[action]
        line = f"{name}: {word}" if word == state else f"{name}: {word}, {state}"
    else:
        why = document.get("message") or "still under way"
        line = f"{name}: {state} (the {action} is not done: {why})"
    if document["affected"]:
        line += f"; with it: {', '.join(document['affected'])}"
    return plain(line)


def _told(problem: Document) -> str:
    return told(problem.get("file", ""), problem.get("path", ""), problem["message"])


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
