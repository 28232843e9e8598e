"""The fields of a service: what is run, what it needs, and when it is ready and well."""

from __future__ import annotations

from typing import Any

FIELDS: dict[str, dict[str, tuple[str, Any]]] = {
    "Service": {
        "id": (
            (
                "The service's name, at most 128 letters, digits, '.', '_' and '-', the first"
                " one a letter or digit. Dependencies, commands and logs name the service by it."
            ),
            "api",
        ),
        "type": (
            (
                "'ui-bundle' is a page that the runtime serves (or a program of its own);"
                " 'api-binary', 'worker' and 'resource' are programs, told apart for readers"
                " only."
            ),
            "api-binary",
        ),
        "description": ("A line about the service, for readers.", "Answers the page's requests"),
        "binaries": (
            (
                "What is run, by platform: linux-x64, linux-arm64, darwin-x64, darwin-arm64,"
                " win-x64, win-arm64, or 'universal' for all. Where there is none for arm64, that"
                " for x64 runs in emulation on macOS and Windows."
            ),
            {"linux-x64": {"path": "bin/api"}, "win-x64": {"path": "bin/api.exe"}},
        ),
        "env": (
            (
                "Variables of the service. Values are templates: ${data} is app-data, ${bundle}"
                " the bundle's folder, ${SERVICE.PORT} a port that was given out."
            ),
            {"STORE_URL": "http://127.0.0.1:${store.http}"},
        ),
        "secrets": ("The ids of the secrets that the service is given.", ["db_password"]),
        "dependencies": (
            ("The services that must be ready before this one starts; it stops before they do."),
            ["store"],
        ),
        "data_dirs": (
            (
                "Folders below app-data that are made before the first start, for the user"
                " alone, and copied before an upgrade."
            ),
            ["data/api"],
        ),
        "log_dir": (
            (
                "Where the service's output is written, relative to app-data: a file, or a"
                " folder in which it is <id>.log (a path that ends with '/', or whose last part"
                " has no suffix, unless a file lies there already). By default logs/<id>.log."
            ),
            "logs/api",
        ),
        "ports": ("The ports that the service is given.", {"requested": [{"name": "http"}]}),
        "health": (
            "How the running service is asked whether it is well; without it nobody asks.",
            {"type": "http", "path": "/healthz", "port_name": "http"},
        ),
        "readiness": (
            (
                "When a starting service counts as ready, so that others may start. By default"
                " when its health check answers well, or, without one and with a 'log_match', as"
                " soon as it runs."
            ),
            {"type": "health_success", "timeout_ms": 30000},
        ),
        "migrations": (
            "Commands that are run before the service starts: once, or at every start.",
            [{"version": "2", "command": ["bin/migrate", "${data}/notes.db"]}],
        ),
        "assets": (
            "Files that the service needs from the bundle, looked at before it starts.",
            [{"path": "models/small.bin", "sha256": "pending"}],
        ),
        "gpu": ("Whether the service needs a GPU.", {"requirement": "optional"}),
        "critical": (
            (
                "Whether the application is of no use without this service: /healthz says"
                " 'failed' when a critical one has given up, else 'degraded'."
            ),
            True,
        ),
        "metadata": (
            (
                "What only some look at. 'run_mode': 'on_demand' starts the service when"
                " something that depends on it starts, or by command; 'skip_reason' is shown;"
                " 'watch' lists the files and folders that 'run --watch' looks at."
            ),
            {"run_mode": "on_demand"},
        ),
        "restart": (
            "When and how fast the service is restarted after it has ended.",
            {"policy": "on_failure", "backoff_ms": 100, "intensity": 5},
        ),
        "stop": (
            "How the service is asked to stop, and how long that may take.",
            {"signal": "SIGTERM", "timeout_ms": 5000},
        ),
        "startup": ("A bound on the start, from the process to ready.", {"timeout_ms": 120000}),
        "snapshot": (
            ("The copy of 'data_dirs' that is made before an upgrade and put back if that fails."),
            {"max_bytes": 2147483648},
        ),
    },
    "Binary": {
        "path": (
            (
                "The program, relative to the bundle's folder, with '/' or '\\' between folders."
                " It comes with the bundle: PATH is not searched for it. For a 'ui-bundle' also a"
                " folder or an .html file."
            ),
            "bin/api",
        ),
        "args": ("Its arguments; templates as in 'env'.", ["--port", "${api.http}"]),
        "env": (
            "Variables on this platform only; they go before those of the service.",
            {"LD_LIBRARY_PATH": "${bundle}/lib"},
        ),
        "cwd": (
            (
                "The folder that the program and the service's migrations run in, relative to"
                " the bundle's folder; ${data}/… is one below app-data, made where 'data_dirs'"
                " names it too. By default the bundle's folder. Health commands run in the"
                " bundle's folder always."
            ),
            "${data}/work",
        ),
    },
    "ServicePorts": {
        "requested": ("One entry for each port.", [{"name": "http"}]),
    },
    "PortRequest": {
        "name": (
            (
                "The port's name: the service finds its number in PORT_<NAME>, others in"
                " ${SERVICE.NAME}."
            ),
            "http",
        ),
        "range": (
            (
                "The range that the port is chosen from; by default that of the bundle. A port"
                " of an earlier start is used again where it is free."
            ),
            {"min": 47100, "max": 47110},
        ),
        "requires_socket": (
            (
                "Whether the service is handed the listening socket, as by systemd (LISTEN_FDS);"
                " not on Windows."
            ),
            False,
        ),
    },
    "Health": {
        "type": (
            (
                "'http' wants a 2xx answer to a GET that is no JSON object with 'status'"
                " unhealthy, failed, error or down, or with 'readiness' false; 'tcp' a connection,"
                " 'command' exit code 0. 'log_match' wants a line in what the service has written"
                " since this start, and is asked by readiness 'health_success' alone."
            ),
            "http",
        ),
        "path": ("What an 'http' check asks for.", "/healthz"),
        "pattern": (
            ("The regular expression (RE2) of a 'log_match'; 'path' is taken where it is empty."),
            "listening on \\d+",
        ),
        "port_name": ("The port that is asked; not needed where the service has only one.", "http"),
        "command": (
            (
                "The program of a 'command' check and its arguments, run in the bundle's folder"
                " with the service's variables. The first word is looked for in the bundle, then"
                " beside the service's program, then, if it has no separator, on PATH."
            ),
            ["bin/check", "--quick"],
        ),
        "interval_ms": (
            (
                "Milliseconds between two checks. Without it 500, growing to 5000 as long as the"
                " service is well."
            ),
            500,
        ),
        "timeout_ms": ("Milliseconds that a check may take.", 2000),
        "retries": ("How many checks must fail in a row for the service to be unwell.", 3),
    },
    "Readiness": {
        "type": (
            (
                "'health_success' waits for the health check, 'port_open' for a connection to"
                " the port, 'log_match' for a line of output, 'dependencies_ready' for the"
                " dependencies, the process and, where it has a port to ask, the health check,"
                " 'notify' for the service's own word:"
                " READY=1 to NOTIFY_SOCKET as sd_notify defines it (not on Windows), or a line"
                " '::progress 100'."
            ),
            "health_success",
        ),
        "port_name": (
            "The port of 'port_open'; not needed where the service has only one.",
            "http",
        ),
        "pattern": ("The regular expression (RE2) of a 'log_match'.", "ready to accept"),
        "timeout_ms": ("Milliseconds after which a start that is not ready has failed.", 30000),
        "watchdog_ms": (
            (
                "With 'notify': milliseconds within which a ready service has to send WATCHDOG=1"
                " again and again (it finds them in WATCHDOG_USEC); one that does not is restarted."
            ),
            20000,
        ),
    },
    "Migration": {
        "version": (
            "A name of its own among the migrations, by which those that were run are known.",
            "2",
        ),
        "command": (
            (
                "The program and its arguments, run in the 'cwd' of the service's binary with"
                " the service's variables. The first word is looked for in the bundle, then"
                " beside the service's program, then, if it has no separator, on PATH. Templates"
                " as in 'env'."
            ),
            ["bin/migrate", "${data}/notes.db"],
        ),
        "env": ("Variables of this migration only.", {"STEP": "2"}),
        "run_on": (
            (
                "When it is due: 'always' at every start of the runtime; once, 'first_install' (or"
                " 'install') with the app's first version here, 'upgrade' with a later one."
            ),
            "upgrade",
        ),
        "timeout_ms": ("Milliseconds after which it has failed.", 600000),
    },
    "Asset": {
        "path": (
            ("The file or folder, relative to the bundle's folder; a folder must only be there."),
            "models/small.bin",
        ),
        "sha256": (
            "The file's SHA-256 as 64 hexadecimal digits; empty or 'pending' is not checked.",
            "pending",
        ),
        "size_bytes": (
            (
                "The size that is expected: more than 5 % (at least 1 MiB) above, or less than"
                " half, is an error; 0 is not checked."
            ),
            1048576,
        ),
    },
    "Gpu": {
        "requirement": (
            (
                "'required' fails the service without a GPU; the optional ones run it on the"
                " processor (BUNDLE_GPU_MODE=cpu), 'optional_but_warn' with a warning."
            ),
            "optional",
        ),
    },
}
"""The tables of the Structs, each field with its meaning and an example."""
