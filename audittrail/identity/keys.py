"""API keys: how they look, how they are made, and how a request presents one."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import string
from collections.abc import Mapping

import msgspec

from audittrail.model.errors import NotSignedIn

_ALPHABET = string.ascii_letters + string.digits
PUBLIC_PREFIX = "pk-at-"
SECRET_PREFIX = "sk-at-"  # noqa: S105 - what a secret starts with
_PUBLIC = re.compile(r"pk-at-[A-Za-z0-9]{16}")
# What AuditTrail makes has 40 letters and digits; AUDITTRAIL_INIT_API_KEY may be any printable text of 32 or more.
_SECRET = re.compile(r"sk-at-[!-~]{32,506}")
# So many characters find a key's row: the prefix and 8 of the 40, 47 of its 238 bits. Only their HMAC is stored.
_LOOKUP = 14


class Presented(msgspec.Struct, frozen=True):
    """The key that a request carries, not yet checked."""

    secret: str
    public: str | None = None

    def __repr__(self) -> str:  # the secret shall not reach a log by way of a traceback
        return f"Presented({self.public or '…'})"


def new_key() -> tuple[str, str]:
    """(public part, secret) of a new key."""
    return PUBLIC_PREFIX + _random(16), SECRET_PREFIX + _random(40)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def derived_public(secret_key: bytes, secret: str) -> str:
    """The public part of a secret that was chosen elsewhere: the same one each time it is asked for."""
    number = int.from_bytes(hmac.digest(secret_key, b"public:" + secret.encode(), "sha256"), "big")
    letters = []
    for _ in range(16):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return PUBLIC_PREFIX + "".join(letters)


def lookup(secret_key: bytes, secret: str) -> str:
    """Finds a key's row by its secret without an Argon2 of every key."""
    return hmac.digest(secret_key, b"lookup:" + secret[:_LOOKUP].encode(), "sha256").hex()


def presented(headers: Mapping[str, str]) -> Presented | None:
    """The key in a request's headers (names in lower case or a mapping that does not mind); None: there is none.

    Raises NotSignedIn, saying how to present a key, when the header is there and holds none.
    """
    authorization = headers.get("authorization", "").strip()
    if authorization:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return Presented(_secret(rest.strip(), "The Authorization header"))
        if scheme.lower() == "basic":
            return _basic(rest.strip())
        raise NotSignedIn(
            "The Authorization header is neither Bearer nor Basic; write `Authorization: Bearer sk-at-…`."
        )
    if own := headers.get("x-api-key", "").strip():
        return Presented(_secret(own, "The x-api-key header"))
    return None


def _basic(encoded: str) -> Presented:
    try:
        public, colon, secret = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        public, colon, secret = "", "", ""
    if not colon:
        raise NotSignedIn("The Basic Authorization header is not base64 of a key's two parts, pk-at-…:sk-at-….")
    if public and not _PUBLIC.fullmatch(public):
        raise NotSignedIn("The Basic Authorization header's user is not a key's public part, which starts with pk-at-.")
    return Presented(_secret(secret, "The Basic Authorization header's password"), public or None)


def _secret(text: str, where: str) -> str:
    if text.startswith(PUBLIC_PREFIX):
        raise NotSignedIn(f"{where} holds a key's public part; send the secret, which starts with sk-at-.")
    if not _SECRET.fullmatch(text):
        raise NotSignedIn(f"{where} holds no whole AuditTrail key; a key is sk-at- and 40 letters and digits.")
    return text
