"""``exec``: a command in the environment of a service that is up, and in nobody else's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.testing.processes import MARK
from tests import absent
from tests.bundle_maker import Bundle, Run, bundle, bundlevisor, running, wait_until
from tests.installed import COMMAND
from tests.secrets.secret_bundle import give, secret, with_secrets

SHOW = "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"
SHELLS = ("PROMPT", "PWD", "SHLVL", "_")  # what cmd.exe or sh sets in a script on its way to Python
OWN = ("SERVICE_INSTANCE_ID", MARK, "PYTEST_CURRENT_TEST", *SHELLS)


def made(folder: Path) -> Bundle:
    generated = {"class": "per_install_generated"}
    made = (
        bundle(folder)
        .service("db", "reports_environment", secrets=["key", "cert"])
        .service("api", deps=["db"], secrets=["other"], env={"DB": "${db.http}"})
        .set(
            secrets=[
                {"id": "key", "target": {"type": "env"}, **generated},
                {"id": "cert", "target": {"type": "file", "name": "keys/cert"}, **generated},
                {"id": "other", "target": {"type": "env"}, **generated},
            ]
        )
        .file("work/.keep", "")
    )
    for binary in made.document["services"][0]["binaries"].values():
        binary["cwd"] = "work"
    return made.write()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(made(tmp_path_factory.mktemp("exec"))) as run:
        run.until_ready()
        run.until_on_record()
        yield run


def execute(run: Run, *words: str) -> subprocess.CompletedProcess[str]:
    return bundlevisor("exec", "--app-data", str(run.app_data), *words)


def test_a_command_gets_what_the_service_gets(run: Run) -> None:
    given = run.events("db", "environment")[-1]  # it may have been restarted
    done = execute(run, "db", "--", sys.executable, "-c", SHOW)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    env, folder = json.loads(done.stdout)
    ignored = {*OWN, "LC_CTYPE"}
    expected = {name: one for name, one in given["env"].items() if name not in ignored}
    assert {name: one for name, one in env.items() if name not in ignored} == expected
    assert folder == given["cwd"] == str(run.bundle.root / "work")
    assert Path(env["SECRET_FILE_CERT"]).is_file()
    assert not env["SERVICE_INSTANCE_ID"].startswith(run.listening["instance_id"])


@absent.unless(sys.platform not in ("win32", "darwin"), "variables in the encoding of a locale")
def test_a_letter_that_the_locale_does_not_have_is_told_by_its_variable_and_not_shown(
    tmp_path: Path,
) -> None:
    one = with_secrets(tmp_path, secret("key")).service("db", secrets=["key"])
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with running(one.write()) as run:
        give(run, key="pass€word")
        words = ("exec", "--app-data", str(run.app_data))
        run.until_on_record()
        done = subprocess.run(
            [sys.executable, "-m", "bundlevisor", *words, "db", "--", "true"],
            env={**os.environ, **ascii_only},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr.startswith("bundlevisor: KEY holds a letter that")
    assert "20ac" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_secret_that_the_service_is_not_given_stays_away(run: Run) -> None:
    values = json.loads((run.app_data / "secrets.json").read_text())["secrets"]
    done = execute(run, "api", "--", sys.executable, "-c", SHOW)
    env, _ = json.loads(done.stdout)
    assert env["OTHER"] == values["other"]
    assert env["DB"] == str(run.ports("db")["http"])
    assert values["key"] not in done.stdout
    assert values["cert"] not in done.stdout


@pytest.mark.parametrize("code", [0, 3, 255])
def test_its_exit_code_is_the_commands(run: Run, code: int) -> None:
    done = execute(run, "db", "--", sys.executable, "-c", f"raise SystemExit({code})")
    assert done.returncode == code


def test_words_go_on_as_they_are(run: Run) -> None:
    show = "import sys, json; print(json.dumps(sys.argv[1:]))"
    words = ["--json", "-x", "a b", "--", "é", ""]
    done = execute(run, "db", "--", sys.executable, "-c", show, *words)
    assert json.loads(done.stdout) == words


@absent.unless(os.name != "nt", "signals that can be sent")
def test_signals_are_the_commands(run: Run) -> None:
    ready = "import time, sys; print('up', flush=True); time.sleep(600)"
    command = [*COMMAND, "exec", "--app-data", str(run.app_data), "db", "--"]
    with subprocess.Popen([*command, sys.executable, "-c", ready], stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"up\n"
        one.send_signal(signal.SIGTERM)
        assert one.wait(30) == -signal.SIGTERM


@absent.unless(os.name != "nt", "SIGPIPE")
def test_a_command_dies_of_a_closed_pipe_as_in_a_shell(run: Run) -> None:
    words = ["sh", "-c", "yes; echo $? >&2"]
    command = [*COMMAND, "exec", "--app-data", str(run.app_data), "db", "--", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
        assert one.stdout is not None
        assert one.stderr is not None
        one.stdout.readline()
        one.stdout.close()
        assert one.stderr.read().split() == [str(128 + signal.SIGPIPE).encode()]


def test_it_lives_on_when_the_service_ends(run: Run) -> None:
    """It bears no mark of a start: a restart ends what does."""
    waits = "import sys; print('up', flush=True); sys.stdin.read(); print('end')"
    command = [*COMMAND, "exec", "--app-data", str(run.app_data), "db", "--", sys.executable]
    with subprocess.Popen(
        [*command, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "up\n"
        assert run.post("/services/db/restart?wait=30").json()["done"]
        assert one.communicate("", timeout=30)[0] == "end\n"
        assert one.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["dv", "--", "true"], 1, "there is no service 'dv' in this bundle (did you mean 'db'?)"),
        (["db"], 2, "say what to run: bundlevisor exec ID -- COMMAND"),
        (["db", "ls", "-l"], 2, "unknown option: -l"),
        (["db", "--", "no-such-command"], 127, "command not found: no-such-command"),
        (["db", "--", "./.keep"], 126, "cannot run ./.keep"),
    ],
)
def test_what_cannot_be_run_is_said(run: Run, words: list[str], code: int, said: str) -> None:
    if os.name != "nt" or "./.keep" not in words:
        done = execute(run, *words)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_bundle_that_was_changed_meanwhile_is_told(tmp_path: Path) -> None:
    with running(made(tmp_path)) as run:
        run.until_ready()
        run.until_on_record()
        run.bundle.service("db", "reports_environment", env={"NEW": "1"}).write()
        done = execute(run, "db", "--", sys.executable, "-c", "import os; print(os.environ['NEW'])")
        assert done.stdout == "1\n"
        assert "the bundle was changed since it was started" in done.stderr


def test_overlays_of_the_run_count(tmp_path: Path) -> None:
    dev = tmp_path / "dev.json"
    dev.write_text('{"services": {"db": {"env": {"LEVEL": "debug"}}}}')
    with running(made(tmp_path), "--overlay", str(dev)) as run:
        wait_until(lambda: run.events("db", "environment"), what="the service")
        run.until_ready()
        run.until_on_record()
        show = "import os; print(os.environ['LEVEL'])"
        done = execute(run, "db", "--", sys.executable, "-c", show)
        assert (done.stdout, done.stderr) == ("debug\n", "")


def test_without_an_instance_there_is_nothing_to_be_had(tmp_path: Path) -> None:
    done = bundlevisor("exec", "--app-data", str(tmp_path), "db", "--", "true")
    assert done.returncode == 4
