"""Words of other formats in a bundle, and what they are called here: only for what is unknown.

Who knows docker compose, process-compose, Kubernetes, systemd, supervisord or pm2 writes their
words. Most only cost what they say; those that decide what starts first, when a service counts as
ready, or as whom it runs, would silently be lost, and the bundle would run otherwise than meant.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec


class Foreign(msgspec.Struct, frozen=True):
    """What to write instead of a foreign word.

    ``field`` is the one that has its place; empty where there is none. ``lost`` says what the
    bundle would silently do without; empty where it runs all the same.
    """

    advice: str
    field: str = ""
    lost: str = ""


SHOWN = 20
ORDER = "services would start in another order"
READINESS = "others would start before it is ready"
SAFETY = "it would run with all the rights of the user"

_DEPENDENCIES = Foreign('write "dependencies": ["ID"]', "dependencies", ORDER)
_MIGRATIONS = Foreign(
    'write "migrations": [{"version": "1", "command": ["bin/x"]}]', "migrations", ORDER
)
_ENV = Foreign('write "env": {"NAME": "value"}', "env")
_PROGRAM = Foreign(
    'write "binaries": {"linux-x64": {"path": "bin/x", "args": ["--flag"]}}', "binaries"
)
_CWD = Foreign('write "cwd" in each entry of "binaries": it goes with the program')
_HEALTH = Foreign('write "health": {"type": "http", "path": "/healthz"}', "health", READINESS)
_READY = Foreign(
    'write "readiness": {"type": "health_success"} and "health"', "readiness", READINESS
)
_RESTART = Foreign('write "restart": {"policy": "always"} (or on_failure, never)', "restart")
_STOP = Foreign('write "stop": {"signal": "SIGTERM", "timeout_ms": 5000}', "stop")
_DATA = Foreign('write "data_dirs": ["data/x"]; they lie below app-data', "data_dirs")
_LOG = Foreign('write "log_dir": "logs/x.log"; it lies below app-data', "log_dir")
_PORTS = Foreign(
    'write "ports": {"requested": [{"name": "http"}]}; PORT_HTTP has the number', "ports"
)
_RIGHTS = Foreign("nothing here takes rights away from a service; remove it", lost=SAFETY)
_LIMITS = Foreign("the runtime sets no limits; remove it")
_NOTHING = Foreign("services are programs, not containers; remove it")
_ID = Foreign('write "id"', "id")
_ON_DEMAND = Foreign('write "metadata": {"run_mode": "on_demand"}')


def _table(*rows: tuple[Foreign, str]) -> dict[str, Foreign]:
    return {word: foreign for foreign, words in rows for word in words.split()}


SERVICE = _table(
    (_DEPENDENCIES, "depends_on dependson depends dependency after before requires wants needs"),
    (_DEPENDENCIES, "links wait_for waitfor"),
    (_MIGRATIONS, "initcontainers execstartpre pre_start prestart"),
    (_ENV, "environment env_file envfile environmentfile vars variables"),
    (_PROGRAM, "command cmd entrypoint exec execstart executable program script image build run"),
    (_PROGRAM, "path args arguments interpreter bin"),
    (_CWD, "working_dir workdir workingdirectory working_directory cwd directory"),
    (_HEALTH, "healthcheck health_check livenessprobe liveness_probe liveness"),
    (_READY, "readinessprobe readiness_probe startupprobe ready_log_line wait_ready ready"),
    (_RESTART, "availability restart_policy autorestart restartsec max_restarts startretries"),
    (_RESTART, "restart_delay"),
    (_STOP, "stop_signal stop_grace_period stopsignal stopwaitsecs shutdown killsignal"),
    (_STOP, "timeoutstopsec terminationgraceperiodseconds kill_timeout kill_signal killmode"),
    (_DATA, "volumes volume volumemounts data_dir datadir tmpfs"),
    (_LOG, "logging log_location log_file log logfile stdout_logfile stderr_logfile out_file"),
    (_LOG, "error_file log_configuration"),
    (_PORTS, "port expose publish"),
    (_RIGHTS, "user group run_as runas cap_drop cap_add read_only security_opt securitycontext"),
    (_RIGHTS, "privileged sandbox umask userns_mode"),
    (_LIMITS, "deploy mem_limit cpus cpu_shares memory ulimits resources limits nice"),
    (_NOTHING, "networks network_mode container_name hostname dns labels extra_hosts profiles"),
    (_NOTHING, "stdin_open tty init extends platform configs pull_policy namespace replicas"),
    (_NOTHING, "instances exec_mode numprocs is_daemon is_tty containers"),
    (_ID, "name"),
    (_ON_DEMAND, "disabled autostart enabled run_mode on_demand"),
)
TOP = _table(
    (Foreign('write "services": [{"id": "api"}]', "services"), "processes apps programs"),
    (Foreign('write "schema_version": "v0.1"', "schema_version"), "version"),
    (Foreign('write "app": {"name": "Notes", "version": "1.0.0"}', "app"), "name"),
    (Foreign('write "env" in each service'), "environment env env_file vars"),
    (Foreign('write "data_dirs" in the service that has the data'), "volumes"),
    (Foreign('write "restart" in each service'), "restart restart_policy"),
    (_NOTHING, "networks configs volumes_from include"),
)
PROBE = _table(
    (Foreign('write "type": "command" and "command": ["bin/check"]'), "test exec"),
    (Foreign('write "interval_ms", in milliseconds'), "interval period_seconds periodseconds"),
    (Foreign('write "timeout_ms", in milliseconds'), "timeout timeout_seconds timeoutseconds"),
    (
        Foreign('write "retries": how many checks must fail in a row'),
        "failure_threshold failurethreshold max_failures",
    ),
    (
        Foreign('write "timeout_ms" in "readiness": how long the start may take'),
        "start_period initial_delay_seconds initialdelayseconds start_interval",
    ),
    (Foreign('write "type": "http" and "path": "/healthz"'), "http_get httpget url"),
    (Foreign('write "port_name": a port of the service'), "port"),
)
RESTART = _table(
    (Foreign('write "policy": "always" (or on_failure, never)'), "restart condition name"),
    (Foreign('write "backoff_ms", in milliseconds'), "backoff_seconds delay backoff"),
    (
        Foreign('write "intensity": how many restarts are allowed within "period_ms"'),
        "max_restarts max_attempts maximumretrycount",
    ),
    (Foreign('write "period_ms", in milliseconds'), "window"),
)
STOP = _table(
    (
        Foreign('write "timeout_ms", in milliseconds'),
        "timeout timeout_seconds grace_period graceperiod",
    ),
    (Foreign('write "signal": "SIGINT", or "http": {"path": "/shutdown"}'), "command stop_signal"),
)
_WORDS = {
    "Service": SERVICE,
    "Manifest": TOP,
    "Health": PROBE,
    "Readiness": PROBE,
    "RestartPolicy": RESTART,
    "StopPolicy": STOP,
}
_REQUIRED = frozenset(("id", "schema_version", "app", "services"))
_RESTARTS = {
    "always": "always",
    "unless-stopped": "always",
    "on-failure": "on_failure",
    "on_failure": "on_failure",
    "exit_on_failure": "on_failure",
    "no": "never",
    "never": "never",
}
"""What compose and process-compose write as ``restart``, and our policy."""


class Remark(msgspec.Struct, frozen=True):
    """What is to be said of a foreign word, behind its path; an error where something is lost."""

    predicate: str
    is_error: bool


def foreign_word(struct: str, word: str, value: object, present: Collection[str]) -> Remark | None:
    """Return what a word that is no field of a Struct means; ``present`` are all words there.

    Where the right field is there too, somebody's tool has added the other one: nothing is lost,
    nor where the word has no value.
    """
    found = _WORDS.get(struct, {}).get(word.lower())
    if found is None or (found.field in present and found.field in _REQUIRED):
        return None
    same = spelled(struct, found.field, value)
    advice = f"write {written(struct, found.field, value)}" if same else found.advice
    instead = ("health", "readiness") if found.lost == READINESS else (found.field,)
    lost = found.lost if value and not any(field in present for field in instead) else ""
    end = f"; otherwise {lost}" if lost else ""
    return Remark(f"is no field of the format: {advice}{end}", bool(lost))


def written(struct: str, field: str, value: object = None) -> str:
    """Return a field as it is written: for a value of another format, or else with the example."""
    shown = spelled(struct, field, value)
    if shown is None:
        from bundlevisor.manifest.format.fields import example

        shown = example(struct, field)
    return f'"{field}": {msgspec.json.format(msgspec.json.encode(shown), indent=0).decode()}'


def spelled(struct: str, field: str, value: object) -> Any:
    """Return what to write in a field for a value of another format; None where that is unknown.

    Twenty items at most: what is written there is shown in a sentence.
    """
    if (struct, field) == ("Service", "restart"):
        policy = _RESTARTS.get(value.strip().lower()) if isinstance(value, str) else None
        return {"policy": policy} if policy else None
    if (struct, field) == ("Service", "dependencies"):
        return _names(value)
    if field == "env":
        return _variables(value)
    if field == "command" and isinstance(value, str):
        return value.split()[:SHOWN] or None
    return None


def _names(value: object) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    names = list(value) if isinstance(value, (list, dict)) else []
    return [name for name in names[:SHOWN] if isinstance(name, str)] or None


def _variables(value: object) -> dict[str, str] | None:
    if isinstance(value, dict):
        pairs = list(value.items())[:SHOWN]
        return {name: _text(value) for name, value in pairs if value is not None} or None
    texts = value[:SHOWN] if isinstance(value, list) else []
    split = [text.partition("=") for text in texts if isinstance(text, str) and "=" in text]
    return {name: text for name, _, text in split} or None


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
