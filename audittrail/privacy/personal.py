"""Numbers and dates that only their name makes personal: a birth date, a card's code, a telephone's digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear
from audittrail.privacy.quoting import values_at

_DIGITS = re.compile(rb"\d+")
_MONTH = rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = (
    rb"(?i)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:T[\d:.Z+-]{2,20})?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{8}"
    rb"|" + _MONTH + rb" \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{1,2}(?:st|nd|rd|th)? " + _MONTH + rb",? \d{4})"
)
# The name, what it names, and what a value of that kind looks like. Names are matched in any case and spelling.
KINDS: tuple[tuple[str, bytes, re.Pattern[bytes]], ...] = (
    (
        "BIRTHDATE",
        rb"dob|date[-_ ]?of[-_ ]?birth|birth[-_ ]?(?:date|day)|born(?:[-_ ]?on)?|geburtsdatum",
        re.compile(_DAY),
    ),
    (
        "PHONE",
        rb"(?:tele)?phones?(?:[-_ ]?(?:numbers?|nos?))?|mobile(?:[-_ ]?(?:phone|number|no))?|cell(?:[-_ ]?phone)?"
        rb"|tel|fax(?:[-_ ]?number)?|msisdn|whatsapp",
        re.compile(rb"\+?\(?\d[\d ().x/-]{5,22}\d"),
    ),
    ("SSN", rb"ssn|social[-_ ]?security(?:[-_ ]?(?:number|no))?|itin", re.compile(rb"\d{3}[ -]?\d{2}[ -]?\d{4}")),
    (
        "CARD",
        rb"(?:credit|debit)?[-_ ]?card[-_ ]?(?:number|num|no)|pan|cvv2?|cvc2?|security[-_ ]?code",
        re.compile(rb"\d{12,19}|\d{4}(?:[ -]\d{2,7}){2,4}|\d{3,4}"),
    ),
    ("PASSWORD", rb"pin|otp", re.compile(rb"\d{4,8}")),
    ("IBAN", rb"iban", re.compile(rb"(?i)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){8,30}")),
)
_NAME = rb"(?i)" + b"|".join(b"(" + names + b")" for _, names, _ in KINDS)
_BY_NAME = linear(rb"(?i)(?:" + _NAME[4:] + rb")(?:\\*[\"'`])?[ \t]*(?:[:=]|\x1d|\bis\b|\bon\b)[ \t]*")
_DOORS = (
    rb"(dob|birth|birth.?date|birth.?day|born|born.?on|geburtsdatum|phones?|number|numbers|nos?|num|mobile|cell|tel|fax|msisdn|whatsapp|ssn|social.?security|itin|pan|pin|otp|cvv2?|cvc2?|security.?code|iban)"
    rb"\\{0,8}[\"'`]?[ \t]*([:=\x1d]| ?is | ?on )[ \t]*(\[|\\{0,8}[\"'`]?[+(]?[0-9a-z])",
)


def personal(text: Text) -> Iterator[Find]:
    """The value behind such a name, if it looks like one: a phone's model does not."""
    raw = text.raw
    for match in text.each(_BY_NAME, raw):
        index = next(i for i in range(len(KINDS)) if match.start(i + 1) >= 0)
        kind, _, shape = KINDS[index]
        name = match.start()
        # "hotel: 1234567", "japan=123": a word that only ends like one of ours.
        if raw[name : name + 3].lower() in (
            b"tel",
            b"pan",
            b"fax",
            b"dob",
            b"ssn",
            b"iti",
            b"cel",
            b"cvv",
            b"cvc",
            b"pin",
            b"otp",
        ) and (raw[name - 1 : name].isalpha() and not raw[name : name + 1].isupper()):
            continue
        if match[0].rstrip()[-3:] == b" on" and not match[index + 1].lower().startswith(b"born"):
            continue  # "my birthday on March 22" is an appointment
        for start, end, quoted in values_at(raw, match[0], match.end(), most=128):
            text.pay()
            find = _find(raw, start, end, quoted, kind, shape, match[index + 1])
            if find:
                yield find


def _find(
    raw: bytes, start: int, end: int, quoted: bool, kind: str, shape: re.Pattern[bytes], name: bytes
) -> Find | None:
    found = shape.match(raw, start)
    if found is None or (quoted and found.end() < end) or raw[found.end() : found.end() + 1].isalnum():
        return None
    value = found[0]
    digits = b"".join(_DIGITS.findall(value))
    if kind == "PHONE" and (not 7 <= len(digits) <= 15 or re.match(rb"\d{4}-\d\d-\d\d", value)):
        return None
    if name.lower() == b"cell" and value.isdigit() and len(value) < 10:
        return None  # of a table
    if kind == "CARD" and (len(digits) < 12) != (name[:2].lower() in (b"cv", b"se")):
        return None
    if kind == "IBAN":
        digits = re.sub(rb"\s", b"", value).upper()
    return Find(start, found.end(), kind, value.lower() if kind == "BIRTHDATE" else digits)


DETECTORS = (Detector("personal", _DOORS, personal, sent=True),)
