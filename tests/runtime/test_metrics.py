"""What /metrics says of real services; the format itself is tested beside the control API."""

from __future__ import annotations

from pathlib import Path

from tests.bundle_maker import Run, bundle, running, wait_until


def sample(run: Run, name: str, service: str) -> float:
    """Return a number of ``/metrics``; 0 while it is not there."""
    start = f'{name}{{service="{service}"}} '
    lines = run.get("/metrics").text.splitlines()
    return next((float(line.removeprefix(start)) for line in lines if line.startswith(start)), 0.0)


def test_probes_are_counted_and_timed_over_all_incarnations_of_a_service(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("api").service("worker", ports=()).write()
    with running(made) as run:
        run.until_ready()
        wait_until(
            lambda: sample(run, "bundlevisor_probe_seconds_count", "api") >= 10, what="ten probes"
        )
        assert sample(run, "bundlevisor_probe_seconds_sum", "api") > 0
        assert sample(run, "bundlevisor_probe_last_seconds", "api") > 0
        assert 'bundlevisor_probe_seconds_count{service="worker"}' not in run.get("/metrics").text

        before = sample(run, "bundlevisor_probe_seconds_count", "api")
        assert run.post("/services/api/restart?wait=30").json()["done"]
        assert len(run.events("api", "started")) == 2  # this one has been probed once or twice
        assert sample(run, "bundlevisor_probe_seconds_count", "api") > before
