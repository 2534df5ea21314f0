"""Whether a model was given sources, and whether its answer names any."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import Any

from audittrail.constitution.affected import word_set, words_of
from audittrail.model.span import Message

# A tool with one of these words in its name fetches what an answer then rests on.
_FETCHES = word_set(
    "search retrieve retrieval retriever rag docs documents knowledge kb wiki wikipedia browse policy policies "
    "handbook faq literature papers corpus vector passages articles"
)
# Each pattern begins with a text of its own, which `re` finds quickly: judging a model's call of 5 KB takes 96 µs, and
# 113 with all of them in one pattern (2026-11-24). They look at text in lower case, after a line feed.
_PASTED = (
    # Sources pasted into a prompt stand below a heading of their own, or inside a tag.
    re.compile(
        r"\n[ \t#*]{0,8}(?:context|sources?|documents?|passages|retrieved (?:context|documents|passages)|"
        r"search results|reference material)[ \t*]{0,4}:"
    ),
    re.compile(r"<(?:context|sources?|documents?|passages?|search_results)>"),
)
_CITED = (
    re.compile(
        r"\[(?:\^?\d{1,3}(?:[\s,–-]{1,3}\d{1,3}){0,9}"  # [1], [^2], [1, 3], [2–4]
        r"|(?:source|doc|document|ref|citation)[ :#_-]{1,2}[^\]\n]{1,80})\]"  # [doc 3], [source: handbook]
    ),
    re.compile(r"【[^【】\n]{1,80}】"),  # 【4:0†policy.pdf】
    re.compile(
        r"\((?:[^()\n]{0,40}\b(?:policy|section|sec\.|chapter|article|clause|page|p\.|doc|document|source|ref)s?"
        r"[ #:.-]{0,3}[^()\n]{1,60}"  # (policy 4.2)
        r"|[^()\n]{0,40}§[^()\n]{1,40}"  # (handbook, § 3)
        r"|[^\W\d_][\w.&' -]{1,60},? (?:19|20)\d\d[a-z]?)\)"  # (meyer et al., 2024)
    ),
    re.compile(r"http(?:s)?://[^\s<>\"')\]]"),
    re.compile(r"\n[ \t*#>-]{0,6}(?:sources?|references|citations?)[ \t*]{0,4}:"),  # a list of sources at the end
    re.compile(
        r"according to [\w' .-]{0,30}(?:§|\bsection|\bpolicy|\barticle|\bclause|\bchapter|\bdocument|\bhandbook)"
    ),
)
MOST = 100
WITHIN = 50_000  # characters; of the worst kind, the patterns need 17 ms for as many (2026-11-24)


def citations(text: str) -> int:
    """How many times the text names a source, up to MOST."""
    return _times(_CITED, text)


def sources(value: Any, attributes: dict[str, Any]) -> int:
    """How many retrieved texts a model was given: results of tools that fetch, headings of pasted ones, documents."""
    found = 0
    if isinstance(value, str):
        found += _pasted(value)
    elif isinstance(value, tuple):
        calls: dict[str, str] = {}
        for message in value:
            if not isinstance(message, Message):
                continue
            for part in message.parts:
                if part.type == "tool_call" and part.id and part.name:
                    calls[part.id] = part.name
                elif part.type == "tool_result":
                    found += bool(_FETCHES & set(words_of(part.name or calls.get(part.id or "", ""))))
                elif part.type == "text" and part.text and message.role != "assistant":
                    found += _pasted(part.text)
    if not found and any(key.startswith("retrieval.documents.") for key in attributes):
        found = 1
    return min(found, MOST)


def _pasted(text: str) -> int:
    return _times(_PASTED, text)


def _times(patterns: tuple[re.Pattern[str], ...], text: str) -> int:
    lower = "\n" + text[:WITHIN].lower()
    found = chain.from_iterable(pattern.finditer(lower) for pattern in patterns)
    return sum(1 for _ in islice(found, MOST))
