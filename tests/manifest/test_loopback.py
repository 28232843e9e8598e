"""Which Host is this machine's, wherever it is asked: tables over the one rule."""

from __future__ import annotations

import pytest

from bundlevisor.manifest.format.loopback import is_loopback_authority, url_of

OURS = [
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:47710",
    "127.0.0.1:65535",
    "127.0.0.1:00080",
    "127.1.2.3:1",
    "127.8.9.255:1",
    "127.0.0.1.",
    "localhost",
    "LocalHost:47710",
    "localhost.",
    "localhost.:80",
    "[::1]",
    "[::1]:",
    "[::1]:47710",
    "[0:0:0:0:0:0:0:1]:5",
    "[::ffff:127.0.0.1]:5",
    "[::FFFF:127.0.0.1]",
]
FOREIGN = [
    "",
    "example.org",
    "example.org:47710",
    "evil.example",
    "localhost.example.org",
    "localhost.evil.example",
    "evillocalhost",
    "notlocalhost",
    "foo.localhost",
    "127.0.0.1.example.org",
    "localhost..",
    "127.0.0.1..",
    "0.0.0.0",
    "10.0.0.1",
    "128.0.0.1",
    "127.1",
    "127.0.0.1.1",
    "127.0.0.",
    "127.0.0.256",
    "127.0.0.-1",
    "127.0.0.+1",
    "127.0.0.001",
    "127.0.0.1000000",
    "0177.0.0.1",
    "2130706433",
    "::1",
    "[::]",
    "[::2]",
    "[]",
    "[localhost]",
    "[127.0.0.1]",
    "[::1%25lo]",
    "[::ffff:10.0.0.1]",
    "[::ffff:localhost]",
    "[::1",
    "[::1.",
    "::1]",
    "[::1].",
    "[::1]evil",
    "[::1]:65536",
    "127.0.0.1:x",
    "127.0.0.1:-1",
    "127.0.0.1:65536",
    "127.0.0.1:000080",
    "127.0.0.1:\u0668\u0660",
    "127.0.0.1:80:80",
    "localhost:80:80",
    "localhost:x",
    "localhost:123456",
    "user@localhost",
    "localhost/",
    "localhost, localhost",
    "127.0.0.1, evil.example",
    " localhost",
    "127.0.0.1\t",
    "\u217cocalhost",
    "\u0661\u0662\u0667.0.0.1",
]


@pytest.mark.parametrize("authority", OURS)
def test_loopback_names_and_addresses_are_ours(authority: str) -> None:
    assert is_loopback_authority(authority)


@pytest.mark.parametrize("authority", FOREIGN)
def test_everything_else_is_foreign(authority: str) -> None:
    assert not is_loopback_authority(authority)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_an_address_of_ipv6_has_brackets_in_a_url(host: str) -> None:
    assert url_of(host, 80) == f"http://{host}:80"
    assert url_of(host.strip("[]"), 80) == f"http://{host}:80"
