"""What is run, where and with what, on POSIX and on Windows."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.schema import Binary, Migration
from bundlevisor.manifest.plan.launch import LaunchPlan, plan_health, plan_migration, plan_service
from bundlevisor.manifest.plan.template import Scope

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths are written for POSIX")

SCOPE = Scope(data="/d", bundle="/b")
VARIABLES = {"Path": "/usr/bin", "PathExt": ".EXE"}
ONCE = Migration(version="1", command=["tool", "up"], env={"PATH": "/opt"})


def test_on_windows_a_service_is_sought_with_the_suffixes_of_its_own_environment() -> None:
    binary = Binary(path="bin/api", cwd="w")
    assert plan_service(binary, SCOPE, VARIABLES, windows=True) == LaunchPlan(
        word="bin/api",
        programs=("/b/bin/api", "/b/bin/api.exe"),
        arguments=(),
        cwd="/b/w",
        environment=VARIABLES,
    )


def test_a_check_is_sought_in_the_bundle_beside_the_binary_and_on_path() -> None:
    beside = Binary(path="in/api", cwd="w")
    assert plan_health(["tool", "-q"], beside, SCOPE, VARIABLES, windows=True) == LaunchPlan(
        word="tool",
        programs=(
            *("/b/tool", "/b/tool.exe", "/b/in/tool", "/b/in/tool.exe"),
            *("/usr/bin/tool", "/usr/bin/tool.exe"),
        ),
        arguments=("-q",),
        cwd="/b",
        environment=VARIABLES,
    )


def test_names_of_variables_are_read_as_they_are_written_on_posix() -> None:
    lower = {"path": "/usr/bin", "PATH": "/opt"}
    found = plan_health(["tool"], None, SCOPE, lower, windows=False)
    assert found.programs == ("/b/tool", "/opt/tool")


def test_a_check_in_app_data_is_found_there_alone() -> None:
    found = plan_health(["${data}/tool"], None, SCOPE, {"PATH": "/usr/bin"}, windows=False)
    assert (found.word, found.programs) == ("/d/tool", ("/d/tool",))


def test_a_migration_runs_where_the_service_does_with_its_own_variables() -> None:
    found = plan_migration(ONCE, Binary(path="in/api", cwd="w"), SCOPE, VARIABLES, windows=True)
    assert found.environment == {"PATH": "/opt", "PathExt": ".EXE"}
    assert (found.cwd, found.arguments) == ("/b/w", ("up",))
    assert found.programs[2:] == (*("/b/in/tool", "/b/in/tool.exe", "/opt/tool", "/opt/tool.exe"),)


@pytest.mark.parametrize("refused", [Binary(path="in/aux"), Binary(path="x", cwd="aux")])
def test_a_device_of_windows_is_no_program_and_no_folder_there(refused: Binary) -> None:
    plans = (
        partial(plan_service, refused, SCOPE, {}),
        partial(plan_migration, ONCE, refused, SCOPE, {}),
    )
    for plan in plans:
        assert plan(windows=False)
        with pytest.raises(PathRefused):
            plan(windows=True)


def test_a_device_of_windows_is_no_folder_of_a_check_there() -> None:
    refused = Binary(path="aux/api")
    assert plan_health(["tool"], refused, SCOPE, {}, windows=False).programs[1] == "/b/aux/tool"
    with pytest.raises(PathRefused):
        plan_health(["tool"], refused, SCOPE, {}, windows=True)
    with pytest.raises(PathRefused):
        plan_health(["aux"], None, SCOPE, {}, windows=True)
