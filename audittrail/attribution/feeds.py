"""Whose output a later step worked with: by the ids of calls first, else by what only one step can have said."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from audittrail.attribution.calls import Calls
from audittrail.attribution.content import WHOLE, Item, given, pieces, samples, taken, text_of
from audittrail.attribution.steps import Steps
from audittrail.model.human import line, visible
from audittrail.model.span import Span

# Characters that are compared: of a whole trace, and of one step's input or output.
MAX_TOTAL = 8_000_000
MAX_TEXT = 40_000
# What more steps than this said for the first time is a phrase of the house and tells nothing.
MAX_MAKERS = 8

Found = dict[tuple[str, str], str]  # (source, target): why


def feeds_of(steps: Steps, calls: Calls) -> Found:
    """Every pair of steps of which the later took in what the earlier gave out. What a conversation only repeats of its
    earlier turns is not drawn again: each text counts where it came in first."""
    acting = [span for span in steps.spans if steps.acts(span)]
    fresh, found = _by_id(steps, calls, acting)
    limit = min(MAX_TEXT, MAX_TOTAL // max(1, len(steps.spans)))
    for pair, why in _by_text(steps, calls, acting, fresh, limit).items():
        found.setdefault(pair, why)
    return _outermost(steps, found, calls)


def _by_id(steps: Steps, calls: Calls, acting: list[Span]) -> tuple[dict[str, list[str]], Found]:
    """What the ids of calls tell, and for each step the texts it took in that no earlier turn of it had."""
    said: dict[str, list[str]] = defaultdict(list)
    read = {span.span_id: taken(span) for span in acting}
    for span in acting:
        if span.kind == "llm":
            for text in given(span):
                if len(text) >= WHOLE:
                    said[text.strip()].append(span.span_id)
    found: Found = {}
    fresh: dict[str, list[str]] = {}
    for span in acting:
        items = read[span.span_id]
        turn = _turn_before(steps, calls, said, span, items)
        known = set(read[turn]) if turn else set()
        texts = fresh[span.span_id] = []
        for item in items:
            if item in known:
                continue
            source = None
            if item.type == "result":
                source = _answer(steps, calls, item, span)
                why = f"the result of call {line(visible(item.id), 40)} is in its input"
            elif item.type == "call" and item.id:
                source = _last(steps, calls.asked.get(item.id, ()), span)
                why = f"call {line(visible(item.id), 40)} is in its input"
            if source is not None:
                found.setdefault((source, span.span_id), why)
            else:
                texts.append(item.text)
    return fresh, found


def _turn_before(steps: Steps, calls: Calls, said: dict[str, list[str]], span: Span, items: list[Item]) -> str | None:
    """The model's call whose answer is the last one in the conversation that this call continues."""
    if span.kind != "llm":
        return None
    for item in reversed(items):
        if not item.spoken:
            continue
        spoken = calls.asked.get(item.id, ()) if item.type == "call" else said.get(item.text.strip(), ())
        found = _last(steps, spoken, span)
        if found is not None:
            return found
    return None


def _last(steps: Steps, candidates: Sequence[str], span: Span) -> str | None:
    """The last of them that began before the span, and neither contains it nor is part of it."""
    at = bisect_right(candidates, steps.place[span.span_id], key=steps.place.__getitem__)
    for one in reversed(candidates[max(0, at - MAX_MAKERS) : at]):
        if steps.apart(one, span.span_id):
            return one
    return None


def _answer(steps: Steps, calls: Calls, item: Item, span: Span) -> str | None:
    """The tool whose result it is: the one that said just this, where an id was used more than once."""
    tools = calls.answered.get(item.id, [])
    if len(tools) == 1:
        return tools[0] if steps.apart(tools[0], span.span_id) else None
    at = bisect_right(tools, steps.place[span.span_id], key=steps.place.__getitem__)
    for one in reversed(tools[max(0, at - MAX_MAKERS) : at]):
        tool = steps.by_id[one].tool
        if tool is not None and text_of(tool.result) == item.text and steps.apart(one, span.span_id):
            return one
    return _last(steps, tools, span)


def _by_text(steps: Steps, calls: Calls, acting: list[Span], fresh: dict[str, list[str]], limit: int) -> Found:
    """In order of time: what an input has and no step has said was given from outside, and is evidence of nothing;
    what a step says without having read it is its own, and whoever reads it later was fed by it."""
    makers = {span.span_id: samples(given(span), limit) for span in acting}
    wanted = {piece for found in makers.values() for piece in found}
    outside: set[Any] = set()
    said: dict[Any, list[str]] = defaultdict(list)
    found: Found = {}
    moments: list[tuple[int, int, int]] = []
    for at, span in enumerate(steps.spans):
        moments.append((span.started_us, 1, at))
        if makers.get(span.span_id):
            moments.append((max(span.started_us, span.ended_us or span.started_us), 0, at))
    read: dict[str, set[Any]] = {}

    def reads(span: Span) -> set[Any]:
        if span.span_id not in read:
            texts = fresh.get(span.span_id)
            if texts is None:
                texts = [item.text for item in taken(span)]
            read[span.span_id] = pieces(texts, limit) & wanted
        return read[span.span_id]

    for _, begins, at in sorted(moments):
        span = steps.spans[at]
        own = reads(span)
        if not begins:
            for piece in makers[span.span_id]:
                if piece not in own and piece not in outside and len(said[piece]) <= MAX_MAKERS:
                    said[piece].append(span.span_id)
            continue
        for piece in own:
            sources = said.get(piece)
            if not sources:
                outside.add(piece)
            elif span.span_id in fresh and span.span_id not in calls.by_tool and len(sources) <= MAX_MAKERS:
                for source in sources:
                    if (source, span.span_id) not in found and steps.apart(source, span.span_id):
                        found[source, span.span_id] = "what it said is in its input"
    return found


def _outermost(steps: Steps, found: Found, calls: Calls) -> Found:
    """Without what a step does only as part of another that does the same: a tool's result stands for what the
    retriever inside it found."""
    called = {(call.asker, tool) for tool, call in calls.by_tool.items()}
    kept: Found = {}
    for (source, target), why in found.items():
        over_source = [up for up in steps.above(source) if (up, target) in found]
        over_target = [up for up in steps.above(target) if (source, up) in found or (source, up) in called]
        if not over_source and not over_target:
            kept[source, target] = why
    return kept
