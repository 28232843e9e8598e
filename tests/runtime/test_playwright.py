"""What a Playwright service finds in its environment, and what is told when its browser is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

DRIVER = "playwright-driver"


def driver(folder: Path, **fields: Any) -> Bundle:
    return bundle(folder).service(DRIVER, "reports_environment", **fields)


def environment(run: Run, service: str = DRIVER) -> Mapping[str, str]:
    found = wait_until(lambda: run.events(service, "environment"))
    variables: dict[str, str] = found[0]["env"]
    return variables


def fallbacks(run: Run) -> list[dict[str, Any]]:
    wait_until(lambda: [e for e in run.telemetry() if e["event"] == "ready"], what="telemetry")
    return [e for e in run.telemetry() if e["event"] == "playwright_chromium_fallback"]


@pytest.fixture
def electron(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "electron" / "chrome"
    path.parent.mkdir()
    path.write_text("")
    return {"ELECTRON_CHROMIUM_PATH": str(path)}


def test_a_driver_finds_its_port_engine_and_bundled_browser(
    tmp_path: Path, electron: dict[str, str]
) -> None:
    made = driver(tmp_path, env={"PLAYWRIGHT_CHROMIUM_PATH": "browsers/chrome"})
    made.file("browsers/chrome", "").write()
    with running(made, env=electron) as run:
        run.until_ready()
        variables, port = environment(run), run.ports(DRIVER)["http"]
        assert variables["PLAYWRIGHT_DRIVER_PORT"] == str(port)
        assert variables["PLAYWRIGHT_DRIVER_URL"] == f"http://127.0.0.1:{port}"
        assert variables["ENGINE"] == "playwright"
        assert variables["PLAYWRIGHT_CHROMIUM_PATH"] == str(made.root / "browsers" / "chrome")
        assert fallbacks(run) == []


def test_electrons_browser_takes_the_place_of_a_missing_one_and_that_is_told(
    tmp_path: Path, electron: dict[str, str]
) -> None:
    made = driver(tmp_path, env={"PLAYWRIGHT_CHROMIUM_PATH": "browsers/chrome"}).write()
    with running(made, env=electron) as run:
        run.until_ready()
        path = electron["ELECTRON_CHROMIUM_PATH"]
        assert environment(run)["PLAYWRIGHT_CHROMIUM_PATH"] == path
        [event] = fallbacks(run)
        assert event["service_id"] == DRIVER
        assert event["details"] == {"missing": "browsers/chrome", "path": path, "there": True}
        run.until_said("its Chromium browsers/chrome is not there")


def test_electrons_browser_for_a_service_that_names_none_is_told_without_a_warning(
    tmp_path: Path, electron: dict[str, str]
) -> None:
    with running(
        driver(tmp_path).service("other", "reports_environment").write(), env=electron
    ) as run:
        run.until_ready()
        path = electron["ELECTRON_CHROMIUM_PATH"]
        assert environment(run)["PLAYWRIGHT_CHROMIUM_PATH"] == path
        assert "PLAYWRIGHT_CHROMIUM_PATH" not in environment(run, "other")
        [event] = fallbacks(run)
        assert event["service_id"] == DRIVER
        assert event["details"] == {"missing": "", "path": path, "there": True}
        run.until_said("ready after ")  # which is said later
        assert "Chromium" not in run.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PLAYWRIGHT_CHROMIUM_PATH": "chrome"}, "chrome is not there; it gets {}, which is not"),
        ({}, "it names no Chromium; it gets {}, which is not there"),
    ],
)
def test_electrons_browser_that_is_missing_as_well_is_told(
    tmp_path: Path, env: dict[str, str], said: str
) -> None:
    path = str(tmp_path / "gone")
    with running(driver(tmp_path, env=env).write(), env={"ELECTRON_CHROMIUM_PATH": path}) as run:
        run.until_ready()
        [event] = fallbacks(run)
        assert event["details"]["there"] is False
        run.until_said(said.format(path))


def test_a_service_that_names_electrons_browser_itself_has_no_fallback(
    tmp_path: Path, electron: dict[str, str]
) -> None:
    own = {"PLAYWRIGHT_CHROMIUM_PATH": electron["ELECTRON_CHROMIUM_PATH"]}
    with running(driver(tmp_path, env=own).write(), env=electron) as run:
        run.until_ready()
        assert environment(run)["PLAYWRIGHT_CHROMIUM_PATH"] == own["PLAYWRIGHT_CHROMIUM_PATH"]
        assert fallbacks(run) == []


def test_what_a_service_says_itself_is_kept(tmp_path: Path) -> None:
    own = {"PLAYWRIGHT_DRIVER_URL": "ws://127.0.0.1:1", "ENGINE": "own"}
    made = bundle(tmp_path).service("tests", "reports_environment", env=own).write()
    with running(made) as run:
        run.until_ready()
        variables = environment(run, "tests")
        assert {name: variables[name] for name in own} == own
        assert variables["PLAYWRIGHT_DRIVER_PORT"] == str(run.ports("tests")["http"])
