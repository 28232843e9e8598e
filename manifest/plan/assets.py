"""What is to be looked at in a service's assets, and what the sizes and sums say."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.format.schema import Asset

SLACK_BYTES = 1024 * 1024
SLACK_SHARE = 20
"""A file may be larger than its size_bytes by a twentieth, or by 1 MiB where that is more."""

_HEX = frozenset("0123456789abcdefABCDEF")


class Fingerprint(msgspec.Struct, frozen=True):
    """What tells cheaply whether a file was changed since its sum was checked."""

    size: int
    mtime_ns: int
    inode: int


class Verified(msgspec.Struct, frozen=True):
    """A file whose sum was found right once: what it was, and which sum it had."""

    fingerprint: Fingerprint
    sha256: str


class SumMismatch(Finding, frozen=True):
    """An asset whose sum is not the stated one: its path as the bundle has it, and both sums."""

    asset: str = ""
    expected: str = ""
    actual: str = ""


def is_checked(sha256: str) -> bool:
    """Whether a bundle's sum is meant to be checked: not empty and not ``pending``."""
    return sha256.strip().lower() not in ("", "pending")


def is_sha256(sha256: str) -> bool:
    """Whether the text is a SHA-256: 64 hexadecimal digits, in any case."""
    return len(sha256.strip()) == 64 and _HEX.issuperset(sha256.strip())


def needs_hash(
    asset: Asset, found: Fingerprint, verified: Mapping[str, Verified], *, full: bool = False
) -> bool:
    """Whether the file of ``asset`` must be hashed.

    ``verified`` holds what earlier starts checked, by the asset's path. ``full`` hashes everything
    that has a sum.
    """
    if not is_checked(asset.sha256) or not is_sha256(asset.sha256):
        return False
    known = verified.get(asset.path)
    return full or known != Verified(found, expected_sum(asset))


def expected_sum(asset: Asset) -> str:
    """Return the sum that the bundle states, in lower case."""
    return asset.sha256.strip().lower()


def slack(size_bytes: int) -> int:
    """Return how many bytes a file may be over its stated size."""
    return max(size_bytes // SLACK_SHARE, SLACK_BYTES)


def judge_size(asset: Asset, size: int, service: str, path: str) -> tuple[Finding | None, bool]:
    """Return what is wrong with a file's size, and whether that fails the service.

    ``path`` is the asset's JSON path. No stated size, or 0, is not checked.
    """
    stated = asset.size_bytes
    if not stated or size == stated:
        return None, False
    if size > stated + slack(stated):
        sentence = f"is {size} bytes, over the {stated} it may have (and {slack(stated)} of slack)"
        return _finding("asset_size_exceeded", asset, sentence, service, path), True
    if size * 2 < stated:
        sentence = f"is {size} bytes, under half of the {stated} it should have"
        return _finding("asset_size_suspicious", asset, sentence, service, path), True
    if size > stated:
        sentence = f"is {size} bytes, slightly over the {stated} it should have"
        return _finding("asset_size_warning", asset, sentence, service, path), False
    return None, False


def judge_sum(asset: Asset, actual: str, service: str, path: str) -> Finding | None:
    """Return the finding for a file whose sum is not the stated one."""
    if actual.lower() == expected_sum(asset):
        return None
    expected = expected_sum(asset)
    sentence = f"has the SHA-256 {actual.lower()}, not {expected}"
    found = _finding("checksum_mismatch", asset, sentence, service, path)
    return SumMismatch(
        found.code, found.path, found.message, service, asset.path, expected, actual.lower()
    )


def _finding(code: str, asset: Asset, predicate: str, service: str, path: str) -> Finding:
    sentence = f"service '{service}': asset {asset.path} {predicate}; is the bundle complete?"
    return Finding(code, path, sentence, service)
