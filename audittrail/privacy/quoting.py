"""Where a value ends that stands behind its name: in JSON, in JSON inside JSON, in a header, in a shell's line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy.finding import BARRIER, KEY

_BARE = re.compile(rb"[^\s\"'\\,;&<>)\]}\x00\x1d]+")
_LINE = re.compile(rb"[^\r\n\"'\\\x00\x1d]+")
_DEEPEST = 1024  # backslashes in a row: JSON ten times inside JSON; and how far is looked for what is rarely long
_OPENING = re.compile(rb"\\*[\"'`]")
_QUOTED = re.compile(rb"\\*[\"'`]")
_ENDED = re.compile(rb"\s*(?:[:,}\])\x00\x1d]|\\+n|$)")
_STRING_END = re.compile(rb"\"\s*(?:[:,}\]\x00\x1d]|\Z)")
_NEAR = 256
_BETWEEN = re.compile(rb"(?:[\s,\[]|\\+[nrt])*")  # the items of a list, which may be indented
_NUMBER = re.compile(rb"[-+]?\d[\d.eE+-]*")

# A cookie or a token is not longer; servers refuse headers that are.
MOST = 8192


def value_at(data: bytes, start: int, *, most: int, whole_line: bool = False) -> tuple[int, int, bool]:
    """Start and end of the value, at most so long, and whether it stood in quotes."""
    limit = min(len(data), start + most)
    opening = _OPENING.match(data, start)
    if opening is None:
        bare = (_LINE if whole_line else _BARE).match(data, start, limit)
        return start, bare.end() if bare else start, False
    quote = data[opening.end() - 1 : opening.end()]
    return opening.end(), _closing(data, opening.end(), quote, len(opening[0]) - 1, limit), True


def values_at(
    data: bytes, name: bytes, start: int, *, most: int, whole_line: bool = False
) -> Iterator[tuple[int, int, bool]]:
    """The value behind `name`, or each string and number where it is a list."""
    if _opened_before(data, name, start):
        return
    if data[start : start + 1] != b"[":
        yield value_at(data, start, most=most, whole_line=whole_line)
        return
    at = start
    while between := _BETWEEN.match(data, at, at + _DEEPEST):
        at = between.end()
        number = _NUMBER.match(data, at)
        if number:
            yield *number.span(), False
            at = number.end()
        elif _OPENING.match(data, at):
            begin, end, quoted = value_at(data, at, most=most)
            yield begin, end, quoted
            # Behind the closing quote, which has as many backslashes as the opening one.
            at = end + begin - at
        else:
            return


def _opened_before(data: bytes, name: bytes, start: int) -> bool:
    """Whether a quote here ends the string that the name stands in: `{"cmd": "login --password="}`."""
    quote = _OPENING.match(data, start)
    if quote is None:
        return False
    own = _QUOTED.search(name)
    if own and own[0][-1:] == quote[0][-1:]:
        # {"password": "x"}; a shallower one ends the string around: "\"password\":"
        return depth(len(quote[0]) - 1) < depth(len(own[0]) - 1)
    return bool(_ENDED.match(data, quote.end())) and quote[0] in data[max(0, start - _NEAR) : start]


def _closing(data: bytes, start: int, quote: bytes, backslashes: int, limit: int) -> int:
    """The position of what closes a string whose quote had so many backslashes before it."""
    if quote != b'"':  # an apostrophe that is never closed ends with the string of JSON that it stands in
        around = _STRING_END.search(data, start, min(limit, start + _DEEPEST))
        if around:
            escaped = start_of_run(data, start, around.start())
            if data[escaped : around.start() + 1] in data[max(0, start - _NEAR) : start]:
                limit = escaped
    own, at = depth(backslashes), start
    while True:
        found = data.find(quote, at, limit)
        end = limit if found < 0 else found
        for barrier in (BARRIER, KEY):
            other = data.find(barrier, at, end)
            end = end if other < 0 else other
        if found < 0 or end < found:
            return end  # cut off: everything that is left may be the value
        level = depth(found - start_of_run(data, start, found))
        if level <= own:  # less: a string around this one ends, so this one was cut off
            return max(start, found - (1 << level) + 1)
        at = found + 1


def start_of_run(data: bytes, least: int, at: int) -> int:
    """Where the backslashes before a quote begin. As an expression, `\\\\*"` is quadratic where no quote follows."""
    near = data[max(least, at - _DEEPEST) : at]
    return at - len(near) + len(near.rstrip(b"\\"))


def depth(backslashes: int) -> int:
    """How deep inside strings of JSON a quote is: `\\"` is 1 deep, `\\\\\\"` 2.

    That is the ones at the end of the number's binary form. Each level writes a quote's backslashes twice and adds one;
    pairs before them are backslashes of the text.
    """
    return (~backslashes & (backslashes + 1)).bit_length() - 1
