"""``GET`` and ``POST /secrets``: which secrets the bundle has, and new values for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.control.wire.bodies import (
    Secret,
    SecretError,
    SecretPrompt,
    Secrets,
    SecretsError,
    SecretValues,
    Stored,
)
from bundlevisor.control.wire.commands import COMMAND_TIMEOUT_S, no_answer, refuse_while_stopping
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.json_body import receive, send

if TYPE_CHECKING:
    import falcon

    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi
    from bundlevisor.manifest.format import secret as secret_format
    from bundlevisor.manifest.plan.secrets import Rejection


class SecretsResource:
    """Values come in here, and never go out."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer the secrets and whether they have a value."""
        pending, present = self._runtime.secrets_pending(), self._runtime.secrets_present()
        secrets = self._runtime.facts.manifest.secrets
        shown_all = (shown(one, one.id in present, one.id in pending) for one in secrets)
        send(resp, Secrets(secrets=tuple(shown_all)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Store all values, or none."""
        values = receive(req, SecretValues).secrets
        refuse_while_stopping(self._runtime.board.snapshot)
        try:
            problems = self._runtime.set_secrets(values, COMMAND_TIMEOUT_S)
        except TimeoutError:
            raise no_answer() from None
        except OSError as error:
            sentence = f"nothing was stored: {error_text(error)}; secrets.json is unchanged"
            raise Refusal(500, "not_stored", sentence) from None
        if problems:
            raise _refused(problems)
        send(resp, Stored())


def shown(secret: secret_format.Secret, has_value: bool, pending: bool) -> Secret:
    """Return a secret as ``/secrets`` shows it."""
    return Secret(
        id=secret.id,
        class_=secret.class_,
        required=secret.required,
        has_value=has_value,
        pending=True if pending and not has_value else UNSET,
        description=secret.description or UNSET,
        format=secret.format or UNSET,
        prompt=_prompt(secret.prompt) if secret.prompt else UNSET,
    )


def _prompt(prompt: secret_format.SecretPrompt) -> SecretPrompt:
    return SecretPrompt(
        label=prompt.label,
        description=prompt.description or UNSET,
        hint=prompt.hint or UNSET,
    )


def _refused(problems: tuple[Rejection, ...]) -> Refusal:
    names = ", ".join(problem.id for problem in problems)
    sentence = f"nothing was stored; refused: {names}"
    errors = tuple(SecretError(id=problem.id, message=problem.message) for problem in problems)
    body = SecretsError(error=sentence, code="secrets_refused", validation_errors=errors)
    return Refusal(400, "secrets_refused", sentence, body=body)
