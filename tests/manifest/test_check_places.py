"""Files that would lie upon one another: secrets, logs, data, and what is the runtime's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "migrations.json",
        "runtime/instance.json",
        "RUNTIME\\lock",
        "${data}/runtime/ports.json",
        "runtime",
        "secrets.json/inner",
        "snapshots/api/snapshot.json",
        "telemetry.jsonl",
        "telemetry.jsonl.1",
    ],
)
def test_no_file_secret_and_no_log_lies_upon_what_the_runtime_keeps(
    found: Callable[..., Any], name: str
) -> None:
    target = {"type": "file", "name": name}
    taken = found(secrets=[{"id": "a", "class": "user_prompt", "target": target}])
    assert taken == [("error", "path_taken", "secrets[0].target.name")]
    if name.endswith((".json", ".jsonl")) and not name.startswith("$"):
        taken = found({"id": "a", "log_dir": name})
        assert taken == [("error", "path_taken", "services[0].log_dir")]


def file_secret(id_: str, name: str) -> dict[str, Any]:
    return {"id": id_, "class": "user_prompt", "target": {"type": "file", "name": name}}


SHARED = [("error", "path_shared", "secrets[1].target.name")]
BESIDE = [("warning", "path_shared", "secrets[1].target.name")]


@pytest.mark.parametrize(
    ("first", "second", "platform", "expected"),
    [
        ("keys/a", "keys/a", "linux-x64", SHARED),
        ("keys/a", "./keys\\a", "linux-x64", SHARED),
        ("keys/a", "${data}/keys/x/../a", "linux-x64", SHARED),
        ("keys", "keys/a", "linux-x64", SHARED),
        ("keys/a", "keys", "linux-x64", SHARED),
        ("keys/a", "Keys/A", "win-x64", SHARED),
        ("keys/a", "Keys/A", "darwin-arm64", SHARED),
        ("keys/a", "Keys/A", "linux-x64", BESIDE),
        ("keys", "Keys/a", "linux-x64", BESIDE),
        ("keys/a", "keys/b", "linux-x64", []),
        ("keys/a", "key", "linux-x64", []),
        ("keys/a", "keys/a.1", "linux-x64", []),
    ],
)
def test_two_file_secrets_at_one_path(
    found: Callable[..., Any], first: str, second: str, platform: str, expected: Any
) -> None:
    services = [
        {"id": "one", "secrets": ["a"], "binaries": {"universal": {"path": "x"}}},
        {"id": "two", "secrets": ["b"], "binaries": {"universal": {"path": "x"}}},
    ]
    secrets = [file_secret("a", first), file_secret("b", second)]
    assert found(*services, secrets=secrets, platform=platform) == expected


def test_two_file_secrets_at_one_path_in_one_service(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "key"), file_secret("b", "key")]
    assert found({"id": "one", "secrets": ["a", "b"]}, secrets=secrets) == SHARED


def test_a_file_secret_that_nobody_is_given_only_warns(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "key"), file_secret("b", "key")]
    assert found({"id": "one", "secrets": ["a"]}, secrets=secrets) == BESIDE


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("logs/one.log", {}),
        ("logs/one.log.2", {}),
        ("logs", {}),
        ("out/all.log", {"log_dir": "out/all.log"}),
        ("out/one.log", {"log_dir": "out\\"}),
        ("db", {"data_dirs": ["db"]}),
        ("db", {"data_dirs": ["./db/files"]}),
    ],
)
def test_a_file_secret_in_the_place_of_a_log_or_of_a_data_folder(
    found: Callable[..., Any], name: str, service: dict[str, Any]
) -> None:
    one = {"id": "one", "secrets": ["a"], **service}
    taken = found(one, secrets=[file_secret("a", name)])
    assert taken == [("error", "path_shared", "secrets[0].target.name")]


def test_a_file_secret_in_a_data_folder_or_beside_a_log_is_fine(found: Callable[..., Any]) -> None:
    secrets = [file_secret("a", "db/key"), file_secret("b", "logs/key")]
    one = {"id": "one", "secrets": ["a", "b"], "data_dirs": ["db"]}
    assert found(one, secrets=secrets) == []


@pytest.mark.parametrize("log_dir", ["logs", "runtime", "snapshots.d", "x/a.log"])
def test_a_log_beside_the_runtime_s_files_is_fine(found: Callable[..., Any], log_dir: str) -> None:
    assert found({"id": "a", "log_dir": log_dir}) == []


@pytest.mark.parametrize("folder", [".", "${data}", "runtime", "snapshots/mine"])
def test_data_among_the_runtime_s_files_has_no_way_back(
    found: Callable[..., Any], folder: str
) -> None:
    upgrade = {"version": "2", "command": ["bin/m"], "run_on": "upgrade"}
    service = {"id": "a", "data_dirs": ["own", folder], "migrations": [upgrade]}
    expected = [("warning", "snapshot_impossible", "services[0].data_dirs[1]")]
    assert found(service) == expected
    assert found({**service, "migrations": [{**upgrade, "run_on": "always"}]}) == []


@pytest.mark.parametrize("path", ["${data}/../x", "${bundle}\\..\\x", "${data}/C:/x"])
def test_where_no_template_may_stand_its_letters_are_a_folder_of_that_name(
    found: Callable[..., Any], path: str
) -> None:
    """What follows them is a path within that folder, which may go up to where it lies."""
    code = "template_not_replaced"
    ipc = {"mode": "http", "host": "127.0.0.1", "port": 0, "auth_token_path": path}
    assert found(ipc=ipc) == [("warning", code, "ipc.auth_token_path")]
    assert found(telemetry={"file": path}) == [("warning", code, "telemetry.file")]
    assert found({"id": "one", "log_dir": path}) == [("warning", code, "services[0].log_dir")]
    binaries = {"linux-x64": {"path": path}}
    assert found({"id": "one", "binaries": binaries, "data_dirs": [path]}) == [
        ("warning", code, "services[0].binaries.linux-x64.path")
    ]
    binaries["linux-x64"] = {"path": "x", "cwd": path}
    code = "path_escapes_root"
    assert found({"id": "one", "binaries": binaries}) == [
        ("error", code, "services[0].binaries.linux-x64.cwd")
    ]


SHARER = {"id": "b", "data_dirs": ["db/inner"]}
BETWEEN = {"id": "c", "dependencies": ["a"]}


@pytest.mark.parametrize(
    ("others", "platform", "expected"),
    [
        ([SHARER], "linux-x64", True),
        ([{"id": "b", "data_dirs": ["${data}/db"]}], "linux-x64", True),
        ([{"id": "b", "data_dirs": ["x", "DB"]}], "win-x64", True),
        ([{"id": "b", "data_dirs": ["x", "DB"]}], "linux-x64", False),
        ([{"id": "b", "data_dirs": ["db2", "d"]}], "linux-x64", False),
        ([{**SHARER, "dependencies": ["a"]}], "linux-x64", False),
        ([{**SHARER, "dependencies": ["c"]}, BETWEEN], "linux-x64", False),
    ],
)
def test_what_others_write_where_a_copy_is_put_back_may_be_lost(
    found: Callable[..., Any], others: list[dict[str, Any]], platform: str, expected: bool
) -> None:
    upgrade = {"version": "2", "command": ["bin/m"], "run_on": "upgrade"}
    binaries = {"universal": {"path": "bin/x"}}
    one = {"id": "a", "data_dirs": ["own", "db"], "migrations": [upgrade], "binaries": binaries}
    all_ = [one, *({**other, "binaries": binaries} for other in others)]
    warning = [("warning", "data_folder_shared", "services[0].data_dirs[1]")]
    assert found(*all_, platform=platform) == (warning if expected else [])
    one["data_dirs"] = [".", "db"]
    beside = [("warning", "snapshot_impossible", "services[0].data_dirs[0]")]
    assert found(*all_, platform=platform) == beside
    one["migrations"] = [{**upgrade, "run_on": "always"}]
    assert found(*all_, platform=platform) == []
