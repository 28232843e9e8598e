from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import msgspec
import pytest

from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.perf import bundles, options, programs
from bundlevisor.perf.__main__ import main


def test_a_chain_needs_the_one_before() -> None:
    assert [one.dependencies for one in bundles.shape("chain3")] == [(), ("s0",), ("s1",)]


def test_a_fan_is_one_and_all_behind_it() -> None:
    base, *others = bundles.shape("fan20")
    assert base.dependencies == ()
    assert len(others) == 20
    assert {one.dependencies for one in others} == {("base",)}


@pytest.mark.parametrize("count", [50, 7])
def test_layers_are_five_and_each_needs_the_whole_one_before(count: int) -> None:
    services = bundles.shape(f"layers{count}")
    assert len(services) == count
    by_layer = {one.id[:2]: one.dependencies for one in services}
    assert len(by_layer) == 5
    for layer in range(1, 5):
        before = tuple(one.id for one in services if one.id.startswith(f"l{layer - 1}"))
        assert by_layer[f"l{layer}"] == before


def test_independent_services_need_nothing() -> None:
    services = bundles.shape("independent500")
    assert len({one.id for one in services}) == 500
    assert not any(one.dependencies for one in services)


@pytest.mark.parametrize("name", ["chain", "chain0", "tree5", "fan-1", ""])
def test_an_unknown_shape_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match="layersN"):
        bundles.shape(name)


def test_a_written_bundle_is_a_manifest_of_the_format(tmp_path: Path) -> None:
    shape = bundles.shape("fan3")
    bundle = bundles.write(shape, str(tmp_path), programs.find(native=False), probe_ms=2000)
    with open(bundle.manifest, "rb") as file:
        manifest = msgspec.json.decode(file.read(), type=Manifest)
    assert manifest.ipc.port == bundle.port
    assert {one.id: tuple(one.dependencies) for one in manifest.services} == bundle.dependencies
    health = manifest.services[0].health
    assert health is not None
    assert health.interval_ms == 2000
    for binary in manifest.services[0].binaries.values():
        assert os.access(os.path.join(tmp_path, binary.path), os.X_OK)


def test_somebodys_bundle_is_read_as_it_is(tmp_path: Path) -> None:
    ipc = {"port": 4711, "auth_token_path": "token"}
    services = [{"id": "a"}, {"id": "b", "dependencies": ["a"]}, {"id": "c", "dependencies": None}]
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"ipc": ipc, "services": services}))
    bundle = bundles.existing(str(path))
    assert bundle.port == 4711
    assert bundle.dependencies == {"a": (), "b": ("a",), "c": ()}
    assert not bundle.records


def test_a_free_port_can_be_bound_and_no_connection_takes_it_by_chance() -> None:
    port = bundles.free_port()
    assert port in bundles.quiet_ports()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


def test_contenders_of_one_name_are_told_apart() -> None:
    commands = ["/a/x run", "/b/x run", "/c/x run", "/a/y"]
    parsed = options.parser("api", "", runs=1, shape="chain1").parse_args([])
    parsed.runtime, parsed.against = "/a/x run", commands
    names = [one.name for one in options.contenders(parsed)]
    assert names == ["x run", "x run (2)", "x run (3)", "x run (4)", "y"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["startup", "--baseline", "nofile"], "nofile: No such file or directory"),
        (["ui", "--baseline", "nofile"], "nofile: No such file or directory"),
        (["startup", "--baseline", "{garbage}"], "holds no kept values"),
        (["shutdown", "--baseline", "{kept}"], "answers another question: startup"),
        (["startup", "--json", "/nowhere/kept.json"], "cannot write /nowhere/kept.json"),
        (["startup", "--runs", "0"], "not a whole number from 1: 0"),
        (["startup", "--runs", "-1"], "not a whole number from 1: -1"),
        (["startup", "--shape", "tree5"], "layersN"),
        (["startup", "--bundle", "nofile"], "nofile: No such file or directory"),
        (["startup", "--bundle", "{garbage}"], "is no bundle"),
        (["api", "--seconds", "0"], "0 s are too short"),
        (["attack", "--connections", "0"], "not a whole number from 1: 0"),
        (["attack", "--only", "nothing"], "invalid choice: 'nothing'"),
        (["idle", "--window", "x"], "not a number of seconds: x"),
        (["scale", "--sizes", "0"], "not a whole number from 1: 0"),
        (["startup", "--shape", "fan5001"], "'fan5001' are more than 5000 services"),
        (["scale", "--sizes", "10", "7000"], "more than 5000 services"),
        (["scale", "--sizes", "5"], "of two --sizes at least"),
        (["redaction", "--lines", "7"], "--lines comes in 1000s"),
        (["startup", "--against", "no-such-program --quick"], "no program no-such-program"),
        (["startup", "--runtime", "'open"], "'open: No closing quotation"),
        (["startup", "--runtime", ""], "the command is empty"),
        (["frob"], "usage: "),
        (["startpu"], "there is no question 'startpu' (did you mean 'startup'?)"),
    ],
)
def test_a_wrong_command_line_is_told_with_2_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("[1, 2]")
    kept = tmp_path / "kept"
    kept.write_text('{"question": "startup", "bundle": "", "measures": {}, "contenders": {}}')
    try:
        code: object = main([word.format(garbage=garbage, kept=kept) for word in argv])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert said in capsys.readouterr().err
