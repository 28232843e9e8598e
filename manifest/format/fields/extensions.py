"""The fields that only this runtime knows: restart, stop, bounds, supervision."""

from __future__ import annotations

from typing import Any

FIELDS: dict[str, dict[str, tuple[str, Any]]] = {
    "RestartPolicy": {
        "policy": (
            (
                "'on_failure' restarts a service that failed, is unwell, or ended before it was"
                " ready; 'always' also one that ended with code 0 afterwards; 'never' none."
            ),
            "on_failure",
        ),
        "backoff_ms": (
            (
                "Milliseconds before a restart; the first one of a service that was ready is at"
                " once."
            ),
            100,
        ),
        "backoff_factor": ("By what the pause grows with each failure in a row, 1 to 100.", 2),
        "backoff_max_ms": ("The longest pause, in milliseconds.", 30000),
        "intensity": (
            (
                "How many restarts are allowed within 'period_ms'; one more, and the service has"
                " failed for good."
            ),
            5,
        ),
        "period_ms": ("The time in which restarts are counted, in milliseconds.", 60000),
    },
    "StopHttp": {
        "path": ("What is sent a POST without a body.", "/shutdown"),
        "port_name": ("The port; not needed where the service has only one.", "http"),
    },
    "StopPolicy": {
        "signal": (
            (
                "The signal that asks the service to stop. SIGINT suits PostgreSQL. Windows has"
                " SIGTERM, SIGINT and SIGKILL only."
            ),
            "SIGTERM",
        ),
        "timeout_ms": (
            "Milliseconds that it may take; then its whole tree of processes is killed.",
            5000,
        ),
        "to": (
            (
                "Who gets the signal: the 'leader' (the process that was started) alone, or"
                " every process of its 'tree'. Once the leader has ended, what is left of the"
                " tree gets it too. On Windows all get it always."
            ),
            "leader",
        ),
        "http": (
            (
                "A request that asks the service to stop; the signal follows where it is not"
                " answered well within two seconds."
            ),
            {"path": "/shutdown", "port_name": "http"},
        ),
    },
    "Startup": {
        "timeout_ms": (
            (
                "Milliseconds from the start of the process to ready, also where 'readiness'"
                " would wait longer; migrations and assets have bounds of their own. Without it"
                " 120000, or the 'timeout_ms' of 'readiness' where that is longer."
            ),
            120000,
        ),
    },
    "DataSnapshot": {
        "max_bytes": (
            ("Data larger than this is not copied before an upgrade, which then has no way back."),
            2147483648,
        ),
    },
    "Supervision": {
        "strategy": (
            (
                "'one_for_one' restarts only the service that failed; with one that is"
                " restarted, 'rest_for_one' restarts those that run and depend on it,"
                " 'one_for_all' all that run."
            ),
            "one_for_one",
        ),
        "intensity": ("How many restarts of a whole group are allowed within 'period_ms'.", 5),
        "period_ms": ("The time in which these are counted, in milliseconds.", 60000),
    },
}
"""The tables of the Structs, each field with its meaning and an example."""
