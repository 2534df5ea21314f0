"""Numbers that are money or an identity: payment cards, IBANs, social security numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy import checksum
from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear

_CARD = linear(rb"(?:^|[^\w.-])((?:[3-6]|2[2-7]|1800|2131)\d(?:[ -]?\d){9,17})")
_CARD_DOORS = (rb"[^0-9.][1-6]([ -]?[0-9]){11}", rb"^[1-6]([ -]?[0-9]){11}")
# Thirteen digits are a bar code, and twelve anybody's id, one in ten of which has the right check digit.
_CARD_WORDS = re.compile(rb"card|visa|maestro|amex|credit|debit|payment|\bcc\b|\bpan\b")
_GROUPS = re.compile(rb"\d+")


def cards(text: Text) -> Iterator[Find]:
    """Numbers an issuer could have given, with the right check digit, in one piece or in the groups of a card."""
    for match in text.each(_CARD, text.view):
        start = match.start(1)
        find = _card(text, start, match[1])
        if find:
            yield find


def _card(text: Text, start: int, written: bytes) -> Find | None:
    digits = re.sub(rb"[ -]", b"", written).decode()
    for length in checksum.card_lengths(digits):
        if length > len(digits) or not checksum.luhn(digits[:length]):
            continue
        end = start + _width(written, length)
        groups = [len(group) for group in _GROUPS.findall(text.view[start:end])]
        if len(groups) > 1 and (groups[0] not in (4, 6) or max(groups[1:]) > 7 or min(groups[:-1]) < 4):
            continue
        if _goes_on(text.view, end) or (length < 14 and not _CARD_WORDS.search(text.before(start, 64))):
            continue
        return Find(start, end, "CARD", digits[:length].encode())
    return None


def _width(written: bytes, digits: int) -> int:
    for position in range(len(written)):
        digits -= written[position : position + 1].isdigit()
        if not digits:
            return position + 1
    return len(written)


def _goes_on(data: bytes, end: int) -> bool:
    """Whether the number is a part of something longer: an id, a decimal."""
    after = data[end : end + 2]
    return after[:1].isalnum() or after[:1] == b"_" or (after[:1] in b".-" and after[1:].isdigit())


_IBAN = linear(rb"(?i)(?:^|[^\w])([A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30})")
_IBAN_DOORS = (rb"[a-z]{2}[0-9]{2}([ -]?[a-z0-9]){11}",)


def ibans(text: Text) -> Iterator[Find]:
    """Account numbers of the country's length whose check digits are right, in one piece or in groups."""
    for match in text.each(_IBAN, text.view):
        written = match[1]
        plain = re.sub(rb"[ -]", b"", written).decode().upper()
        length = checksum.IBAN_LENGTHS.get(plain[:2], 0)
        if not length or not checksum.iban(plain[:length]):
            continue
        end = match.start(1) + _width_of(written, length)
        if not text.view[end : end + 1].isalnum():
            yield Find(match.start(1), end, "IBAN", plain[:length].encode())


def _width_of(written: bytes, characters: int) -> int:
    for position in range(len(written)):
        characters -= written[position : position + 1].isalnum()
        if not characters:
            return position + 1
    return len(written)


_SSN = linear(rb"(?:^|[^\w.-])(\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9})")
_SSN_DOORS = (rb"[0-9]{3}-[0-9]{2}-[0-9]{4}", rb"(ssn|social|security|tax).{0,64}[0-9]{3} ?[0-9]{2} ?[0-9]{4}")
_SSN_WORDS = re.compile(rb"ssn|social.?security|\bitin\b|tax.?payer")


def ssns(text: Text) -> Iterator[Find]:
    """US social security numbers with dashes; without, only behind the words for them."""
    for match in text.each(_SSN, text.view):
        start, end = match.span(1)
        digits = re.sub(rb"[ -]", b"", match[1])
        if _goes_on(text.view, end) or not checksum.ssn(digits.decode()):
            continue
        if b"-" in match[1] or _SSN_WORDS.search(text.before(start, 48)):
            yield Find(start, end, "SSN", digits)


DETECTORS = (
    Detector("card", _CARD_DOORS, cards),
    Detector("iban", _IBAN_DOORS, ibans),
    Detector("ssn", _SSN_DOORS, ssns),
)
