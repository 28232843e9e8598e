"""One rule for every path under app-data: each that a bundle names against all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bundlevisor.manifest.format.app_data import FILES
from bundlevisor.manifest.format.paths import EscapesRoot
from bundlevisor.manifest.format.reserved_paths import log_place, normal
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.plan.claims import OURS, Claim, claims_of, conflicts
from tests.manifest.conftest import document

TOKEN, TELEMETRY = "ipc.auth_token_path", "telemetry.file"
LOG, DATA = "services[0].log_dir", "services[0].data_dirs[0]"
SECRET = "secrets[0].target.name"
UPGRADE = {"version": "2", "command": ["bin/m"], "run_on": "upgrade"}


def naming(paths: dict[str, str], **service: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a service and a top level in which these fields name these paths."""
    ipc = {"mode": "http", "host": "127.0.0.1", "port": 0}
    ipc["auth_token_path"] = paths.get(TOKEN, "runtime/auth-token")
    top: dict[str, Any] = {"ipc": ipc, "telemetry": {"file": paths.get(TELEMETRY, "t.jsonl")}}
    one: dict[str, Any] = {"id": "one", **service}
    if LOG in paths:
        one["log_dir"] = paths[LOG]
    if DATA in paths:
        one["data_dirs"] = [paths[DATA]]
    if SECRET in paths:
        one["secrets"] = ["a"]
        target = {"type": "file", "name": paths[SECRET]}
        top["secrets"] = [{"id": "a", "class": "user_prompt", "target": target}]
    return one, top


@pytest.mark.parametrize("name", [*FILES, "runtime", "secrets.json/inside", "logs/one.log", "logs"])
@pytest.mark.parametrize("field", [TOKEN, TELEMETRY, SECRET])
@pytest.mark.parametrize("spelled", [str, str.upper, lambda name: "x\\..\\./" + name])
def test_no_file_that_a_bundle_names_lies_upon_one_of_the_runtime(
    found: Callable[..., Any], field: str, name: str, spelled: Callable[[str], str]
) -> None:
    one, top = naming({field: spelled(name)})
    code = "path_shared" if field == SECRET and "logs" in name else "path_taken"
    severity = "warning" if code == "path_shared" and spelled is str.upper else "error"
    assert found(one, **top) == [(severity, code, field)]


@pytest.mark.parametrize("name", [*FILES, "t.jsonl", "t.jsonl.1", "runtime/auth-token"])
def test_no_log_and_no_data_lies_upon_a_file_of_the_runtime(
    found: Callable[..., Any], name: str
) -> None:
    for field in (LOG, DATA):
        one, top = naming({field: name})
        assert found(one, **top) == [("error", "path_taken", field)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((TOKEN, "a"), (TELEMETRY, "a"), ("error", "path_taken", TELEMETRY)),
        ((TOKEN, "a.1"), (TELEMETRY, "a"), ("error", "path_taken", TELEMETRY)),
        ((TOKEN, "a/b"), (TELEMETRY, "A"), ("error", "path_taken", TELEMETRY)),
        ((TOKEN, "a"), (DATA, "a/b"), ("error", "path_taken", DATA)),
        ((TOKEN, "a"), (SECRET, "A"), ("error", "path_taken", SECRET)),
        ((TELEMETRY, "a.log"), (LOG, "a.log"), ("error", "path_taken", LOG)),
        ((TELEMETRY, "\u0130.log"), (LOG, "I\u0307.log"), ("error", "path_taken", LOG)),
        ((TELEMETRY, "\u00e9"), (SECRET, "e\u0301"), ("error", "path_taken", SECRET)),
        ((TOKEN, "\u017fecrets"), (SECRET, "SECRETS"), ("error", "path_taken", SECRET)),
        ((DATA, "db.d"), (LOG, "db.d"), ("warning", "path_shared", LOG)),
        ((DATA, "a.log.1/x"), (LOG, "a.log"), ("warning", "path_shared", LOG)),
        ((DATA, "db"), (SECRET, "db"), ("error", "path_shared", SECRET)),
        ((DATA, "db"), (SECRET, "db/key"), None),
        ((DATA, "db"), (LOG, "db/all.log"), None),
        ((DATA, "."), (TOKEN, "token"), None),
        ((DATA, "snapshots"), (TOKEN, "token"), None),
    ],
)
def test_two_paths_of_a_bundle(
    found: Callable[..., Any],
    first: tuple[str, str],
    second: tuple[str, str],
    expected: tuple[str, str, str] | None,
) -> None:
    one, top = naming(dict([first, second]))
    assert found(one, **top) == ([expected] if expected else [])


@pytest.mark.parametrize("name", ["db.broken", "db.restoring/x", "snapshots/one/0"])
def test_data_that_taking_an_upgrade_back_would_remove(
    found: Callable[..., Any], name: str
) -> None:
    for folders in (["db", name], [name, "db"]):
        service = {"id": "one", "data_dirs": folders}
        assert found(service) == []
        errors = [
            one for one in found({**service, "migrations": [UPGRADE]}) if one[1] == "path_taken"
        ]
        assert [severity for severity, _, _ in errors] == ["error"]


@pytest.mark.parametrize("name", ["db.broken", "db.broken/key", "snapshots/one/key"])
@pytest.mark.parametrize("field", [LOG, SECRET])
def test_a_file_where_taking_an_upgrade_back_would_remove_it(
    found: Callable[..., Any], field: str, name: str
) -> None:
    one, top = naming({DATA: "db", field: name})
    upgraded = found({**one, "migrations": [UPGRADE]}, **top)
    assert ("error", "path_taken", field) in upgraded


def test_what_no_field_has_chosen_is_told_of_nobody() -> None:
    """There would be nothing to change; what a field has chosen is told once."""
    chosen = [Claim("two", "logs/one.log", field="a"), Claim("two", "logs/one.log/x", field="a")]
    claims = [Claim("one", "logs/one.log"), Claim("two", "LOGS/ONE.LOG"), *chosen]
    told = [(one.later, one.earlier) for one in conflicts(claims)]
    assert told == [(chosen[0], claims[0])]


def test_two_services_may_share_data_and_its_upgrade(found: Callable[..., Any]) -> None:
    service = {"data_dirs": ["db"], "migrations": [UPGRADE]}
    told = found({"id": "one", **service}, {"id": "two", **service})
    assert {severity for severity, _, _ in told} == {"warning"}
    assert found({"id": "one", **service}, {"id": "two", **service, "dependencies": ["one"]}) == [
        ("warning", "data_folder_shared", "services[1].data_dirs[0]")
    ]


def test_two_services_that_share_a_log_are_warned_of(found: Callable[..., Any]) -> None:
    services = [{"id": id_, "log_dir": "logs/all.log"} for id_ in ("one", "two")]
    assert found(*services) == [("warning", "path_shared", "services[1].log_dir")]


def test_paths_that_leave_app_data_are_said_once(found: Callable[..., Any]) -> None:
    one, top = naming({TOKEN: "../x", TELEMETRY: "/x", LOG: "../x.log", DATA: "../x"})
    assert found(one, **top) == [
        ("error", "path_escapes_root", field) for field in (TOKEN, DATA, LOG, TELEMETRY)
    ]


@pytest.mark.parametrize(
    ("paths", "claimed"),
    [({}, False), ({DATA: "logs/x"}, True), ({DATA: "LOGS"}, True), ({DATA: "."}, True)],
)
def test_default_logs_are_claimed_where_something_else_may_lie(
    manifest_of: Callable[..., Manifest], paths: dict[str, str], claimed: bool
) -> None:
    one, top = naming(paths)
    manifest = manifest_of(one, **top)
    log = [Claim("the log of service 'one'", "logs/one.log", service="one")]
    owned = [one for one in claims_of(manifest) if one.path == "logs/one.log"]
    assert owned == log * claimed
    assert log[0] in claims_of(manifest, every=True)


def test_who_claims_the_data_of_an_upgrade() -> None:
    """A folder that leaves app-data is passed over, and nothing is put back beside app-data."""
    folders = ["../x", "${data}/db", "."]
    service = {"id": "one", "data_dirs": folders, "migrations": [UPGRADE]}
    manifest = msgspec.convert(document(service), Manifest)
    data, field = "a data folder of service 'one'", "services[0].data_dirs"
    assert [one for one in claims_of(manifest) if one.field.startswith("services[0]")] == [
        Claim(OURS, "snapshots/one", "reserved", "services[0].id", ours=True),
        Claim(data, "db", "folder", f"{field}[1]", "one"),
        Claim(OURS, "db.restoring", "reserved", f"{field}[1]", "one", ours=True),
        Claim(OURS, "db.broken", "reserved", f"{field}[1]", "one", ours=True),
        Claim(data, ".", "folder", f"{field}[2]", "one"),
    ]


def test_which_secrets_claim_a_file() -> None:
    """Those given in files below app-data; of two of one id, which is an error, the last."""
    targets = [
        ("out", {"type": "file", "name": "../x"}),
        ("env", {"type": "env", "name": "ENV"}),
        ("key", {"type": "file", "name": "first"}),
        ("key", {"type": "file", "name": "last"}),
        ("idle", {"type": "file"}),
    ]
    secrets = [{"id": id_, "class": "user_prompt", "target": target} for id_, target in targets]
    one = document({"id": "one", "secrets": ["key"]}, secrets=secrets)
    manifest = msgspec.convert(one, Manifest)
    at = "secrets[{}].target.name".format
    assert [one for one in claims_of(manifest) if one.secret] == [
        Claim("secret 'key'", "last", field=at(3), secret=True),
        Claim("secret 'idle'", "idle", field=at(4), secret=True, used=False),
    ]


def test_app_data_is_a_folder_above_every_claim_but_itself() -> None:
    first, whole = Claim("one", "a"), Claim("two", ".", field="b")
    assert [(one.later, one.earlier) for one in conflicts([first, whole])] == [(whole, first)]
    for path in ("a", "."):
        kept = [Claim(OURS, path, "reserved", field=field) for field in ("a", "b")]
        assert not list(conflicts(kept))


@pytest.mark.parametrize(
    ("log_dir", "place"),
    [
        ("", "logs/one.log"),
        ("own", "own/one.log"),
        ("own.d/logs", "own.d/logs/one.log"),
        ("own.d/deep/logs", "own.d/deep/logs/one.log"),
        ("own/.hidden", "own/.hidden/one.log"),
        ("own.d/", "own.d/one.log"),
        ("own.d\\", "own.d/one.log"),
        ("own/a.d/.", "own/a.d"),
        ("own/..hidden", "own/..hidden/one.log"),
        ("own/..", "one.log"),
        ("own/../other", "other/one.log"),
        (".", "one.log"),
        ("own.", "own."),
        ("own/X.X", "own/X.X"),
        ("own/a.log", "own/a.log"),
        ("own\\a.log", "own/a.log"),
        ("a b/c.log", "a b/c.log"),
        ("a.b c/d", "a.b c/d/one.log"),
        ("own\\a.d\\x", "own/a.d/x/one.log"),
    ],
)
def test_a_log_is_a_file_where_its_last_name_has_a_suffix(log_dir: str, place: str) -> None:
    assert log_place(Service(id="one", log_dir=log_dir)) == place


def test_a_log_is_the_file_that_is_there_already() -> None:
    service = Service(id="one", log_dir="own/./logs")
    assert log_place(service, {"own/logs"}.__contains__) == "own/logs"
    assert log_place(service, {"own"}.__contains__) == "own/logs/one.log"
    ended = Service(id="one", log_dir="own/logs/")
    assert log_place(ended, {"own/logs"}.__contains__) == "own/logs"


def test_a_template_of_app_data_is_app_data_where_templates_are_taken() -> None:
    for path in ("${data}/Xa", "${data}\\Xa", "${data}//Xa"):
        assert normal(path, template=True) == "Xa"
    assert normal("${data}", template=True) == "."
    assert normal("${data}/a") == normal("${data}/a", template=False) == "${data}/a"
    with pytest.raises(EscapesRoot):
        normal("/a", template=True)


def test_places_under_app_data_are_told_alike_on_every_platform() -> None:
    assert normal("con") == "con"
