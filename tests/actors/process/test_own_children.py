"""Processes of ours that are no services, told from what the runtime has adopted."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

if sys.platform != "linux":
    pytest.skip("only on Linux is anything adopted", allow_module_level=True)

import resource

from bundlevisor.actors.process import own_children, tree


@contextmanager
def no_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_what_took_the_last_descriptor_is_known_all_the_same() -> None:
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    with (
        no_descriptors(),
        pytest.raises(OSError, match="Too many") as refused,
        own_children.starting(),
    ):
        raise AssertionError("nothing may be started that would not be known")
    assert refused.value.errno == errno.EMFILE
    starting = own_children.starting()
    starting.__enter__()
    child = subprocess.Popen(["/bin/sleep", "600"])
    with no_descriptors():
        starting.__exit__(None, None, None)
    assert tree.is_known(child.pid)
    assert not tree.is_known(stranger.pid)
    own_children.unregister(child.pid)
    for process in (stranger, child):
        process.kill()
        process.wait()
