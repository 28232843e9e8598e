"""A manifest that cannot be used ends ``run`` with code 2 and a sentence, and starts nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import bundlevisor

BAD_MANIFEST = 2
WHOLE = (
    b'{"schema_version": "v0.1", "target": "desktop", "app": {"name": "x", "version": "1"},'
    b' "ipc": {"mode": "http", "host": "127.0.0.1", "port": 0, "auth_token_path": "t"},'
    b' "telemetry": {"file": "f"}, "services": [{"id": "a"}]}'
)
BAD = {
    "empty": (b"", "is empty"),
    "truncated in a string": (WHOLE[:70], "ends too early"),
    "truncated in an object": (WHOLE[:140], "ends too early"),
    "a comma too many": (WHOLE.replace(b'"a"', b'"a",'), "is no JSON"),
    "single quotes": (b"{'schema_version': 'v0.1'}", "is no JSON"),
    "half an escape": (WHOLE.replace(b'"x"', b'"\\q"'), "is no JSON"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (WHOLE.decode().encode("utf-16-le"), "is no JSON"),
    "two byte order marks": (2 * b"\xef\xbb\xbf" + WHOLE, "is no JSON"),
    "not UTF-8": (WHOLE.replace(b'"x"', b'"\xe9"'), "is not UTF-8"),
    "a key twice": (WHOLE.replace(b'"target"', b'"target": "", "target"'), "written twice"),
    "NaN": (WHOLE.replace(b'"port": 0', b'"port": NaN'), "NaN is no JSON"),
    "a port too high": (WHOLE.replace(b'"port": 0', b'"port": 70000'), "ipc.port is 70000"),
    "a negative port": (WHOLE.replace(b'"port": 0', b'"port": -1'), "ipc.port is -1"),
    "a port of 4000 digits": (
        WHOLE.replace(b'"port": 0', b'"port": 1' + b"0" * 4000),
        "ipc.port is huge",
    ),
    "a port in words": (WHOLE.replace(b'"port": 0', b'"port": "high"'), "ipc.port"),
    "ten thousand brackets": (b"[" * 10_000 + b"]" * 10_000, "nests brackets too deeply"),
    "ten thousand open brackets": (b'{"a":' * 10_000, "nests brackets too deeply"),
    "something else": (b"[]", "must be an object"),
    "larger than read": (WHOLE + b" " * (16 * 1024 * 1024), "larger than 16 MiB"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_manifest_ends_the_start_with_code_2_and_a_sentence(
    tmp_path: Path, name: str
) -> None:
    content, sentence = BAD[name]
    manifest = tmp_path / "bundle.json"
    manifest.write_bytes(content)
    app_data = tmp_path / "app-data"
    done = bundlevisor("run", "--manifest", str(manifest), "--app-data", str(app_data))
    assert done.returncode == BAD_MANIFEST, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not app_data.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_manifest_that_is_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "bundle.json"
    os.mkfifo(pipe)
    done = bundlevisor("run", "--manifest", str(pipe))
    assert done.returncode == BAD_MANIFEST
    assert "no regular file" in done.stderr
