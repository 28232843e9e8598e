"""Secrets that nobody has to give, and that are not to be had."""

from __future__ import annotations

from pathlib import Path

from tests.bundle_maker import bundlevisor, running, wait_until
from tests.secrets.secret_bundle import generated, with_secrets


def test_what_keeps_a_secret_away_is_told_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, generated("key")).service("db", secrets=["key"]).write()
    file = made.app_data / "secrets.json"
    file.mkdir(parents=True)
    with running(made) as run:
        wait_until(lambda: run.service("db")["state"] == "waiting", what="the service to wait")
        why = f"waiting for secret 'key': {file} cannot be read (it is a folder)"
        assert run.service("db")["message"] == why
        told = bundlevisor("explain", "db", "--app-data", str(run.app_data)).stdout
        assert why in told
        assert "secrets set" not in told
