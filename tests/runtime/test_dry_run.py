"""A dry run shows what would be, and starts nothing."""

from __future__ import annotations

from pathlib import Path

from tests.bundle_maker import PORT_RANGE, bundle, running


def test_no_service_is_started_and_all_are_shown_with_their_ports(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    with running(made, "--dry-run") as run:
        run.until_ready()
        shown = [run.ports(id_)["http"] for id_ in ("db", "api")]
        assert len({port for port in shown if PORT_RANGE["min"] <= port <= PORT_RANGE["max"]}) == 2
        refused = run.post("/services/db/start")
        assert (refused.status, "dry run" in refused.json()["error"]) == (409, True)
        told = run.get("/timeline").json()["timeline"]["summary"]
        assert told == "dry run: no service is started"
        run.until_said("dry run: no service is started")
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
    assert run.record("db") == run.record("api") == []
