"""What an exception becomes on the wire.

A resource raises :class:`Refusal`; what Falcon raises itself (404, 405 and the like) gets the same
shape. An exception that nobody expected becomes a 500 that shows nothing of the inside; its trace
goes to the runtime's log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundlevisor.control.wire.bodies import Error
from bundlevisor.control.wire.errors import CODES, FAILED, NO_METHOD, Refusal, not_taken
from bundlevisor.control.wire.json_body import send

if TYPE_CHECKING:
    from collections.abc import Collection

    import falcon

    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi


def install(app: falcon.App[Any, Any], runtime: RuntimeApi) -> None:
    """Give every error of ``app`` the shape of the control API."""
    import falcon

    def unexpected(
        req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]
    ) -> None:
        tell_unexpected(runtime, req, resp, error)

    app.add_error_handler(Exception, unexpected)
    app.add_error_handler(falcon.HTTPError, _of_falcon)
    app.add_error_handler(Refusal, _refused)


def refuse(resp: Response, refusal: Refusal) -> None:
    """Answer what a resource has refused."""
    resp.set_headers(refusal.headers)
    send(resp, refusal.body, refusal.status)


def tell_unexpected(runtime: RuntimeApi, req: Request, resp: Response, error: Exception) -> None:
    """Answer a 500 that shows nothing of the inside, and tell the log of the error."""
    runtime.fault(f"{req.method} {req.path}", error)
    send(resp, Error(error=FAILED, code=CODES[500]), 500)


def _refused(
    _req: falcon.Request, resp: falcon.Response, refusal: Refusal, _params: dict[str, Any]
) -> None:
    refuse(resp, refusal)


def _of_falcon(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    status = error.status_code
    if error.headers is not None:
        resp.set_headers(error.headers)
    send(resp, Error(error=_sentence(req, status, error), code=CODES.get(status, "error")), status)


def _methods() -> Collection[str]:
    import falcon

    return falcon.COMBINED_METHODS


def _sentence(req: falcon.Request, status: int, error: falcon.HTTPError) -> str:
    if status == 404:
        return f"there is nothing at {req.path}; GET /openapi.json lists what there is"
    if status == 405:
        return not_taken(req.path, req.method)
    if req.method not in _methods():
        return NO_METHOD
    return error.description or error.title or "the request cannot be answered"
