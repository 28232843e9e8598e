"""Sizes, sums and fingerprints of assets."""

from __future__ import annotations

import pytest

from bundlevisor.manifest.format.schema import Asset
from bundlevisor.manifest.plan.assets import (
    Fingerprint,
    SumMismatch,
    Verified,
    is_checked,
    is_sha256,
    judge_size,
    judge_sum,
    needs_hash,
    slack,
)

MIB = 1024 * 1024
SUM = "ab" * 32


@pytest.mark.parametrize(
    ("stated", "size", "code", "fails"),
    [
        (None, 5, None, False),
        (0, 5, None, False),
        (1000, 1000, None, False),
        (1000, 500, None, False),
        (1000, 499, "asset_size_suspicious", True),
        (1000, 0, "asset_size_suspicious", True),
        (1000, 1001, "asset_size_warning", False),
        (1000, 1000 + MIB, "asset_size_warning", False),
        (1000, 1001 + MIB, "asset_size_exceeded", True),
        (100 * MIB, 105 * MIB, "asset_size_warning", False),
        (100 * MIB, 105 * MIB + 1, "asset_size_exceeded", True),
    ],
)
def test_a_size_is_judged(stated: int | None, size: int, code: str | None, fails: bool) -> None:
    finding, failed = judge_size(Asset(path="a/b", size_bytes=stated), size, "api", "p")
    assert (finding.code if finding else None, failed) == (code, fails)
    if finding:
        assert str(size) in finding.message
        assert (finding.service, finding.path) == ("api", "p")
        assert "asset a/b" in finding.message


def test_slack_is_a_twentieth_or_one_mebibyte() -> None:
    assert slack(1) == MIB
    assert slack(20 * MIB) == MIB
    assert slack(40 * MIB) == 2 * MIB
    found, _ = judge_size(Asset(path="a", size_bytes=40 * MIB + 19), 50 * MIB, "api", "p")
    assert found is not None
    assert f"(and {2 * MIB} of slack)" in found.message


@pytest.mark.parametrize(
    ("text", "checked", "well_formed"),
    [
        ("", False, False),
        ("  ", False, False),
        ("pending", False, False),
        ("PENDING", False, False),
        (SUM, True, True),
        (SUM.upper(), True, True),
        (SUM[:-1], True, False),
        (SUM[:-1] + "g", True, False),
        ("sha256:" + SUM, True, False),
    ],
)
def test_sums_that_are_checked(text: str, checked: bool, well_formed: bool) -> None:
    assert (is_checked(text), is_sha256(text)) == (checked, well_formed)


def test_a_file_is_hashed_unless_it_is_the_one_that_was_verified() -> None:
    asset = Asset(path="a", sha256=SUM.upper())
    found = Fingerprint(size=1, mtime_ns=2, inode=3)
    verified = {"a": Verified(found, SUM)}
    assert not needs_hash(asset, found, verified)
    assert needs_hash(asset, found, verified, full=True)
    assert needs_hash(asset, found, {})
    for changed in (Fingerprint(2, 2, 3), Fingerprint(1, 3, 3), Fingerprint(1, 2, 4)):
        assert needs_hash(asset, changed, verified)
    assert needs_hash(asset, found, {"a": Verified(found, "cd" * 32)})


@pytest.mark.parametrize("sha256", ["", "pending", "abc"])
def test_what_has_no_sum_is_never_hashed(sha256: str) -> None:
    assert not needs_hash(Asset(path="a", sha256=sha256), Fingerprint(1, 2, 3), {}, full=True)


def test_a_sum_is_compared_without_case() -> None:
    asset = Asset(path="a", sha256=SUM.upper())
    assert judge_sum(asset, SUM, "api", "p") is None
    other = "cd" * 32
    assert judge_sum(asset, other.upper(), "api", "p") == SumMismatch(
        "checksum_mismatch",
        "p",
        f"service 'api': asset a has the SHA-256 {other}, not {SUM}; is the bundle complete?",
        "api",
        "a",
        SUM,
        other,
    )
