"""What must not leave the machine is taken out of every file of a support archive."""

from __future__ import annotations

import json

import pytest

from bundlevisor.control.support.masking import Mask

SECRETS = {"key": 'hunter"22', "pem": "-----BEGIN\nabcdefgh\n-----END"}


@pytest.mark.parametrize(
    "data",
    [
        b'api: key is hunter"22!',
        json.dumps({"said": 'hunter"22'}).encode(),
        b"a line\nabcdefgh\n",
    ],
)
def test_no_value_is_left_in_whatever_form(data: bytes) -> None:
    masked = Mask(SECRETS, "/home/alice").apply(data)
    assert b"hunter" not in masked
    assert b"abcdefgh" not in masked
    assert b"[secret:" in masked


@pytest.mark.parametrize(
    ("home", "data", "masked"),
    [
        ("/home/alice", b"open /home/alice/x.db", b"open ~/x.db"),
        ("/home/alice", b'{"cwd":"/home/alice"}', b'{"cwd":"~"}'),
        ("/home/alice", b"/home/alice2/x", b"/home/alice2/x"),
        ("/home/alice", b"/media/alice/usb", b"/media/USER/usb"),
        ("/home/alice", b"alice in chains", b"alice in chains"),
        ("/home/alice", b"file:///home/alice/a%20b", b"file://~/a%20b"),
        ("C:\\Users\\Bob", rb'{"p":"C:\\Users\\Bob\\x"}', rb'{"p":"~\\x"}'),
        ("C:\\Users\\Bob", rb"C:\Users\Bob\x D:\Bob\y", rb"~\x D:\USER\y"),
        ("C:\\Users\\Bob", b"C:/Users/Bob/x", b"~/x"),
        ("/root", b"/root/x /srv/root/y", b"~/x /srv/root/y"),
        ("/", b"/etc/passwd", b"/etc/passwd"),
    ],
)
def test_the_home_folder_and_the_name_of_the_user_are_masked(
    home: str, data: bytes, masked: bytes
) -> None:
    assert Mask({}, home).apply(data) == masked
