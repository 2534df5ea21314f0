"""How to reach a person: e-mail addresses and telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear

_EMAIL = linear(
    rb"([\w.!#$&*+/=?^`{|}~'\x80-\xff-]+|%[0-9A-Fa-f]{2}[\w.-]+)"
    rb"(?:@|%40)((?:[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9\x80-\xff-]*[A-Za-z0-9\x80-\xff])?\.)+[A-Za-z\x80-\xff][A-Za-z0-9\x80-\xff-]+)"
)
_EMAIL_DOORS = (rb"[^\x00-\x20](@|%40)[a-z0-9\x80-\xff\\]",)
_LOCAL_START = re.compile(rb"[\w\x80-\xff]")
# git@host:path is a repository.
_NOBODY = {b"git", b"hg", b"svn", b"svc", b"pkg"}
# postgres://user:password@host: what stands before the @ is found as a password.
_URL_PASSWORD = re.compile(rb"/ ?/[^\s/]*:[^\s/]*$")
_ASSIGNED = re.compile(rb".*[=/?&|{}`]", re.DOTALL)


def emails(text: Text) -> Iterator[Find]:
    """Addresses with a domain that could exist; the local part may be of any alphabet with upper and lower case."""
    for match in text.each(_EMAIL, text.view):
        local, domain = match[1], match[2]
        # `to=bob@example.org` and `/users/bob@example.org`: legal inside a local part, but never meant so.
        local = _ASSIGNED.sub(b"", local[-256:])
        local = _own_alphabet(local) if not local.isascii() else local
        while local and not _LOCAL_START.match(local):
            local = local[1:]
        if not local or local in _NOBODY or len(domain) > 255 or domain.lower().endswith(_FILES):
            continue
        start = match.end(1) - len(local)
        if _URL_PASSWORD.search(text.before(start, 96)):
            continue
        yield Find(start, match.end(), "EMAIL", local.lower() + b"@" + domain.lower())


# Image names of build tools: logo@2x.png.
_FILES = (b".png", b".jpg", b".jpeg", b".gif", b".svg", b".webp", b".js", b".css", b".py", b".json")


def _own_alphabet(local: bytes) -> bytes:
    """The local part without what only stands before it: Chinese has no space there, nor has a typographic quote."""
    characters = local.decode("utf-8", "replace")
    for index in range(len(characters) - 1, -1, -1):
        c = characters[index]
        if not c.isascii() and unicodedata.category(c) not in ("Ll", "Lu", "Mn"):
            return characters[index + 1 :].encode()
    return local


_EXT = rb"(?: ?(?:x|ext\.?) ?\d{1,6})?"
_LEFT = rb"(?:^|[^\w.+,/$#=-])"
# Written as only telephone numbers are.
_SHAPES = linear(
    rb"(?i)(?:"
    rb"(?:^|[^\w.+])(\+[1-9][\d ().-]{5,22}\d" + _EXT + rb")"
    rb"|" + _LEFT + rb"(00[1-9][\d ().-]{7,20}\d)"
    rb"|(?:^|[^\w.+/$#-])((?:1[ .-])?(?:\([2-9]\d\d\) ?[.-]?|[2-9]\d\d[.-])\d{3}[ .-]\d{4}" + _EXT + rb")"
    rb"|" + _LEFT + rb"((?:\(0?\d{1,3}\) ?|0[1-9]\d{0,4}[ ./-])\d{2,7}(?:[ .-]\d{2,4}){0,4})"
    rb"|" + _LEFT + rb"(555-01\d\d))"
)
_SHAPE_DOORS = (
    rb"\+[1-9][0-9 ().-]{6}",
    rb"00[1-9][0-9]{0,6}[ ().-][0-9 ().-]{2}",
    rb"[0-9]{3}\)? ?[.-][0-9]{3}[ .-][0-9]{4}",
    rb"\([0-9]{2,4}\) ?[0-9]{2,7}",
    rb"[^0-9]0[1-9][0-9]{0,4}[ ./-][0-9]{2,7}[ .-]?[0-9]{2}",
    rb"^0[1-9][0-9]{0,4}[ ./-][0-9]{2,7}[ .-]?[0-9]{2}",
    rb"555-01[0-9]{2}",
)
# A word that says so, and then any digits that are no date.
_NAMED = linear(
    rb"(?i)\b(?:(tele?phones?|phones?|mobile|cell(?:phone)?|tel|fax|whatsapp|sms|hotline|telefon|handy|call(?:ing)? "
    rb"(?:me|us|him|her|them)(?: back)?|answering|desk)"
    rb"|(?:call|dial|contact|reach|text|ring)(?: (?:me|us|him|her|them))?)"
    rb"((?:[\s:#.\"'=-]|\b(?:is|are|at|on|no|nr|number|numbers|me|us|my|the|this|to|new|direct|via|work"
    rb"|home|office|or)\b){1,24})"
    rb"(\+?\(?\d[\d ().-]{4,20}\d" + _EXT + rb")"
)
_NAMED_DOORS = (
    rb"(phones?|mobile|cell|tel|fax|whatsapp|sms|hotline|telefon|handy|call|calling|answering|desk|dial"
    rb"|contact|reach|text|ring| me| us| him| her| them| back)"
    rb"[\s:#.\"'=\\-][a-z\s:#.\"'=\\-]{0,24}\+?\(?[0-9][0-9 ().-]{4}",
)
_DATE = re.compile(
    rb"(?:1[89]|20)\d\d([ ./-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    rb"|(?:0?[1-9]|[12]\d|3[01])([ ./-])(?:0?[1-9]|[12]\d|3[01])\2(?:1[89]|20)\d\d(?!\d)"
    rb"|(?:1[89]|20)\d\d ?- ?(?:1[89]|20)\d\d$"
)
_ZIP = re.compile(rb"0\d{4}[- ]\d{4}")
_GROUPS = re.compile(rb"\d+")


def phones(text: Text) -> Iterator[Find]:
    """Numbers written as only telephone numbers are."""
    for match in text.each(_SHAPES, text.view):
        shape = next(i for i in range(1, 6) if match.start(i) >= 0)
        find = _phone(text, match.start(shape), match.end(shape), shape)
        if find:
            yield find


def named_phones(text: Text) -> Iterator[Find]:
    """Numbers behind a word that says what they are."""
    for match in text.each(_NAMED, text.view):
        number = match[3]
        # "call 1234567" may be any id: without a word for the device, the number must be written in groups.
        if match.start(1) < 0 and not re.search(rb"\d[ ).-]+\(?\d", number) and not number.startswith(b"+"):
            continue
        find = _phone(text, match.start(3), match.end(3), 0)
        if find:
            yield find


def _phone(text: Text, start: int, end: int, shape: int) -> Find | None:
    number = text.view[start:end]
    after = text.view[end : end + 2]
    if _DATE.match(number) or after[:1].isalnum() or (after[:1] in b"_%@/" and after) or re.match(rb"[.:,-]\d", after):
        return None
    main = re.split(rb"[ex]", number.lower())[0]
    if shape == 0 and text.view[start - 1 : start] == b"-" and number.isdigit():
        return None  # a negative number
    digits = b"".join(_GROUPS.findall(main))
    groups = len(_GROUPS.findall(main))
    if shape == 1:
        if (groups == 1 and len(digits) < 10) or (b"." in main and main.count(b".") < 2) or len(digits) < 8:
            return None
        limit = 11 if digits[:1] == b"1" else 15
        end, digits = _cut(text.view, start, end, digits, limit)
        if len(digits) > 15:
            return None
    elif shape == 2:
        if groups < 3 or not 10 <= len(digits) <= 16:
            return None
        digits = digits[2:]
    elif shape == 4:
        # 06385-3823 is an American postal code.
        if groups == 1 or _ZIP.fullmatch(main) or not (9 if main[:1] != b"(" else 7) <= len(digits) <= 12:
            return None
    elif not 7 <= len(digits) <= 15 or groups > 6:
        return None
    return Find(start, end, "PHONE", digits)


def _cut(data: bytes, start: int, end: int, digits: bytes, limit: int) -> tuple[int, bytes]:
    """The end after `limit` digits, where a group ends there: "+1 555-234-1234 10 items"."""
    if len(digits) <= limit:
        return end, digits
    seen = 0
    for position in range(start, end):
        seen += data[position : position + 1].isdigit()
        if seen == limit:
            cut = position + 1
            return (end, digits) if data[cut : cut + 1].isdigit() else (cut, digits[:limit])
    return end, digits


DETECTORS = (
    Detector("email", _EMAIL_DOORS, emails),
    Detector("phone", _SHAPE_DOORS, phones),
    Detector("phone by name", _NAMED_DOORS, named_phones),
)
