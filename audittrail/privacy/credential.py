"""What lets somebody in, recognised by its form: tokens, private keys, passwords inside addresses and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear

_JWT = linear(rb"(?:^|[^\w-])(eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3})")
_JWT_DOORS = (rb"eyJ[\w-]{8}",)


def jwts(text: Text) -> Iterator[Find]:
    """JSON Web Tokens, signed (three parts) or encrypted (five), and unsigned ones."""
    for match in text.each(_JWT, text.view):
        yield Find(match.start(1), match.end(1), "JWT", match[1])


_BEGIN = linear(rb"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_BEGIN_DOORS = (rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",)
# Base64, its line ends, and the headers of old formats. A block that was cut off ends where this does.
_BODY = linear(rb"[A-Za-z0-9+/=\s:,.()-]*")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,60}-----")


def private_keys(text: Text) -> Iterator[Find]:
    """Private keys in PEM and PGP armour: the whole block, from BEGIN to END, or to where it was cut off."""
    done = 0
    for match in text.each(_BEGIN, text.view):
        start, end = match.span()
        if start < done:
            continue
        # A body ends at the next BEGIN at the latest, so that many of them do not cost the square of their number.
        limit = text.view.find(b"-----BEGIN", end)
        body = _BODY.match(text.view, end, limit if limit >= 0 else len(text.view))
        stop = body.end() if body else end
        closed = _END.search(text.view, end, stop)
        # In the view a backslash is a space: the one before a closing quote is not the key's.
        done = closed.end() if closed else end + len(text.view[end:stop].rstrip())
        yield Find(start, done, "PRIVATE_KEY", b"".join(text.view[start:done].split()))


# user:password@ of any scheme. A password may hold @ and :, and never a slash, which begins the path.
_USERINFO = linear(rb"(?i)\b[a-z][a-z0-9+.-]*:[ \\]*/[ \\]*/([^\s\"'<>/?#@:\x00\x1d]*:[^\s\"'<>/?#\x00\x1d]+)@")
_USERINFO_DOORS = (rb"/[^\s\"'<>/?#@:]*:[^\s\"'<>/?#]+@",)


def userinfos(text: Text) -> Iterator[Find]:
    """Name and password inside a URL or a database's connection string."""
    for match in text.each(_USERINFO, text.view):
        if not _hollow(match[1].partition(b":")[2]):
            yield Find(match.start(1), match.end(1), "PASSWORD", match[1])


_BEARER = linear(rb"(?i)(?:^|[^\w-])(?:bearer|basic|apikey|token)[ +]+([\w.~+/=-]{16,})")
_BEARER_DOORS = (rb"(bearer|basic|apikey|token)[ +]+[a-z0-9_.~+/=-]{16}",)


def authorizations(text: Text) -> Iterator[Find]:
    """What follows Bearer or Basic, wherever it stands."""
    for match in text.each(_BEARER, text.view):
        if re.search(rb"\d", match[1]) and re.search(rb"[A-Za-z]", match[1]):
            yield Find(match.start(1), match.end(1), "SECRET", match[1])


# What a signed address, or one that carries its key, calls it.
_QUERY = linear(
    rb"(?i)[?&;](?:amp;)?(key|sig|signature|auth|code_verifier|x-amz-signature|x-amz-credential|x-amz-security-token"
    rb"|x-goog-signature|hmac|sas)=([^\s\"'<>&#\\;\x00\x1d]{8,})"
)
_QUERY_DOORS = (rb"[?&;](key|sig|signature|auth|code_verifier|x-amz-[a-z-]+|x-goog-signature|hmac|sas)=[^&]{8}",)


def queries(text: Text) -> Iterator[Find]:
    """Signatures and keys in a URL's query; `token=` and the like are found by their name anywhere."""
    for match in text.each(_QUERY, text.view):
        if not _hollow(match[2]):
            yield Find(match.start(2), match.end(2), "SECRET", match[2])


def _hollow(value: bytes) -> bool:
    """Whether the value is a placeholder, ours or a manual's."""
    return not value.strip(b"\x01*.x$ ") or value.startswith((b"${", b"{{", b"{", b"%(", b"$"))


DETECTORS = (
    Detector("jwt", _JWT_DOORS, jwts, cased=True),
    Detector("private key", _BEGIN_DOORS, private_keys, cased=True),
    Detector("url password", _USERINFO_DOORS, userinfos),
    Detector("authorization", _BEARER_DOORS, authorizations),
    Detector("url secret", _QUERY_DOORS, queries),
)
