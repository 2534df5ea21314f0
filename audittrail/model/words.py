"""The words of a text as search knows them: the same for what is indexed and what is typed, on either database."""

from __future__ import annotations

import re
import unicodedata

# What is longer is cut, when indexed and when typed: PostgreSQL takes 2,046 bytes, and nobody types a hundred letters.
MAX_WORD = 100

_ACCENTS = re.compile("[\u0300-\u036f]")
# Scripts that write no blanks between words (Japanese, Chinese, Thai, Lao, Burmese, Khmer): each sign is a word, and so
# any run of them is found as a phrase.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(?![{_UNSPACED}])(?:[^\W_{_UNSPACED}])+|[^\W_]")
_ASCII_WORD = re.compile("[a-z0-9]+")


def words(text: str) -> list[str]:
    """Runs of letters and digits, without case and accents."""
    if text.isascii():
        found = _ASCII_WORD.findall(text.lower())
    else:
        found = _WORD.findall(_ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())).casefold())
    too_long = len(max(found, key=len, default="")) > MAX_WORD
    return [word[:MAX_WORD] for word in found] if too_long else found
