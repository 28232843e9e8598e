"""No way out of the served folder, and no way in for a foreign page."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.ui_server.files import open_beneath
from bundlevisor.actors.ui_server.files.site import ReplacedError, Site

SECRET = b"outside"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("top")
    root = top / "site"
    root.mkdir()
    (top / "secret.txt").write_bytes(SECRET)
    (top / "site-other").mkdir()
    (top / "site-other" / "secret.txt").write_bytes(SECRET)
    (root / "index.html").write_bytes(b"index")
    (root / "app.js").write_bytes(b"app")
    (root / "real").mkdir()
    (root / "real" / "file.txt").write_bytes(b"inside")
    (root / ".env").write_bytes(SECRET)
    (root / ".git").mkdir()
    (root / ".git" / "config.txt").write_bytes(SECRET)
    if sys.platform != "win32":
        (root / "con.txt").write_bytes(SECRET)
        (root / "a\\b.txt").write_bytes(SECRET)
        (root / "a:b.txt").write_bytes(SECRET)
        (root / "out.txt").symlink_to(top / "secret.txt")
        (root / "outdir").symlink_to(top)
        (root / "sibling").symlink_to(top / "site-other")
        (root / "hidden.txt").symlink_to(root / ".env")
        (root / "loop.txt").symlink_to(root / "loop.txt")
        (root / "in.txt").symlink_to(root / "real" / "file.txt")
        (root / "indir").symlink_to(root / "real")
        (root / "packed.js").write_bytes(b"packed")
        (root / "packed.js.gz").symlink_to(top / "secret.txt")
        os.mkfifo(root / "pipe.txt")
        os.mkfifo(root / "packed.js.br")
    return root


@pytest.fixture(scope="module")
def ui(module_serving: Any, root: Path) -> Any:
    return module_serving(root, proxied=False)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/real/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/real/..%5c..%5csecret.txt",
        "/.%2e/secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/..%00/secret.txt",
        "/app.js%00.txt",
        "//secret.txt",
        "///etc/passwd",
        "/./app.js",
        "/C:/secret.txt",
        "/c%3a/secret.txt",
        "/app.js::$DATA",
        "/app.js.",
        "/app.js%20",
        "/con.txt",
        "/a%5cb.txt",
        "/a:b.txt",
        "/.env",
        "/%2eenv",
        "/.git/config.txt",
        "/out.txt",
        "/outdir/secret.txt",
        "/sibling/secret.txt",
        "/hidden.txt",
        "/loop.txt",
        "/pipe.txt",
        "/app.js/",
        "/app.js/x.txt",
        "/" + "a" * 5000 + ".txt",
        "/" + "a/" * 3000 + "b.txt",
    ],
)
def test_no_path_leads_out_of_the_folder(ui: Any, path: str) -> None:
    answer = ui.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status = int(answer.split()[1])
    assert status in (400, 404), answer
    assert SECRET not in answer


@pytest.mark.parametrize("path", ["*", "ftp://localhost/app.js", "app.js", "localhost:80"])
def test_a_target_that_is_no_path_is_refused(ui: Any, path: str) -> None:
    answer = ui.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert int(answer.split()[1]) == 400


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_links_that_stay_inside_are_followed(ui: Any) -> None:
    assert ui.ask("/in.txt").body == b"inside"
    assert ui.ask("/indir/file.txt").body == b"inside"


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_a_compressed_neighbour_may_not_lead_out_either(ui: Any) -> None:
    answer = ui.ask("/packed.js", headers={"Accept-Encoding": "gzip, br"})
    assert (answer.body, answer.header("Content-Encoding")) == (b"packed", None)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_a_folder_that_becomes_a_link_while_it_is_asked_for_leads_nowhere(tmp_path: Path) -> None:
    """Found first and opened later: what lies in between is where a link may be put."""
    root, outside = tmp_path / "site", tmp_path / "outside"
    for folder, content in ((root / "sub" / "deep", b"inside"), (outside / "deep", SECRET)):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_bytes(content)
    site = Site(str(root), "index.html")
    found = site.find(("sub", "deep", "a.txt"))
    assert found is not None
    (root / "sub").rename(root / "moved")
    (root / "sub").symlink_to(outside)
    with pytest.raises(FileNotFoundError):
        found.open()
    with pytest.raises(OSError, match=r".*"):
        open_beneath.status(found.root, found.names)
    assert site.find(("sub", "deep", "a.txt")) is None


def test_a_file_that_is_replaced_while_it_is_asked_for_is_not_sent_under_the_old_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    found = Site(str(tmp_path), "index.html").find(("a.txt",))
    assert found is not None
    (tmp_path / "b.txt").write_bytes(b"newer")
    (tmp_path / "b.txt").replace(tmp_path / "a.txt")
    with pytest.raises(ReplacedError):
        found.open()


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_links_swapped_all_the_time_never_lead_out(serving: Any, tmp_path: Path) -> None:
    root, outside = tmp_path / "site", tmp_path / "outside"
    for folder, content in ((root / "sub", b"inside"), (outside, SECRET)):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_bytes(content)
    ui = serving(root, proxied=False)
    (tmp_path / "link").symlink_to(outside)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            (root / "sub").rename(tmp_path / "aside")
            (tmp_path / "link").rename(root / "sub")
            (root / "sub").rename(tmp_path / "link")
            (tmp_path / "aside").rename(root / "sub")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        got = [ui.ask("/sub/a.txt") for _ in range(500)]
    finally:
        over.set()
        swapping.join()
    assert {answer.status for answer in got} <= {200, 404, 503}
    assert {answer.body for answer in got if answer.status == 200} == {b"inside"}
    assert not any(SECRET in answer.body for answer in got)


def test_a_root_that_is_a_link_itself_is_served(serving: Any, root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    with contextlib.suppress(OSError):
        link.symlink_to(root)
    if not link.is_dir():
        pytest.skip("no symbolic links here")
    assert serving(link).ask("/app.js").body == b"app"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:47001", "127.0.0.5"]
)
def test_a_loopback_host_is_answered(ui: Any, host: str) -> None:
    request = f"GET /app.js HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert ui.raw(request.encode()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "lines",
    [
        "Host: evil.example\r\n",
        "Host: evil.example:80\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host:\r\n",
        "",
    ],
)
@pytest.mark.parametrize("target", ["/app.js", "/missing.js", "/api/notes", "/../x"])
def test_a_foreign_host_is_refused_before_anything_else(ui: Any, lines: str, target: str) -> None:
    answer = ui.raw(f"GET {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    assert int(answer.split()[1]) == (400 if lines.count("Host") != 1 else 403)
    assert b"app" not in answer.partition(b"\r\n\r\n")[2]
