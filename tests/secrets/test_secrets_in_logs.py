"""What a service prints of its secrets: hidden in every way its output can be seen."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from bundlevisor.actors.guardian.drain import Drain, without_rest
from tests.bundle_maker import Run, running, wait_until
from tests.secrets.secret_bundle import (
    file_secret,
    give,
    places_that_hold,
    secret,
    with_secrets,
)

VALUE = "correct-horse-battery"
SECRETS = (("key", VALUE.encode()),)


def test_a_printed_secret_is_hidden_in_file_tail_and_stream(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("api_key"), secret("other"))
    made.service("api", "prints_secret", secrets=["api_key"]).write()
    with running(made) as run:
        give(run, api_key=VALUE, other="end")
        wait_until(lambda: "unfinished: " in run.log("api"), what="the output")
        run.until_ready()
        hidden = "[secret:api_key] end"
        expected = [f"{word}: {hidden}" for word in ("whole", "cut", "bytes", "stderr")]
        wait_until(lambda: len(run.log("api").splitlines()) == 5, what="the last line")
        assert run.log("api").splitlines()[:4] == expected
        tail = run.get("/logs/tail?serviceId=api").text
        assert tail.splitlines()[:4] == expected
        assert not places_that_hold(run, VALUE)


def test_a_migration_gets_secrets_and_its_output_hides_them(tmp_path: Path) -> None:
    source = "import os, sys\nsys.exit('cannot open with ' + os.environ['API_KEY'])\n"
    made = with_secrets(tmp_path, secret("api_key")).script("bin/migrate", source)
    migration = {"version": "1", "command": ["bin/migrate"], "run_on": "always"}
    made.service("api", secrets=["api_key"], migrations=[migration]).write()
    with running(made) as run:
        give(run, api_key=VALUE)
        wait_until(lambda: run.service("api")["state"] == "failed", what="the failure")
        assert "cannot open with [secret:api_key]" in run.service("api")["message"]
        assert "cannot open with [secret:api_key]" in run.log("api")
        wait_until(
            lambda: [e for e in run.telemetry() if e["event"] == "migration_failed"],
            what="the event",
        )
        assert not places_that_hold(run, VALUE)


PATIENT = {"timeout_ms": 60_000}
"""On a busy machine last words may take their time."""

PRINTS_AT_ITS_END = """
import os, signal, sys, time
key = os.environ["API_KEY"]
def end(*_):
    os.write(1, key[10:].encode() + b" end\\nagain: " + key.encode() + b" end\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(1, b"first half: " + key[:10].encode())
while True:
    time.sleep(1)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_the_guardian_hides_what_is_printed_after_the_death_of_the_runtime(
    tmp_path: Path,
) -> None:
    """The runtime dies between the halves of a secret: it has read the first one."""
    made = with_secrets(tmp_path, secret("api_key")).script("bin/p", PRINTS_AT_ITS_END)
    made.service("api", "bin/p", ports=(), secrets=["api_key"], stop=PATIENT).write()
    with running(made) as run:
        give(run, api_key=VALUE)
        wait_until(lambda: "first half: " in run.log("api"), what="the first half")
        run.kill(signal.SIGKILL)
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert run.log("api") == "first half: [secret:api_key] end\nagain: [secret:api_key] end\n"
        assert not places_that_hold(run, VALUE, VALUE[10:])


@pytest.mark.parametrize("cut", range(1, len(VALUE) - 3))
@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_the_rest_of_a_cut_secret_is_hidden_however_it_comes(
    tmp_path: Path, cut: int, chunk: int
) -> None:
    text = VALUE[cut:].encode() + b" end " + VALUE.encode() + b".\n"
    read, write = os.pipe()
    drain = Drain(read, str(tmp_path / "log"), SECRETS)
    for at in range(0, len(text), chunk):
        os.write(write, text[at : at + chunk])
        drain.pump()
    os.close(write)
    drain.pump()
    drain.close()
    assert (tmp_path / "log").read_bytes() == b"[secret:key] end [secret:key].\n"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", b""),
        (b"plain text", b"plain text"),
        (b"ery and more", b"ery and more"),
        (b"tery and more", b"[secret:key] and more"),
        (b"horse-bat", b"[secret:key]"),
        (VALUE.encode(), VALUE.encode()),  # whole: for the redactor that follows
    ],
)
def test_only_the_end_or_the_inside_of_a_secret_is_taken_for_one(data: bytes, shown: bytes) -> None:
    assert without_rest(data, SECRETS) == shown


def test_white_space_around_a_secret_counts_for_nothing_where_it_was_cut_either() -> None:
    around = (("key", f"  {VALUE}\n".encode()),)
    assert without_rest(b"tery and more", around) == b"[secret:key] and more"
    assert without_rest(b"horse-bat", around) == b"[secret:key]"


KEEPS_ITS_KEY = """
import os, signal, sys, time
key, file = os.environ["API_KEY"], os.path.join(os.environ["APP_DATA_DIR"], "last-key")
before = open(file).read() if os.path.exists(file) else ""
if before:
    os.write(1, b"the key was " + before.encode() + b" and is " + key.encode() + b"\\n")
with open(file, "w") as kept:
    kept.write(key)
def end(*_):
    os.write(1, b"last words with " + key.encode() + b"\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(1, b"up\\n")
while True:
    time.sleep(1)
"""


def has_started(run: Run, times: int) -> bool:
    return run.log("api").count("up\n") == times


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM")
def test_a_replaced_value_is_hidden_in_last_words_and_in_those_of_the_next_start(
    tmp_path: Path,
) -> None:
    """The old process knows the old value, and the new one may know both."""
    made = with_secrets(tmp_path, secret("api_key")).script("bin/p", KEEPS_ITS_KEY)
    made.service("api", "bin/p", ports=(), secrets=["api_key"], stop=PATIENT).write()
    hidden = "[secret:api_key]"
    with running(made) as run:
        for turn, value in enumerate((VALUE, "second-value", "third-value"), 1):
            give(run, api_key=value)
            wait_until(partial(has_started, run, turn), what="the next start")
        run.post("/shutdown")
        assert run.wait_gone() == 0
        lines = run.log("api").splitlines()
        assert lines.count(f"last words with {hidden}") == 3
        assert lines.count(f"the key was {hidden} and is {hidden}") == 2
        (run.app_data / "last-key").unlink()
        assert not places_that_hold(run, VALUE, "second-value", "third-value")


READS_AGAIN = """
import os, signal, time
path = os.environ["SECRET_FILE_CERT"]
before = open(path).read()
def end(*_):
    while (now := open(path).read()) == before:
        time.sleep(0.01)
    os.write(1, b"it was " + before.encode() + b", it is " + now.encode() + b"\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(1, b"up\\n")
while True:
    time.sleep(1)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM")
def test_a_new_value_is_hidden_before_the_service_that_reads_it_is_restarted(
    tmp_path: Path,
) -> None:
    """Two share a file: the one that is restarted first brings the new value to the other."""
    made = with_secrets(tmp_path, file_secret("cert", "cert")).script("bin/r", READS_AGAIN)
    made.service("quick", ports=(), secrets=["cert"])
    made.service("api", "bin/r", ports=(), secrets=["cert"], stop=PATIENT).write()
    with running(made) as run:
        give(run, cert=VALUE)
        wait_until(partial(has_started, run, 1), what="the first start")
        run.until_ready()
        give(run, cert="second-value")
        wait_until(partial(has_started, run, 2), what="the next start")
        assert "it was [secret:cert], it is [secret:cert]\n" in run.log("api")


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_the_guardian_hides_replaced_values_as_well(tmp_path: Path) -> None:
    source = KEEPS_ITS_KEY.replace('b"last words with " + key', 'b"last words with " + before')
    made = with_secrets(tmp_path, secret("api_key")).script("bin/p", source)
    made.service("api", "bin/p", ports=(), secrets=["api_key"], stop=PATIENT).write()
    with running(made) as run:
        for turn, value in enumerate((VALUE, "second-value"), 1):
            give(run, api_key=value)
            wait_until(partial(has_started, run, turn), what="the next start")
        run.kill(signal.SIGKILL)
        run.wait_gone()
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert run.log("api").splitlines()[-1] == "last words with [secret:api_key]"


PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+kqhk/iG9w0B\nAQEFAASCBKcwggSj\n"
    "-----END PRIVATE KEY-----\n"
)
PRINTS_LINES_AND_JSON = """
import json, os, sys, time
key = os.environ["KEY"]
print(key.splitlines()[1], flush=True)
print(json.dumps({"key": key}), flush=True)
sys.exit("failed with " + key.splitlines()[2])
"""


def test_lines_and_json_are_hidden_in_the_log_the_message_and_telemetry(tmp_path: Path) -> None:
    made = with_secrets(tmp_path, secret("key")).script("bin/p", PRINTS_LINES_AND_JSON)
    made.service("api", "bin/p", ports=(), secrets=["key"], restart={"policy": "never"}).write()
    with running(made) as run:
        give(run, key=PEM)
        wait_until(lambda: run.service("api")["state"] == "failed", what="its end")
        wait_until(
            lambda: [one for one in run.telemetry() if "last_lines" in one.get("details", {})],
            what="the event",
        )
        assert run.log("api").count("[secret:key]") == 3
        assert not places_that_hold(run, *PEM.splitlines()[1:3], json.dumps(PEM)[1:-1])
