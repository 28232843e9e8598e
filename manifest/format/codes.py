"""Every code that a finding can have, with its meaning: for readers, not for the start."""

from __future__ import annotations

FILE = {
    "manifest_missing": "there is no such file",
    "manifest_not_a_file": "the bundle's path is a folder, a pipe or a device",
    "manifest_unreadable": "the file must not or cannot be read",
    "manifest_too_large": "the file is larger than 16 MiB",
    "manifest_empty": "the file holds nothing",
    "truncated": "the file ends before its JSON does",
    "not_json": "the file is no JSON",
    "not_utf8": "the file is not UTF-8",
    "byte_order_mark": "the file begins with a byte order mark",
    "not_a_number": "NaN or Infinity stands where JSON wants a number",
    "number_out_of_range": "a number is too large to be read",
    "nested_too_deeply": "brackets are nested too deeply",
    "duplicate_key": "a key stands twice in one object",
    "overlay_unclear": "an overlay does not say what of the bundle it changes",
    "too_many_findings": "more was found than is shown",
}
"""What is wrong with the file; errors of the manifest."""

STRUCTURE = {
    "missing_field": "a required field is missing or null",
    "empty_value": "a value that is needed is empty",
    "wrong_type": "a value has the wrong JSON type",
    "foreign_word": "a field is a word of another format (compose, systemd, …) by which order or"
    " rights would be lost (a warning elsewhere)",
    "unknown_value": "a word is none of those that the field takes",
    "out_of_range": "a number is too small or too large (a warning among reserved ports)",
    "nul_character": "a text holds a NUL character",
    "schema_version_unsupported": "the schema version is not v0.1",
    "target_unsupported": "the target is not desktop",
    "ipc_mode_unsupported": "the control API's mode is not loopback-http",
    "ipc_host_not_loopback": "the control API's host could be reached from outside",
    "path_escapes_root": "a path leaves the folder that it belongs to",
    "path_not_allowed": "a path holds NUL, or a name that is too long or special on Windows",
    "path_taken": "a path under app-data is that of a file of the runtime, or in its way",
    "path_shared": "two paths under app-data are one, or in each other's way (a warning where only"
    " a log suffers, or only case tells them apart)",
    "app_data_foreign": "app-data belongs to another user",
    "invalid_service_id": "a service's id has a shape that is not allowed",
    "duplicate_service_id": "two services have the same id",
    "unknown_dependency": "a service depends on one that does not exist",
    "dependency_cycle": "services depend on each other in a circle",
    "duplicate_secret_id": "two secrets have the same id",
    "infrastructure_secret": "a secret of this class must never be in a bundle",
    "unknown_secret": "a service lists a secret that does not exist",
    "invalid_env_name": "a variable's name is empty or holds '='",
    "duplicate_port_name": "a service requests two ports of the same name",
    "port_range_inverted": "a port range's min is above its max",
    "unknown_port": "a check names a port that its service does not have",
    "port_ambiguous": "a check does not say which of several ports it means",
    "probe_without_port": "a check needs a port and its service has none (a warning where it"
    " decides nothing)",
    "readiness_without_health": "readiness waits for a health check that is not there",
    "pattern_missing": "a log_match has no regular expression",
    "invalid_pattern": "a regular expression that RE2 does not take, as look-around",
    "empty_command": "a command has no program",
    "duplicate_migration": "a service has two migrations of the same version",
}
"""What is wrong with the bundle as it is written; errors of the manifest."""

SERVICE = {
    "binary_not_defined": "a service has no binary for this platform",
    "binary_missing": "the binary's file is not there",
    "binary_is_directory": "the binary's path is a folder",
    "binary_not_executable": "a file must not be run, or is no program",
    "binary_wrong_architecture": "a program is built for another processor or system",
    "interpreter_missing": "a script's #! line names a program that is not there",
    "command_missing": "the program of a health check or a migration is not there",
    "working_folder_missing": "the folder that a binary is to run in is not there (a warning below"
    " app-data, where another service may make it)",
    "page_missing": "a folder that the runtime is to serve has no index.html",
    "page_setting_invalid": "a page's metadata holds a value that its server does not take",
    "value_too_long": "a variable or an argument is longer than the system takes",
    "unresolved_template": "a ${x.y} names no port (a warning in another platform's binary)",
    "port_range_exhausted": "no port of a range can be given out (a warning where others use them"
    " now)",
    "ui_without_port": "a ui-bundle that the runtime serves requests no port",
    "asset_missing": "an asset's file is not there",
    "asset_is_directory": "an asset with a sum is a folder",
    "asset_unreadable": "an asset's file cannot be read",
    "asset_size_exceeded": "an asset is larger than its size_bytes allows",
    "asset_size_suspicious": "an asset is under half of its size_bytes",
    "checksum_mismatch": "an asset's SHA-256 is not the stated one",
}
"""What fails only the service that it names."""

WARNING = {
    "unknown_field": "a field that the format does not have",
    "field_case": "a field's name is written in another case",
    "unknown_run_mode": "a service's run_mode resembles on_demand, the only one that is known here",
    "unknown_service_type": "a service's type is none of the format's",
    "unknown_platform": "a binary's key is no platform",
    "binary_emulated": "a binary for another processor runs in emulation",
    "app_data_open": "others can write in app-data, or rename it",
    "control_character": "a name holds a line end or another control character",
    "template_not_replaced": "a template stands where none is replaced",
    "zero_is_default": "a length of 0 is read as if it was left out",
    "generator_weak": "what is generated for a secret is easily guessed",
    "ids_differ_in_case": "two services' ids differ only in case",
    "id_is_device": "a service's id names a device on Windows",
    "duplicate_dependency": "a dependency is listed twice",
    "port_refused_by_browsers": "a window can ask no port that is meant: browsers refuse it",
    "port_variable_shared": "two ports of a service share a PORT_ variable",
    "secret_variable_shared": "two secrets of a service are given in one variable",
    "env_names_differ_in_case": "two variables are one on Windows",
    "generated_format": "what is generated for a secret does not have the secret's own format",
    "checksum_malformed": "an asset's sha256 is not 64 hexadecimal digits, so it is not checked",
    "asset_size_warning": "an asset is slightly larger than its size_bytes",
    "snapshot_impossible": "a data folder also holds files of the runtime, so it is not copied"
    " before an upgrade",
    "data_folder_shared": "who shares a data folder may lose what it writes while an upgrade fails",
    "backoff_inverted": "a restart's backoff_max_ms is below its backoff_ms",
    "signal_unknown": "this platform does not have the stop signal",
    "notify_by_lines": "Windows has no NOTIFY_SOCKET, only lines '::progress 100'",
    "watchdog_without_notify": "a watchdog_ms is set for a service that does not notify",
}
"""What fails nothing."""

PARTS = {
    "of the file: the bundle does not start": FILE,
    "of the manifest: the bundle does not start": STRUCTURE,
    "of one service: only that one fails": SERVICE,
    "warnings: nothing fails": WARNING,
}

MEANINGS: dict[str, str] = {**FILE, **STRUCTURE, **SERVICE, **WARNING}
"""All codes with a line on what they mean."""
