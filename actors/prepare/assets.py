"""Looking at the assets that a service needs: existence, size, sum. Not for an actor: it reads.

Files are hashed in pieces, and one whose sum was right is remembered by size, time and inode, so
that a start does not read a gigabyte again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import msgspec

from bundlevisor.actors.prepare.cancelled import Cancelled, Wanted, always
from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.format.paths import PathRefused, resolve
from bundlevisor.manifest.format.schema import Asset, Service
from bundlevisor.manifest.plan import assets
from bundlevisor.manifest.plan.assets import Fingerprint, Verified

PIECE = 1 << 20
"""Bytes that are read and hashed at a time."""


class AssetMissing(Finding, frozen=True):
    """An asset that is not there, by its path as the bundle has it."""

    asset: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What was found: findings that fail the service, warnings, and what was verified."""

    failures: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    verified: dict[str, Verified] = {}


def look(
    service: Service,
    index: int,
    bundle_root: str,
    known: dict[str, Verified],
    *,
    full: bool = False,
    wanted: Wanted = always,
    begun: Callable[[int], object] = lambda _: None,
) -> Seen:
    """Look at all assets of a service; ``index`` is its place in the manifest.

    ``wanted`` is asked between two pieces; when it says no, Cancelled is raised. ``begun`` hears
    the number of each, from 0 on, before it is looked at.
    """
    failures: list[Finding] = []
    warnings: list[Finding] = []
    verified: dict[str, Verified] = {}
    for place, asset in enumerate(service.assets):
        begun(place)
        path = f"services[{index}].assets[{place}]"
        one = _look_at(asset, service.id, path, bundle_root, known, full, wanted)
        failures += one.failures
        warnings += one.warnings
        verified |= one.verified
    return Seen(tuple(failures), tuple(warnings), verified)


def _look_at(
    asset: Asset,
    service: str,
    path: str,
    bundle_root: str,
    known: dict[str, Verified],
    full: bool,
    wanted: Wanted,
) -> Seen:
    try:
        file = resolve(bundle_root, asset.path)
        found = os.stat(file)
        if stat.S_ISDIR(found.st_mode):
            return _folder(asset, service, path)
        if not stat.S_ISREG(found.st_mode):
            what = f"asset {asset.path} is neither a file nor a folder; put one there."
            sentence = f"service '{service}': {what}"
            return _failed("asset_unreadable", path, service, sentence)
        return _file(asset, service, path, file, found, known, full, wanted)
    except PathRefused as error:
        return _failed(error.code, f"{path}.path", service, f"service '{service}': {error}")
    except OSError as error:
        return _unreachable(asset, service, path, error)


def _file(
    asset: Asset,
    service: str,
    path: str,
    file: str,
    found: os.stat_result,
    known: dict[str, Verified],
    full: bool,
    wanted: Wanted,
) -> Seen:
    """Look at a file's size, and at its sum where that is not known; OSError when unreadable."""
    finding, fails = assets.judge_size(asset, found.st_size, service, path)
    if finding is not None and fails:
        return Seen(failures=(finding,))
    warnings = (finding,) if finding is not None else ()
    fingerprint = Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino)
    if not assets.needs_hash(asset, fingerprint, known, full=full):
        return Seen(warnings=warnings)
    actual = _sha256(file, wanted)
    wrong = assets.judge_sum(asset, actual, service, path)
    if wrong is not None:
        return Seen(failures=(wrong,), warnings=warnings)
    return Seen(warnings=warnings, verified={asset.path: Verified(fingerprint, actual)})


def _folder(asset: Asset, service: str, path: str) -> Seen:
    """A folder needs only to exist; one with a sum was meant to be a file."""
    if not assets.is_checked(asset.sha256) or not assets.is_sha256(asset.sha256):
        return Seen()
    sentence = (
        f"service '{service}': asset {asset.path} is a folder, which has no SHA-256; remove that."
    )
    return _failed("asset_is_directory", path, service, sentence)


def _unreachable(asset: Asset, service: str, path: str, error: OSError) -> Seen:
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    reason = "not found" if missing else f"cannot be read ({error.strerror})"
    sentence = (
        f"service '{service}': asset {reason}: {asset.path} (looked in BUNDLE/{asset.path}); "
        "is the bundle complete?"
    )
    if not missing:
        return _failed("asset_unreadable", path, service, sentence)
    return Seen(failures=(AssetMissing("asset_missing", path, sentence, service, asset.path),))


def _failed(code: str, path: str, service: str, sentence: str) -> Seen:
    return Seen(failures=(Finding(code, path, sentence, service),))


def _sha256(file: str, wanted: Wanted) -> str:
    import hashlib

    digest = hashlib.sha256()
    with open(file, "rb", buffering=0) as source:
        while piece := source.read(PIECE):
            digest.update(piece)
            if not wanted():
                raise Cancelled(file)
    return digest.hexdigest()
