"""A log among the data, of which a guardian has saved a rest while the data was put back."""

from __future__ import annotations

from pathlib import Path

from bundlevisor.actors.prepare.data_snapshot import DataSnapshots, Taken
from bundlevisor.manifest.format.app_data import RESTORING


def test_the_rest_comes_behind_it_without_its_times(tmp_path: Path) -> None:
    """They tell of places in the guardian's own file."""
    folder, moved = tmp_path / "store", tmp_path / f"store{RESTORING}"
    folder.mkdir()
    taken = Taken((str(folder),), ("1.0.0",), "1.0.0", False)
    snapshots = DataSnapshots(str(tmp_path))
    snapshots.take("db", taken, 1 << 20)
    moved.mkdir()  # by a runtime that was killed then
    for home, text in ((moved, "line 1"), (folder, "line 2")):
        (home / "db.log").write_text(f"{text}\n")
        (home / "db.log.times").write_text(f"times of {text}.")
    snapshots.put_back("db", taken, [str(folder / "db.log")])
    assert (folder / "db.log").read_text() == "line 1\nline 2\n"
    assert (folder / "db.log.times").read_text() == "times of line 1."
