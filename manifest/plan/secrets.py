"""Secrets: how values are made and judged, and which services wait for them. No value is shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.format.secret import Secret, SecretGenerator
from bundlevisor.manifest.format.suggest import hint

RandomBytes = Callable[[int], bytes]
Matches = Callable[[str, str], bool]
"""Whether a value matches a regular expression; (pattern, value)."""

LONGEST_VARIABLE = 100_000
"""Bytes of a value for an environment variable; Linux takes 131072 with its name (execve(2))."""

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_DIGITS = "0123456789"
_CHARSETS = {
    "alnum": _LOWER + _UPPER + _DIGITS,
    "alphanumeric": _LOWER + _UPPER + _DIGITS,
    "alpha": _LOWER + _UPPER,
    "lower": _LOWER,
    "upper": _UPPER,
    "digits": _DIGITS,
    "numeric": _DIGITS,
    "hex": _DIGITS + "abcdef",
    "base64": _LOWER + _UPPER + _DIGITS + "-_",
}


class Rejection(msgspec.Struct, frozen=True):
    """Why a value is refused; the message never holds the value."""

    id: str
    message: str


def letters(charset: str) -> str:
    """Return the letters of a named set; any other text is a set itself."""
    return _CHARSETS.get(charset, "".join(dict.fromkeys(charset)))


def generate(generator: SecretGenerator | None, random_bytes: RandomBytes) -> str:
    """Make a value; without a generator 32 letters and digits. Every letter is equally likely."""
    rule = generator or SecretGenerator()
    if rule.type == "uuid":
        return _uuid(random_bytes(16))
    return _random_text(letters(rule.charset), rule.length, random_bytes)


def missing_generated(manifest: Manifest, values: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return the secrets that the runtime makes itself and that have no value yet."""
    return tuple(
        secret
        for secret in manifest.secrets
        if secret.class_ == "per_install_generated" and not has_value(secret.id, values)
    )


def has_value(secret_id: str, values: Mapping[str, str]) -> bool:
    """Whether a secret has a value; blanks alone are none."""
    return bool(values.get(secret_id, "").strip())


def judge(
    manifest: Manifest, submitted: Mapping[str, object], matches: Matches
) -> tuple[Rejection, ...]:
    """Return why submitted values are refused, in their order; empty when all may be stored."""
    known = {secret.id: secret for secret in manifest.secrets}
    reasons = (
        (secret_id, _refusal(secret_id, known, value, matches))
        for secret_id, value in submitted.items()
    )
    return tuple(Rejection(secret_id, reason) for secret_id, reason in reasons if reason)


def why_unfit(secret: Secret, value: str) -> str:
    """Return why no variable can hold a value that is given in one; empty when it can."""
    if secret.target.type != "env":
        return ""
    if "\0" in value:
        return "holds a NUL character"
    if len(value.encode("utf-8", "surrogatepass")) > LONGEST_VARIABLE:
        return f"is over {LONGEST_VARIABLE} bytes"
    return ""


def held_back(manifest: Manifest, values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the services that must not start, each with the secrets that it waits for.

    What depends on these services waits for them, not for the secrets, and is not listed.
    """
    required = {secret.id for secret in manifest.secrets if secret.required}
    waiting = {
        service.id: tuple(
            secret
            for secret in dict.fromkeys(service.secrets)
            if secret in required and not has_value(secret, values)
        )
        for service in manifest.services
    }
    return {service: secrets for service, secrets in waiting.items() if secrets}


def receivers(manifest: Manifest, secret_ids: Collection[str]) -> tuple[str, ...]:
    """Return the services that list one of these secrets, in the manifest's order."""
    return tuple(
        service.id
        for service in manifest.services
        if any(secret in secret_ids for secret in service.secrets)
    )


def _refusal(secret_id: str, known: Mapping[str, Secret], value: object, matches: Matches) -> str:
    """Return the reason as a sentence; empty when the value is right."""
    secret = known.get(secret_id)
    if secret is None:
        return f"there is no secret '{secret_id}'{hint(secret_id, known)}."
    if not isinstance(value, str):
        return f"the value of '{secret_id}' must be a string."
    fault = _fault(secret, value, matches)
    return f"the value of '{secret_id}' {fault}." if fault else ""


def _fault(secret: Secret, value: str, matches: Matches) -> str:
    if not value.strip():
        return "is empty"
    if unfit := why_unfit(secret, value):
        return unfit
    if secret.format and not matches(secret.format, value):
        return f"does not have the format {secret.format}"
    return ""


def _random_text(alphabet: str, length: int, random_bytes: RandomBytes) -> str:
    """Draw letters; numbers at the uneven end of the range are thrown away."""
    width = 1
    while 256**width < len(alphabet):
        width += 1
    end = (1 << (8 * width)) // len(alphabet) * len(alphabet)
    text: list[str] = []
    while len(text) < length:
        drawn = random_bytes(width * (length - len(text)))
        numbers = (int.from_bytes(drawn[at : at + width]) for at in range(0, len(drawn), width))
        text.extend(alphabet[number % len(alphabet)] for number in numbers if number < end)
    return "".join(text)


def _uuid(drawn: bytes) -> str:
    """Return a random UUID (version 4, RFC 9562) from 16 bytes."""
    octets = bytearray(drawn)
    octets[6] = (octets[6] & 0x0F) | 0x40
    octets[8] = (octets[8] & 0x3F) | 0x80
    text = octets.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
