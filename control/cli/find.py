"""Finding a running instance: by its app-data folder, or by its bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from bundlevisor.actors.files import endpoint, instance, own_file
from bundlevisor.manifest.format.app_data import USUAL_TOKEN
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.format.paths import within

_WHERE = frozenset(("", "app", "app.name", "ipc", "ipc.auth_token_path"))
"""The parts of a bundle that say where its instance is, as findings name them."""


class NotRunning(Exception):
    """No instance was found; the message is a sentence that says where it was looked for."""


class HungUp(NotRunning):
    """An instance was asked, and its process is gone; the message says how it has ended."""


class NotForUs(NotRunning):
    """What would tell of an instance must not be read, or believed; no wait changes that."""


class ManifestUnusable(Exception):
    """The bundle that should name the instance cannot be read."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where an instance answers; ``pid`` is None when nothing on disk says it."""

    host: str
    port: int
    token: str
    token_path: str
    app_data: str
    pid: int | None = None
    created: float = 0.0
    """Tells its process from a later one of the same pid."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The folder that an instance runs on, and the token's place as far as the bundle says it.

    ``manifest`` is the file of the bundle that the command line means, if it is there.
    """

    app_data: str
    manifest: str
    token_path: str = USUAL_TOKEN


def wanted(app_data: str, manifest: str) -> Wanted:
    """Return which instance the command line means; raises ManifestUnusable.

    An app-data folder goes before the bundle; a bundle names its folder by the app's name. One that
    has become wrong since its instance was started still names that.
    """
    if app_data:
        return Wanted(app_data=os.path.abspath(app_data), manifest=manifest)
    from bundlevisor.manifest.format import paths
    from bundlevisor.manifest.read import load

    loaded = load.read(manifest)
    readable = loaded.readable
    if readable is not None and _WHERE.isdisjoint(one.path for one in loaded.unread):
        which = Wanted(
            app_data=paths.app_data_folder(readable.app.name, os.environ),
            manifest=manifest,
            token_path=readable.ipc.auth_token_path,
        )
        if loaded.manifest is not None or instance.peek(which.app_data) is not None:
            return which
    first = loaded.findings.errors[0]
    where = f"{manifest}: {first.path}: " if first.path else ""
    hint = "(the instance is found by its bundle, or with --app-data DIR)"
    raise ManifestUnusable(f"{where}{first.message} {hint}")


def find(which: Wanted) -> Endpoint:
    """Return where the instance on a folder answers; raises NotRunning.

    Its record says so; an instance without one (the Go runtime writes none) is found by its port
    and token files. Somebody else may have written what is there, to be sent a file of ours as the
    token: what lies elsewhere is not read, and nothing is sent to another machine.
    """
    record = instance.peek(which.app_data)
    if record is not None:
        if not address_of(record.host):
            raise NotForUs(
                f"{instance.path(which.app_data)} names '{record.host}', which is no address of"
                " this machine; nothing is sent there"
            )
        token = _token(record.token_path, which)
        return Endpoint(
            host=record.host,
            port=record.port,
            token=token,
            token_path=record.token_path,
            app_data=which.app_data,
            pid=record.pid,
            created=record.created,
        )
    port = endpoint.read_port(which.app_data)
    if port is None:
        _complain_of_rights(instance.path(which.app_data))
        raise NotRunning(
            f"no runtime runs on {which.app_data} (it would say so in"
            f" {instance.path(which.app_data)}){_last_word(which.app_data)}"
        )
    token_path = os.path.join(which.app_data, which.token_path)
    return Endpoint(
        host="127.0.0.1",
        port=port,
        token=_token(token_path, which),
        token_path=token_path,
        app_data=which.app_data,
    )


def _complain_of_rights(path: str) -> None:
    try:
        own_file.read(path)
    except PermissionError as error:
        whose = "is this instance another user's?"
        raise NotForUs(f"cannot read {path}: {error.strerror}; {whose}") from None
    except OSError:
        return


def _last_word(app_data: str) -> str:
    from bundlevisor.control.cli.last_words import last_word

    said = last_word(app_data)
    return f"; {said}" if said else ""


def _token(path: str, which: Wanted) -> str:
    if not _lies_in(path, which.app_data):  # or a copied record: a start will replace it
        raise NotRunning(f"the token's file {path} is not in {which.app_data}: it is not read")
    try:
        return endpoint.read_token(path)
    except FileNotFoundError:
        raise NotRunning(
            f"no runtime answers on {which.app_data}: its token is not at {path};"
            " it is starting, stopping or gone"
        ) from None
    except OSError as error:
        raise NotForUs(f"cannot read the token at {path}: {error.strerror}") from None


def _lies_in(path: str, folder: str) -> bool:
    """Whether a file is below a folder, which may have two names: mounts, letters on macOS."""
    real = os.path.realpath(path)
    return within(real, os.path.realpath(folder)) or any(_is(one, folder) for one in _above(real))


def _above(path: str) -> Iterator[str]:
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def _is(path: str, folder: str) -> bool:
    try:
        return os.path.samefile(path, folder)
    except OSError:
        return False
