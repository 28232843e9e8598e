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
        ("/home/alice", b"?path=%2Fhome%2Falice%2Fx", b"?path=~%2Fx"),
        ("/home/alice", b"?path=%2fhome%2falice%2fx", b"?path=~%2fx"),
        ("/home/alice", b"?path=%2Fmedia%2Falice%2Fusb", b"?path=%2Fmedia%2FUSER%2Fusb"),
        ("/home/alice", b"?path=D%3A%5calice%5cx", b"?path=D%3A%5cUSER%5cx"),
        ("/home/alice/", b"/home/alice/x /media/alice/usb", b"~/x /media/USER/usb"),
        ("/home/alice//", b"open /home/alice", b"open ~"),
        ("/home/MAX", b"/home/MAX/x /media/MAX/usb", b"~/x /media/USER/usb"),
        ("/home/al", b"/home/al/x /media/al/usb", b"~/x /media/USER/usb"),
        ("/a", b"/a/x /media/a/usb", b"~/x /media/a/usb"),
        ("/home/Ren\u00e9", "/home/René/x /media/René".encode(), b"~/x /media/USER"),
        ("/home/Ren\u00e9", b"file:///media/Ren%C3%A9/x", b"file:///media/USER/x"),
        ("/home/Ren\u00e9", b"file:///home/Ren%C3%A9/x", b"file://~/x"),
        ("/home/Ren\u00e9", b"file:///home/Ren%c3%a9/x", b"file://~/x"),
        ("/home/Ren\udce9", b"/home/Ren\xe9/x /media/Ren\xe9", b"~/x /media/USER"),
        ("/home/Ren\u00e9", rb'{"p":"/home/Ren\u00e9/x"}', b'{"p":"~/x"}'),
        ("/home/Ren\u00e9", rb'"\/home\/Ren\u00e9\/x"', rb'"~\/x"'),
        ("/home/Ren\u00e9", rb'"\/media\/Ren\u00e9\/x"', rb'"\/media\/USER\/x"'),
        ("/home/Ren\udce9", rb'"/home/Ren\\xe9/x"', b'"~/x"'),
        ("/home/Ren\udce9", b"file:///home/Ren%E9/x", b"file://~/x"),
        ("C:\\Users\\Bob\\", rb"C:\Users\Bob\x D:\Bob\y", rb"~\x D:\USER\y"),
        ("C:\\", rb"C:\Users\Bob\x", rb"C:\Users\Bob\x"),
        ("", b"/etc/passwd", b"/etc/passwd"),
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
