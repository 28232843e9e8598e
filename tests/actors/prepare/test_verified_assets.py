"""What several preparations have found right at once is remembered, all of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bundlevisor.actors.prepare.verified_assets import VerifiedAssets
from bundlevisor.manifest.plan.assets import Fingerprint, Verified
from tests.waiting import WITHIN

SERVICES = 8


def test_services_that_are_prepared_side_by_side_lose_none_of_each_others(tmp_path: Path) -> None:
    store = VerifiedAssets(str(tmp_path))
    found = {f"asset-{n}": Verified(Fingerprint(n, n, n), "0" * 64) for n in range(SERVICES)}
    together = threading.Barrier(SERVICES)

    def remember(name: str) -> None:
        together.wait(WITHIN)
        store.remember({name: found[name]})

    with ThreadPoolExecutor(SERVICES) as services:
        list(services.map(remember, found))
    assert store.known() == VerifiedAssets(str(tmp_path)).known() == found
