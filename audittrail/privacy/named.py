"""Secrets that only their name gives away: a password is any word behind `password`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import BARRIER, KEY, Find, Text
from audittrail.privacy.pattern import Match, linear
from audittrail.privacy.placeholder import MASK
from audittrail.privacy.quoting import MOST, value_at, values_at

_PASSWORD = rb"pass(?:wor[dt]s?|wd|phrases?|codes?)|pwd|kennwort|contrase(?:n|\xc3\xb1)a|mot[-_ ]?de[-_ ]?passe"
# DB_PASS=…; a test's "pass" and a filter's "low_pass" are something else.
_PASSWORD += rb"|(?:db|smtp|mail|user|admin|root|ftp|redis|mysql|pg|postgres|mongo|auth|http|proxy|ssh|login)[-_]?pass"
_SECRET = (
    rb"secrets?(?:[-_ .]?(?:access)?[-_ .]?keys?)?"
    rb"|(?:api|access|private|secret|auth|account|encryption|signing|master|subscription|storage|license|x)[-_ .]?keys?"
    rb"|credentials?|jwt"
)
_HEADER = rb"authorization|cookies?"
# An attribute's own key, an object's in JSON or Python, a header's, a variable's: then what assigns.
_NAME = (
    rb"(?i)(?:("
    + _PASSWORD
    + rb")|("
    + _SECRET
    + rb")|(token)|("
    + _HEADER
    + rb"))(?:[-_]?(?:hash|value|text|b64|base64|\d))?"
)
# {"name": "password", "value": "…"}, and as OpenTelemetry's JSON has it, {"key": …, "value": {"stringValue": "…"}}.
_PAIR = rb",[ \t]*\\*\"value\\*\"[ \t]*:(?:[ \t]*\{[ \t]*\\*\"string_?value\\*\"[ \t]*:)?"
_KEYS, _TOKEN, _HEADERS = 2, 3, 4  # its groups; 1 is a password, 5 what assigns
_BY_NAME = linear(_NAME + rb"(?:\\*[\"'`])?[ \t]*(=>|:=|={1,3}|[:>\x1d]|" + _PAIR + rb")[ \t]*")
_BY_FLAG = linear(
    rb"(?i)(?:^|[\s\"'`\x1d])--?(?:[a-z0-9]+[-_])*(?:"
    + _PASSWORD
    + rb"|api-?key|secret|token)(?:[= ]+|\\*[\"'],[ \t]*)(?:\\*[\"'])?"
    + rb"([^\s\"'\\,;<>&\x00\x1d-][^\s\"'\\,;<>&\x00\x1d]{3,})"
)
_BY_USER = linear(rb"[\s\"'](?:-u|--user)[ =]+(?:\\*[\"'])?([^\s\"'\\:\x00\x1d]{1,64}:[^\s\"'\\\x00\x1d]{2,})")
_BY_SPEECH = linear(
    rb"(?i)\b(?:"
    + _PASSWORD
    + rb"|pin|api[- ]key|secret|token)(?: code| number)?"
    + rb" (?:is|was)(?: now| set to)?:? [\"'`]?([^\s\"'`\\,;<>\x00\x1d]{4,})"
)
_WORDS = (
    rb"(passwor[dt]s?|pass|passwd|passphrases?|passcodes?|pwd|kennwort|contrase(n|\xc3\xb1)a|mot.?de.?passe|secrets?|keys?"
    rb"|credentials?|jwt|token|authorization|cookies?)"
)
_DOORS = (_WORDS + rb"([-_]?(hash|value|text|b64|base64|[0-9]))?\\{0,8}[\"'`]?[ \t]*[:=>\x1d,]",)
_FLAG_DOORS = (
    rb"[-_]([a-z]{2,8}[-_]?)?(pass(wor[dt]s?|wd|phrases?|codes?)?|pwd|kennwort|contrase(n|\xc3\xb1)a|mot.?de.?passe"
    rb"|api-?key|secret|token)[= \\\"']",
)
_USER_DOORS = (rb"(-u|--user)[ =]",)
_SPEECH_DOORS = (_WORDS[:-1] + rb"|pin)( code| number)? (is|was)[: ]",)

# next_token, max_tokens, eos_token: cursors, counts and a model's alphabet.
_NO_SECRET = tuple(
    b"next prev previous page paging pagination continuation cursor sync max min total prompt completion input output"
    b" num stop eos bos pad unk sep mask cls special first last per new top generated cache cached reasoning"
    b" think thinking".split()
)
_SURELY_SECRET = tuple(
    b"access auth oauth oauth2 api refresh bearer session bot csrf xsrf secret security client personal deploy device"
    b" reset user admin".split()
)
_NO_KEY = tuple(b"num number_of max total public primary foreign partition sort idempotency cache".split())
_SCHEME = re.compile(rb"(?i)(?:bearer|basic|digest|token|apikey|negotiate|aws4-hmac-sha256)\s+")
# What stands where a secret would, in programs, schemas and manuals.
_NOTHING = frozenset(
    b"none null nil true false undefined nan infinity -infinity string str text int integer number bool boolean object"
    b" array any bytes optional required redacted missing invalid expired enabled disabled unknown empty default yes"
    b" no n/a".split()
)
# Without quotes, also the name of a variable and the next word of a sentence.
_NO_VALUE = _NOTHING | set(
    b"password passwd secret token key apikey api_key the a an is was not has must should bearer basic".split()
)
_MANUAL = re.compile(
    rb"(?i)(?:your|my|insert|replace|enter|example|dummy|fake|sample)[-_ ][a-z_ -]{1,64}|<[a-z_ -]{1,64}>"
)
_CODE = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]|\(|\[)|[A-Za-z]+(?:_[A-Za-z]+)+$")
_TAG = re.compile(rb"<[\w:.-]*\Z")
_TEMPLATE = (b"$", b"{", b"%", b"<", b"[", b"(", b"os.", b"process.", b"env.")
_NUMBER = re.compile(rb"[\d.eE+-]*")
_DRAWN = re.compile(rb"[0-9][^0-9]|[^0-9][0-9]")
_MIXED = re.compile(rb"[0-9!@#$%^&*+=~?/|]|[a-z][A-Z]")


def named(text: Text) -> Iterator[Find]:
    """The value behind `password`, `api_key`, `Authorization` and their like; all of it where it is an attribute's."""
    raw, done = text.raw, 0
    for match in text.each(_BY_NAME, raw):
        start = match.end()
        if match.start() < done:
            continue
        word = next(i for i in range(1, 5) if match.start(i) >= 0)
        before = raw[max(0, match.start() - 24) : match.start()].lower().rstrip(b"-_ .")
        if (word == _TOKEN and before.endswith(_NO_SECRET)) or (word == _KEYS and before.endswith(_NO_KEY)):
            continue
        if match[5] == b">" and not _TAG.search(raw, max(0, match.start() - 24), match.start()):
            continue  # not <password>, but a comparison
        if match[5] == KEY:
            end = raw.find(BARRIER, start)
            values = iter([(start, len(raw) if end < 0 else end, True)])
        else:
            most = len(raw) if word <= _KEYS else MOST
            values = values_at(raw, match[0], start, most=most, whole_line=word == _HEADERS)
        for number, (start, end, quoted) in enumerate(values):
            if number or end - start > 256:
                text.pay(end - start)
            if quoted and word <= _KEYS:
                done = end  # so that a long value is looked at once
            find = _find(raw, start, end, quoted, match, word, before)
            if find:
                done = find.end
                yield find


def _find(raw: bytes, start: int, end: int, quoted: bool, match: Match, word: int, before: bytes) -> Find | None:
    scheme = _SCHEME.match(raw, start, end)
    if scheme:
        start = scheme.end()
        if not quoted and scheme[0][:1] not in b"dDaA":  # Digest and AWS4 are lists; the others one word
            start, end, _ = value_at(raw, start, most=MOST)
    value = raw[start:end]
    if not value or _empty(value, quoted):
        return None
    sure = word <= _KEYS or (word == _TOKEN and before.endswith(_SURELY_SECRET)) or bool(scheme)
    if word == _HEADERS:
        sure = sure or b"=" in value or (quoted and match[4][:1] in b"aA")
    if len(match[5]) > 1 and match[5].startswith(b"==") and not quoted:
        return None  # compared with a variable
    loose = not quoted and match.end() > match.end(5) and not scheme and not _ends_line(raw, end)
    if scheme and not quoted:
        return None if value.startswith(_TEMPLATE) else Find(start, end, "SECRET", value)
    if not _meant(value, sure, quoted, loose):
        return None
    # A private key is found as such, and PWD=/home/bob is a shell's working directory.
    if value.startswith(b"-----BEGIN") or (match[0][:3] == b"PWD" and value.startswith(b"/")):
        return None
    return Find(start, end, "PASSWORD" if word == 1 else "SECRET", value)


def _empty(value: bytes, quoted: bool = False) -> bool:
    """Whether nothing is there to hide: a placeholder, ours or a manual's, or a word that says so."""
    bare = value.strip(MASK + b" *.xX-_\"'")
    return (
        not bare
        or value[:32].strip().lower() in (_NOTHING if quoted else _NO_VALUE)
        or bool(_MANUAL.fullmatch(value[:128]))
    )


def _meant(value: bytes, sure: bool, quoted: bool, loose: bool) -> bool:
    if not sure:
        # A model's own tokens are words or numbers, and so are the cookies one can bake.
        if _NUMBER.fullmatch(value):
            return False
        return len(value) >= 8 and b" " not in value and (len(value) >= 24 or bool(_DRAWN.search(value)))
    if quoted:
        return not value.startswith((b"${", b"{{", b"%(", b"$("))
    if value.startswith(_TEMPLATE) or _CODE.match(value[:128]):
        return False
    # "Password: must be changed" is a sentence; "password: hunter2" is not.
    return not loose or (len(value) >= 5 and bool(_MIXED.search(value)))


def _ends_line(raw: bytes, end: int) -> bool:
    rest = raw[end : end + 2].lstrip(b" \t\r")
    return not rest or rest[:1] in b"\n\\\"'\0,;"


def flags(text: Text) -> Iterator[Find]:
    """A command's `--password hunter2`."""
    for match in text.each(_BY_FLAG, text.raw):
        value = match[1]
        if (
            not _empty(value)
            and not value.startswith(_TEMPLATE)
            and (_MIXED.search(value) or b"pass" in match[0].lower())
        ):
            yield Find(match.start(1), match.end(1), "PASSWORD" if b"pass" in match[0].lower() else "SECRET", value)


def users(text: Text) -> Iterator[Find]:
    """The name and password of `curl -u bob:hunter2`."""
    for match in text.each(_BY_USER, text.raw):
        value = match[1]
        name, _, password = value.partition(b":")
        before = text.raw[max(0, match.start() - 512) : match.start()].rpartition(BARRIER)[2]
        template = value.startswith(_TEMPLATE) or password.startswith(_TEMPLATE)
        if b"curl" in before and not template and not _empty(password):
            yield Find(match.start(1) + len(name) + 1, match.end(1), "PASSWORD", password)


def spoken(text: Text) -> Iterator[Find]:
    """ "My password is hunter2": a word with a digit or a sign in it, or a number."""
    for match in text.each(_BY_SPEECH, text.raw):
        value = match[1].rstrip(b".!?)")
        if not _empty(value) and _MIXED.search(value):
            yield Find(match.start(1), match.start(1) + len(value), "PASSWORD", value)


DETECTORS = (
    Detector("named secret", _DOORS, named, sent=True),
    Detector("flag", _FLAG_DOORS, flags, sent=True),
    Detector("user", _USER_DOORS, users, sent=True),
    Detector("spoken secret", _SPEECH_DOORS, spoken, sent=True),
)
