"""Secrets: unique, of a class that a bundle may carry, with a usable target, and existing."""

from __future__ import annotations

import math

from bundlevisor.manifest.check.probes import check_pattern
from bundlevisor.manifest.check.view import View, check_path
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.secret import Secret, SecretGenerator
from bundlevisor.manifest.format.suggest import hint

FEWEST_BITS = 32
"""Bits of chance in a generated value below which it is easily guessed: six digits have 20."""


def check(view: View, report: Report) -> None:
    """Check every secret, and that each one that a service lists is there."""
    seen: set[str] = set()
    for index, secret in enumerate(view.manifest.secrets):
        path = f"secrets[{index}]"
        if secret.id in seen:
            sentence = f"secret '{secret.id}' is defined twice; remove one of them."
            report.error("duplicate_secret_id", f"{path}.id", sentence)
        seen.add(secret.id)
        _check_secret(secret, path, view, report)
    _check_listed(view, report)


def _check_secret(secret: Secret, path: str, view: View, report: Report) -> None:
    if secret.class_ == "infrastructure":
        sentence = (
            f"secret '{secret.id}' is of the class 'infrastructure', which must never be in a"
            " bundle; remove it and replace what needs it."
        )
        report.error("infrastructure_secret", f"{path}.class", sentence)
    if secret.class_ == "per_install_generated" and secret.generator:
        _check_generator(secret, secret.generator, f"{path}.generator", report)
    if secret.format:
        check_pattern(secret.format, f"{path}.format", report, f"secret '{secret.id}'")
    _check_variable(secret, path, report)
    if secret.target.type == "file":
        name = secret.target.name or secret.id
        check_path(name, f"{path}.target.name", view, report, template=True)


def _check_generator(secret: Secret, generator: SecretGenerator, path: str, report: Report) -> None:
    if generator.type != "random":
        return
    from bundlevisor.manifest.plan.secrets import letters

    count = len(letters(generator.charset))
    bits = generator.length * math.log2(count)
    if bits < FEWEST_BITS:
        of = "one letter only" if count == 1 else f"{generator.length} letters of {count}"
        sentence = (
            f"secret '{secret.id}': what is generated for it is easily guessed ({of}); give the"
            " generator a greater length or charset."
        )
        report.warning("generator_weak", path, sentence)


def _check_variable(secret: Secret, path: str, report: Report) -> None:
    named = secret.target.type == "env" and bool(secret.target.name)
    name = secret.target.name if named else secret.id
    if "=" in name:
        sentence = f"secret '{secret.id}': '{name}' cannot name a variable; remove the '='."
        report.error("invalid_env_name", f"{path}.{'target.name' if named else 'id'}", sentence)


def _check_listed(view: View, report: Report) -> None:
    for place in view.places:
        given: dict[str, str] = {}
        for index, listed in enumerate(place.service.secrets):
            path, secret = f"{place.path}.secrets[{index}]", view.secrets.get(listed)
            if secret is None:
                near = "" if report.many else hint(listed, view.secrets)
                sentence = f"service '{place.id}': there is no secret '{listed}'{near}."
                report.error("unknown_secret", path, sentence, place.id)
            elif secret.target.type == "env":
                variable = secret.target.name or secret.id.upper()
                other = given.setdefault(variable.upper() if view.on_windows else variable, listed)
                if other != listed:
                    sentence = (
                        f"service '{place.id}': the secrets '{other}' and '{listed}' are both given"
                        f" in {variable}, and only the last is; give one another name."
                    )
                    report.warning("secret_variable_shared", path, sentence, place.id)
