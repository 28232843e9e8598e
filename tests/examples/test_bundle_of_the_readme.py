"""The bundle of the README, as somebody gets it who copies it from there."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle
from tests.live_runtime import ROOT, running


def copied(language: str) -> str:
    """Return the first block of this language in the README's section about a bundle."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## A bundle")[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, f"no {language} there"
    return found[1]


@pytest.mark.skipif(os.name == "nt", reason="the program of the README is a POSIX script")
def test_the_bundle_of_the_readme_runs(tmp_path: Path) -> None:
    document = json.loads(copied("json"))
    document["ipc"]["port"] = 0  # the only change: other tests may use the port meanwhile
    manifest = tmp_path / "my-app" / "bundle.json"
    for program in ("store", "greeter"):
        path = manifest.parent / "bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(copied("python"))
        path.chmod(0o755)
    manifest.write_text(json.dumps(document))

    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with running(Bundle.existing(manifest, tmp_path), env={"PATH": search}) as run:
        run.until_ready()
        port = run.ports("greeter")["http"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert answer.read() == b"hello\n"
        assert run.get("/validate").json()["valid"]
        assert [one["has_value"] for one in run.get("/secrets").json()["secrets"]] == [True]
