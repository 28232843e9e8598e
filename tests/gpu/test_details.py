"""Which GPU it is, from made-up machines, and asked in another process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundlevisor.actors.gpu import details


def test_an_nvidia_card_says_its_model_and_driver(tmp_path: Path) -> None:
    folder = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "information").write_text("Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 137\n")
    (folder.parent.parent / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\n"
        "GCC version:  gcc version 12.2.0\n"
    )
    assert details.read("linux", str(tmp_path)) == ("NVIDIA GeForce RTX 4090", "nvidia 550.54.14")


@pytest.mark.skipif(os.name == "nt", reason="a link is a privilege there")
def test_any_other_card_is_named_by_its_numbers_and_driver(tmp_path: Path) -> None:
    device = tmp_path / "sys/class/drm/renderD128/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x1002\n")
    (device / "device").write_text("0x73bf\n")
    (tmp_path / "amdgpu").mkdir()
    (device / "driver").symlink_to(tmp_path / "amdgpu")
    assert details.read("linux", str(tmp_path)) == ("0x1002 0x73bf", "amdgpu")


def test_nothing_is_made_up_where_nothing_is_known(tmp_path: Path) -> None:
    assert details.read("linux", str(tmp_path)) == ("", "")


def test_the_question_is_answered_by_another_process() -> None:
    found = details.ask()
    assert found is not None
    assert isinstance(found.name, str)
