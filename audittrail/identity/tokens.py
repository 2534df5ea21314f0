"""Random tokens of sessions and invitations, and the setup link's token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def new_token() -> str:
    """256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What is stored of a token. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def setup_token(secret_key: bytes) -> str:
    """The token of the setup link: the same at each start, and good only while no account exists."""
    digest = hmac.digest(secret_key, b"setup", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def derived(secret_key: bytes, purpose: str) -> bytes:
    """A key of its own for one purpose."""
    return hmac.digest(secret_key, purpose.encode(), "sha256")


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
