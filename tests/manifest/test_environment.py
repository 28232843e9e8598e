"""A service's environment and launch plans."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format.paths import EscapesRoot
from bundlevisor.manifest.format.schema import Binary, Gpu, Migration, Service
from bundlevisor.manifest.format.secret import Secret, SecretTarget
from bundlevisor.manifest.plan.environment import (
    merged,
    of_helper,
    port_variable,
    render,
    secret_variables,
    uses_playwright,
)
from bundlevisor.manifest.plan.launch import plan_health, plan_migration, plan_service
from bundlevisor.manifest.plan.playwright import chromium_path, driver_port
from bundlevisor.manifest.plan.template import Scope, Unresolved

SCOPE = Scope(
    data="/data", bundle="/bundle", ports={"api": {"http": 1, "admin-ui": 2}, "db": {"sql": 3}}
)


def rendered(
    service: Service | None = None, binary: Binary | None = None, **more: Any
) -> dict[str, str]:
    service = service or Service(id="api")
    options = {"base": {}, "scope": SCOPE, "instance_id": "i-1", "windows": False, **more}
    return render(service, binary, **options)


def test_a_service_finds_its_folders_ports_and_names() -> None:
    assert rendered(base={"PATH": "/usr/bin", "LANG": "C"}) == {
        "PATH": "/bundle/bin:/bundle/cli:/usr/bin",
        "LANG": "C",
        "APP_DATA_DIR": "/data",
        "BUNDLE_ROOT": "/bundle",
        "SERVICE_ID": "api",
        "SERVICE_INSTANCE_ID": "i-1",
        "PORT_HTTP": "1",
        "PORT_ADMIN_UI": "2",
        "BUNDLE_GPU_AVAILABLE": "false",
    }


def test_a_service_without_ports_finds_none() -> None:
    assert not [name for name in rendered(Service(id="lone")) if name.startswith("PORT_")]


@pytest.mark.parametrize("base", [{}, {"PATH": ""}])
def test_without_a_path_the_system_s_folders_stay_and_no_part_is_empty(
    base: dict[str, str],
) -> None:
    assert rendered(base=base)["PATH"] == "/bundle/bin:/bundle/cli:/bin:/usr/bin"
    assert rendered(base=base, windows=True)["PATH"] == "/bundle\\bin;/bundle\\cli"


def test_the_later_layer_wins() -> None:
    service = Service(
        id="api",
        env={"A": "service", "B": "service", "SERVICE_ID": "own", "D": "${data}/${db.sql}"},
    )
    variables = rendered(
        service,
        Binary(path="x", env={"B": "binary", "C": "binary", "F": "${bundle}/x"}),
        base={"A": "base", "APP_DATA_DIR": "base", "E": "base"},
        secrets={"C": "secret"},
    )
    assert [variables[name] for name in "ABCDEF"] == [
        "service", "binary", "secret", "/data/3", "base", "/bundle/x",
    ]  # fmt: skip
    assert (variables["SERVICE_ID"], variables["APP_DATA_DIR"]) == ("own", "/data")


@pytest.mark.parametrize("windows", [False, True])
def test_a_start_is_marked_whatever_the_bundle_says(windows: bool) -> None:
    own = {"SERVICE_INSTANCE_ID": "own", "Service_Instance_Id": "own"}
    service = Service(id="api", env=own)
    variables = rendered(service, Binary(path="x", env=own), secrets=own, windows=windows)
    assert variables["SERVICE_INSTANCE_ID"] == "i-1"
    step = Migration(version="1", command=["bin/step"], env=own)
    planned = plan_migration(step, None, SCOPE, variables, windows=windows).environment
    assert planned["SERVICE_INSTANCE_ID"] == "i-1"
    assert ("Service_Instance_Id" in planned) is not windows


@pytest.mark.parametrize(
    "name",
    [
        *("BUNDLEVISOR_TOKEN", "BUNDLEVISOR_X", "bundlevisor_token"),
        *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
        *("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"),
        *("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"),
    ],
)
def test_the_runtimes_private_variables_stay_private(name: str) -> None:
    assert name not in rendered(base={name: "secret"})
    assert rendered(base={f"X_{name}": "own"})[f"X_{name}"] == "own"


def test_a_reference_without_a_port_is_an_error() -> None:
    with pytest.raises(Unresolved):
        rendered(Service(id="api", env={"A": "${gone.http}"}))


@pytest.mark.parametrize(
    ("gpu", "available", "expected"),
    [
        (None, True, ("true", None)),
        (None, False, ("false", None)),
        (Gpu(requirement="optional"), True, ("true", "gpu")),
        (Gpu(requirement="optional_with_cpu_fallback"), False, ("false", "cpu")),
    ],
)
def test_the_gpu_is_told(gpu: Gpu | None, available: bool, expected: tuple[str, str]) -> None:
    variables = rendered(Service(id="api", gpu=gpu), gpu_available=available)
    assert (variables["BUNDLE_GPU_AVAILABLE"], variables.get("BUNDLE_GPU_MODE")) == expected


@pytest.mark.parametrize(
    ("name", "variable"),
    [("http", "PORT_HTTP"), ("a-b.c", "PORT_A_B_C"), ("é1", "PORT__1"), ("X_y", "PORT_X_Y")],
)
def test_a_ports_variable_holds_only_plain_letters(name: str, variable: str) -> None:
    assert port_variable(name) == variable


def test_on_windows_names_differ_only_by_letters_and_the_last_spelling_stays() -> None:
    variables = rendered(
        Service(id="api", env={"temp": "own"}),
        base={"Path": "C:\\Windows", "TEMP": "base"},
        windows=True,
    )
    assert variables["PATH"] == "/bundle\\bin;/bundle\\cli;C:\\Windows"
    assert "Path" not in variables
    assert variables["temp"] == "own"
    assert "TEMP" not in variables
    assert merged({"A": "1"}, {"a": "2"}, windows=True) == {"a": "2"}
    assert merged({"A": "1"}, {"a": "2"}, windows=False) == {"A": "1", "a": "2"}


def secret(id_: str, type_: Any = "env", name: str = "") -> Secret:
    return Secret(id=id_, class_="user_prompt", target=SecretTarget(type=type_, name=name))


def test_a_service_receives_the_secrets_that_it_lists(tmp_path: Path) -> None:
    scope = Scope(data=str(tmp_path), bundle="/bundle")
    secrets = {
        item.id: item
        for item in (
            secret("key"),
            secret("named", name="TOKEN"),
            secret("tls-cert", "file", "certs\\tls.pem"),
            secret("other"),
            secret("empty"),
            secret("lost"),
        )
    }
    service = Service(id="api", secrets=["empty", "unknown", "lost", "key", "named", "tls-cert"])
    values = {"key": "1", "named": "2", "tls-cert": "3", "other": "4", "empty": ""}
    path = os.path.join(tmp_path, "certs", "tls.pem")
    assert secret_variables(service, secrets, values, scope) == {
        "KEY": "1",
        "TOKEN": "2",
        "SECRET_FILE_TLS-CERT": path,
        "SECRET_FILE_TLS_CERT": path,
    }


def test_a_file_secret_outside_of_app_data_is_refused(tmp_path: Path) -> None:
    secrets = {"key": secret("key", "file", "${data}/../x")}
    scope = Scope(data=str(tmp_path / "data"), bundle="/bundle")
    with pytest.raises(EscapesRoot):
        secret_variables(Service(id="api", secrets=["key"]), secrets, {"key": "v"}, scope)


def test_playwright_services_find_their_driver() -> None:
    scope = Scope(data="/data", bundle="/bundle", ports={"Playwright-driver": {"http": 9}})
    variables = rendered(Service(id="Playwright-driver"), scope=scope)
    assert variables["PLAYWRIGHT_DRIVER_PORT"] == "9"
    assert variables["PLAYWRIGHT_DRIVER_URL"] == "http://127.0.0.1:9"
    assert variables["ENGINE"] == "playwright"
    assert "PLAYWRIGHT_CHROMIUM_PATH" not in variables


@pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")
def test_a_playwright_service_is_given_electrons_browser_where_its_own_is_missing() -> None:
    own = "/bundle/chrome/chrome"
    service = Service(id="playwright", env={"PLAYWRIGHT_CHROMIUM_PATH": "chrome/chrome"})
    base = {"ELECTRON_CHROMIUM_PATH": "/electron"}
    for exists, expected in ((None, own), ({own}, own), (set[str](), "/electron")):
        found = exists if exists is None else exists.__contains__
        variables = rendered(service, base=base, exists=found)
        assert variables["PLAYWRIGHT_CHROMIUM_PATH"] == expected
    assert rendered(Service(id="playwright"), base=base)["PLAYWRIGHT_CHROMIUM_PATH"] == "/electron"
    kept = Service(id="playwright", env={"PLAYWRIGHT_CHROMIUM_PATH": "${data}/chrome"})
    variables = rendered(kept, base=base, exists={"/data/chrome"}.__contains__)
    assert variables["PLAYWRIGHT_CHROMIUM_PATH"] == "/data/chrome"


def test_what_a_playwright_service_says_itself_stays() -> None:
    service = Service(id="api", env={"PLAYWRIGHT_DRIVER_PORT": "5", "ENGINE": "other"})
    variables = rendered(service)
    assert (variables["PLAYWRIGHT_DRIVER_PORT"], variables["ENGINE"]) == ("5", "other")


def test_other_services_are_left_alone() -> None:
    assert not uses_playwright(Service(id="api"), Binary(path="x", env={"PLAY": "1"}))
    assert uses_playwright(Service(id="api"), Binary(path="x", env={"PLAYWRIGHT_X": "1"}))
    assert "ENGINE" not in rendered()
    assert "ENGINE" in rendered(binary=Binary(path="x", env={"PLAYWRIGHT_X": "1"}))


@pytest.mark.parametrize(
    ("wanted", "electron", "there", "answer"),
    [
        ("", "", True, ""),
        ("", "/electron", True, "/electron"),
        ("chrome/chrome", "", False, "{bundle}/chrome/chrome"),
        ("chrome/chrome", "/electron", True, "{bundle}/chrome/chrome"),
        ("chrome/chrome", "/electron", False, "/electron"),
        ("/usr/bin/chrome", "", True, "/usr/bin/chrome"),
        ("../chrome", "/electron", True, "/electron"),
    ],
)
def test_chromium_is_the_bundles_or_electrons(
    tmp_path: Path, wanted: str, electron: str, there: bool, answer: str
) -> None:
    scope = Scope(data=str(tmp_path / "d"), bundle=str(tmp_path))
    expected = answer.replace("{bundle}", str(tmp_path)).replace("/", os.sep)
    found = chromium_path(wanted, electron, scope, lambda _: there)
    assert found.replace("/", os.sep) == expected


def test_the_drivers_port_is_http_or_the_only_one() -> None:
    assert driver_port({"http": 1, "x": 2}) == 1
    assert driver_port({"x": 2}) == 2
    assert driver_port({"x": 2, "y": 3}) is None
    assert driver_port({}) is None


def test_a_service_is_launched_in_the_bundle_with_rendered_arguments(tmp_path: Path) -> None:
    scope = Scope(data=str(tmp_path / "d"), bundle=str(tmp_path), ports={"api": {"http": 7}})
    binary = Binary(path="bin\\api", args=["--port=${api.http}", "${HOME}"])
    plan = plan_service(binary, scope, {"A": "1"}, windows=False)
    assert plan.programs == (os.path.join(tmp_path, "bin", "api"),)
    assert plan.arguments == ("--port=7", "${HOME}")
    assert (plan.cwd, plan.environment, plan.word) == (str(tmp_path), {"A": "1"}, "bin\\api")


def test_a_working_folder_may_lie_in_app_data(tmp_path: Path) -> None:
    scope = Scope(data=str(tmp_path / "d"), bundle=str(tmp_path / "b"))
    plan = plan_service(Binary(path="x", cwd="${data}/w"), scope, {})
    assert plan.cwd == os.path.join(tmp_path, "d", "w")
    with pytest.raises(EscapesRoot):
        plan_service(Binary(path="x", cwd="${data}/.."), scope, {})


@pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")
def test_commands_are_sought_beside_the_binary_and_migrations_run_in_its_folder(
    tmp_path: Path,
) -> None:
    scope = Scope(data=str(tmp_path / "d"), bundle=str(tmp_path))
    binary = Binary(path="services/api/api", cwd="services/api")
    folder = os.path.join(tmp_path, "services", "api")
    migration = Migration(version="1", command=["./api", "up", "${data}"], env={"B": "${data}"})
    plan = plan_migration(migration, binary, scope, {"A": "1", "B": "0"}, windows=False)
    assert plan.programs == (os.path.join(tmp_path, "api"), os.path.join(folder, "api"))
    assert plan.arguments == ("up", scope.data)
    assert plan.environment == {"A": "1", "B": scope.data}
    assert plan.cwd == folder
    health = plan_health(["check"], binary, scope, {"PATH": folder}, windows=False)
    assert health.cwd == str(tmp_path)
    assert health.programs[-1] == os.path.join(folder, "check")


def test_a_process_of_ours_inherits_what_is_nobodys_secret() -> None:
    inherited = {"PATH": "/bin", "BUNDLEVISOR_TOKEN": "t", "SERVICE_INSTANCE_ID": "another"}
    assert of_helper(inherited, "mine") == {"PATH": "/bin", "SERVICE_INSTANCE_ID": "mine"}


@pytest.mark.parametrize("names", [("Path", "PATH"), ("é", "É"), ("ſ", "s"), ("a", "b")])
def test_names_that_are_one_variable_on_windows_are_warned_of(
    found: Callable[..., Any], names: tuple[str, str]
) -> None:
    service = {"id": "one", "env": dict.fromkeys(names, "1")}
    one = len(merged({names[0]: "1"}, {names[1]: "2"}, windows=True)) == 1
    warned = "env_names_differ_in_case" in {
        code for _, code, _ in found(service, platform="win-x64")
    }
    assert warned is one
