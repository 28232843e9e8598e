"""``bundlevisor secrets set``: a value from stdin, and never from the arguments."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.bundle_maker import bundlevisor, running
from tests.installed import COMMAND
from tests.live_runtime import ROOT
from tests.secrets.secret_bundle import (
    environments,
    file_secret,
    secret,
    with_secrets,
)


def test_the_command_line_sets_a_secret(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("api_key", format="^k-")).service(
        "api", "reports_environment", secrets=["api_key"]
    )
    with running(made.write()) as run:
        where = ("--app-data", str(run.app_data))
        assert "missing" in bundlevisor("secrets", "list", *where).stdout
        refused = bundlevisor("secrets", "set", "api_key", "--stdin", *where)
        assert refused.returncode == 1
        assert bundlevisor("secrets", "set", "api_key", *where).returncode == 2
        command = [*COMMAND, "secrets", "set", "api_key", "--stdin", *where]
        subprocess.run(command, cwd=ROOT, input=b"k-1234567\n", check=True, timeout=60)
        run.until_ready()
        assert environments(run, "api")[0]["API_KEY"] == "k-1234567"
        assert "set" in bundlevisor("secrets", "list", *where).stdout


@pytest.mark.parametrize(("piped", "kept"), [(b"a\nb\n", "a\nb\n"), (b"a b\r\n", "a b")])
def test_several_lines_are_taken_as_they_are(tmp_path: Path, piped: bytes, kept: str) -> None:
    made = with_secrets(tmp_path, file_secret("cert", "cert.pem")).service("api", secrets=["cert"])
    with running(made.write()) as run:
        command = [*COMMAND, "secrets", "set", "cert", "--stdin", "--app-data", str(run.app_data)]
        subprocess.run(command, cwd=ROOT, input=piped, check=True, timeout=60)
        run.until_ready()
        assert (run.app_data / "cert.pem").read_bytes() == kept.encode()


@pytest.mark.parametrize("given", [["api_key", "k-1234567"], ["api_key", "--stdin=k-1234567"]])
def test_a_value_among_the_arguments_is_refused_and_not_repeated(given: list[str]) -> None:
    refused = bundlevisor("secrets", "set", *given)
    assert refused.returncode == 2
    assert "value" in refused.stderr
    assert "1234567" not in refused.stdout + refused.stderr
