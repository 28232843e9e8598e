"""The npm package: its own tests against the real runtime, its types, and the tarball."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.electron.npm import COMMAND, NODE, NPM, PACKAGE, ROOT, needs_node, needs_npm, run, tools
from tests.packaging.made import made_once

SUITES = sorted(path.name for path in (PACKAGE / "test").glob("*.test.js"))
SKIPPED = re.compile(r"^ok .* # SKIP (.*)$", re.MULTILINE)
SAMPLE = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSUMER = Path(__file__).parent / "consumer"
CHECKER = Path(__file__).with_name("check_types.js")
COMPILER_OPTIONS = {
    "strict": True,
    "noEmit": True,
    "target": "es2022",
    "lib": ["es2022", "dom"],
    "types": ["node"],
}
RESOLUTIONS = {
    "nodenext": ({"module": "nodenext"}, ["use.cts", "use.mts"]),
    "node10": ({"module": "commonjs", "moduleResolution": "node10"}, ["use.cts"]),
}
"""How a project looks for types: the second, older way is that of Forge's template with webpack."""


@needs_node
@pytest.mark.timeout(600)
@pytest.mark.parametrize("suite", SUITES)
def test_the_package_works_on_the_real_runtime(suite: str) -> None:
    told = run(NODE or "", "--test", "--test-reporter=tap", PACKAGE / "test" / suite)
    left_out = SKIPPED.findall(told)
    if left_out and "\n# pass 0\n" in told:
        pytest.skip(left_out[0])
    assert os.name == "nt" or left_out == [], told
    assert "\n# fail 0\n" in told


@needs_node
def test_a_suite_that_fails_or_does_nothing_is_found(tmp_path: Path) -> None:
    suite = tmp_path / "x.test.js"
    suite.write_text('require("node:test").test("no", () => { throw new Error("so it is"); });')
    with pytest.raises(AssertionError, match="so it is"):
        run(NODE or "", "--test", "--test-reporter=tap", suite)
    suite.write_text('require("node:test").test("no", { skip: "no browser" }, () => {});')
    assert SKIPPED.findall(run(NODE or "", "--test", "--test-reporter=tap", suite)) == [
        "no browser"
    ]


@needs_npm
@pytest.mark.timeout(600)
def test_what_has_wrong_types_is_not_packed(tmp_path: Path) -> None:
    """So that all types are right of which there is a tarball: they are checked once."""
    shutil.copytree(PACKAGE / "scripts", tmp_path / "scripts")
    (tmp_path / "node_modules").symlink_to(tools(), target_is_directory=True)
    options = {"allowJs": True, "checkJs": True, "lib": ["es2023"], "types": []}
    config = {"compilerOptions": options, "include": ["lib"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    (tmp_path / "lib").mkdir()
    source = tmp_path / "lib" / "index.js"
    source.write_text("/** @type {number} */\nexports.x = 'a';\n")
    with pytest.raises(AssertionError, match=r"lib/index.js\(2,1\): error TS2322"):
        run(NODE or "", "scripts/declarations.js", cwd=tmp_path)
    assert not (tmp_path / "types").exists()
    assert scripts_before_packing() == ["node scripts/declarations.js"]


def scripts_before_packing() -> list[str]:
    scripts = json.loads((PACKAGE / "package.json").read_text())["scripts"]
    return [scripts[name] for name in ("prepack", "prepare") if name in scripts]


@needs_npm
@pytest.mark.timeout(600)
def test_it_is_formatted() -> None:
    run(tools() / ".bin" / "prettier", "--check", ".", CONSUMER, CHECKER)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has the tarball installed, with nothing else; not to be changed."""
    return made_once(tmp_path_factory, "consumer", pack_and_install) / "project"


def pack_and_install(folder: Path) -> None:
    package, project = folder / "electron", folder / "project"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("node_modules", "types"))
    (package / "node_modules").symlink_to(tools(), target_is_directory=True)
    shutil.copytree(CONSUMER, project)
    told = run(NPM or "npm", "pack", "--json", f"--pack-destination={project}", cwd=package)
    tarball = project / json.loads(told)[0]["filename"]
    (project / "package.json").write_text('{"name": "consumer", "private": true}')
    options = ("--offline", "--no-audit", "--no-fund", "--legacy-peer-deps")
    run(NPM or "npm", "install", *options, tarball, cwd=project)


@needs_npm
@pytest.mark.timeout(600)
def test_the_tarball_holds_what_is_needed_and_no_more(installed: Path) -> None:
    package = installed / "node_modules" / "bundlevisor"
    files = {path.relative_to(package).parts[0] for path in package.rglob("*") if path.is_file()}
    assert files == {"LICENSE", "README.md", "lib", "package.json", "renderer", "types"}
    assert list((installed / "node_modules").glob("[!.]*")) == [package], "it needs nothing else"
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@needs_npm
@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", ["use.cjs", "use.mjs"])
def test_the_installed_package_is_used_by_require_and_by_import(
    installed: Path, tmp_path: Path, script: str
) -> None:
    manifest = ROOT / "examples" / "notes" / "bundle.json"
    told = run(NODE or "", script, manifest, tmp_path / "data", cwd=installed)
    assert json.loads(told) == {"app": "Notes", "code": 0}


@needs_npm
@pytest.mark.timeout(600)
def test_what_its_readme_shows_of_the_parts_runs_as_it_is(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "notes", project)
    shutil.copytree(installed / "node_modules", project / "node_modules")
    readme = (installed / "node_modules" / "bundlevisor" / "README.md").read_text()
    (project / "parts.mjs").write_text(SAMPLE.findall(readme)[1])
    assert "ready undefined\n" in run(NODE or "", "parts.mjs", cwd=project)


@needs_npm
@pytest.mark.timeout(600)
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_the_installed_types_serve_every_kind_of_project(
    installed: Path, tmp_path: Path, resolution: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(installed, project)
    for name in ("@types", "electron", "undici-types"):
        (project / "node_modules" / name).symlink_to(tools() / name)
    how, files = RESOLUTIONS[resolution]
    config = {"compilerOptions": {**COMPILER_OPTIONS, **how}, "files": files}
    (project / "tsconfig.json").write_text(json.dumps(config))
    checked = run(NODE or "", CHECKER, tools() / "typescript", project).splitlines()
    ours = {Path(line).name for line in checked if "/node_modules/bundlevisor/types/" in line}
    assert {"index.d.ts", "application.d.ts", "runtime.d.ts"} <= ours
    assert ("index.d.mts" in ours) == ("use.mts" in files)


def test_the_version_is_that_of_the_runtime() -> None:
    version = run(COMMAND, "--version").split()[-1]
    package = json.loads((PACKAGE / "package.json").read_text())
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    assert (package["version"], lock["version"]) == (version, version)
    assert "dependencies" not in package
