"""Traces whose causes are known because they were put there: one, two, alternatives or none, among noise, retries and
misleading errors. Nothing here uses what is tested; the truth is written down while the trace is built."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from audittrail.model.span import Message, Part, Span, SpanError, Status, Tokens, Tool
from audittrail.model.summary import SpanRow, TraceRow, summarise
from audittrail.model.verdict import Verdict

TRACE = "0af7651916cd43dd8448eb211c80319c"
SECOND = 1_000_000
START = 1_795_000_000 * SECOND
RULE = "planted"


def verdict(found: bool) -> Verdict:
    """What the planted rule says."""
    return Verdict(
        rule_id=RULE,
        version="0" * 64,
        title="",
        severity="high",
        mode="enforce",
        effect="deny",
        outcome="violation" if found else "pass",
    )


class Planted(msgspec.Struct):
    """A trace, what to ask of it, and the answer: the sets of causes, each with what alone led to it."""

    spans: list[Span]
    outcome: dict[str, Any]
    sets: dict[frozenset[str], frozenset[str]]  # causes: what led to them
    judge_span: Callable[[Span], Sequence[Verdict]] = lambda span: ()
    judge_trace: Callable[[TraceRow, Sequence[SpanRow]], Sequence[Verdict]] = lambda trace, spans: ()
    parts: dict[str, float] | None = None  # of a measure: the Shapley value of each step that has one

    @property
    def trace(self) -> TraceRow:
        """As the store would have it."""
        return summarise([SpanRow.of(span) for span in self.spans], 1).now


class Builder:
    """Puts steps one after the other into a trace with one root. Every text is new, so nothing feeds anything unless it
    is told to."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.now = START
        self.spans: list[Span] = []
        self.root = self.add("agent", "agent", None, lasts=0)

    def text(self) -> str:
        """Twelve words that nobody said before."""
        return " ".join("".join(self.draw.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(12))

    def add(
        self,
        kind: Any,
        name: str,
        parent: str | None = "",
        *,
        status: Status = "ok",
        lasts: int = SECOND,
        beside: bool = False,
        **fields: Any,
    ) -> str:
        """A step that begins when the one before it has ended, or, `beside` it, with it."""
        span_id = f"{self.draw.getrandbits(64):016x}"
        start = self.spans[-1].started_us if beside else self.now
        if status == "error":
            fields.setdefault("error", SpanError(message=f"{name} broke: {self.text()}"))
        span = Span(
            trace_id=TRACE,
            span_id=span_id,
            parent_id=self.root if parent == "" else parent,
            kind=kind,
            name=name,
            status=status,
            started_us=start,
            ended_us=start + lasts,
            **fields,
        )
        self.spans.append(span)
        self.now = max(self.now, start + lasts) + 1_000
        return span_id

    def tool(self, name: str, args: Any = None, *, status: Status = "ok", parent: str = "", **fields: Any) -> str:
        """A tool that no model's answer asked for."""
        result = None if status == "error" else {"said": self.text()}
        call = fields.pop("call_id", None)
        return self.add("tool", name, parent, status=status, tool=Tool(name, call, args, result), **fields)

    def caller(self, *calls: tuple[str, str, Any], reads: str = "", **fields: Any) -> str:
        """A model's call whose answer asks for tools: (call id, name, arguments)."""
        asked = tuple(Part("tool_call", id=one, name=name, value=args) for one, name, args in calls)
        return self.llm(output=(Message("assistant", (Part("text", self.text()), *asked)),), reads=reads, **fields)

    def llm(self, *, output: Any = None, reads: str = "", **fields: Any) -> str:
        """A model's call about something of its own, or about what it reads."""
        prompt = (Message("user", (Part("text", f"Look at this: {reads or self.text()}"),)),)
        return self.add("llm", "chat", input=prompt, output=output or self.text(), **fields)

    def noise(self, most: int = 3) -> None:
        """What every real trace is full of: other work, tries that failed and then went well, caught errors."""
        for _ in range(self.draw.randint(0, most)):
            kind = self.draw.randrange(6)
            if kind == 0:
                self.tool("read_file", {"path": self.text()})
            elif kind == 1:
                self.llm()
            elif kind == 2:
                args = {"query": self.text()}
                self.tool("search", args, status="error")
                self.tool("search", args)
            elif kind == 3:
                chain = self.add("chain", "optional", lasts=3 * SECOND)
                self.now -= 3 * SECOND
                self.tool("warm_cache", status="error", parent=chain)
                self.now += 3 * SECOND
            elif kind == 4:
                self.tool("lint", status="error")
                self.llm()
            else:
                one, said = f"call_{self.draw.getrandbits(40):x}", {"path": self.text()}
                self.caller((one, "list_files", said))
                self.tool("list_files", said, call_id=one)

    def done(
        self, outcome: dict[str, Any], sets: dict[Any, Any], *, root: dict[str, Any] | None = None, **judges: Any
    ) -> Planted:
        """Ends the root with the last step, and shuffles."""
        end = max(span.ended_us or 0 for span in self.spans)
        self.spans[0] = msgspec.structs.replace(self.spans[0], ended_us=end, **(root or {}))
        self.draw.shuffle(self.spans)
        found = {frozenset(causes): frozenset(led) for causes, led in sets.items()}
        return Planted(self.spans, outcome, found, **judges)


def harms(span: Span) -> list[Verdict]:
    """A rule about single steps: no tool may be called with `harm`."""
    args = span.tool.args if span.tool else None
    return [verdict(isinstance(args, dict) and "harm" in args)] if span.kind == "tool" else []


def over(limit: int) -> Callable[[TraceRow, Sequence[SpanRow]], list[Verdict]]:
    """A rule about whole traces: no more input tokens than this."""
    return lambda trace, spans: [verdict((trace.input_tokens or 0) > limit)]


def leaks(trace: TraceRow, spans: Sequence[SpanRow]) -> list[Verdict]:
    """A rule about whole traces: who read a secret sends no mail."""
    tools = {span.tool for span in spans}
    return [verdict({"read_secret", "send_mail"} <= tools)]


def called(build: Builder, name: str, args: Any) -> tuple[str, str]:
    """A tool, and the model's call that alone asked for it."""
    one = f"call_{build.draw.getrandbits(40):x}"
    asker = build.caller((one, name, args))
    build.noise(1)
    return build.tool(name, args, call_id=one), asker


def harm_one(seed: int) -> Planted:
    """One step breaks the rule. No model asked for it."""
    b = Builder(seed)
    b.noise()
    cause = b.tool("act", {"harm": b.text()})
    b.noise()
    return b.done({"rule": RULE}, {(cause,): ()}, judge_span=harms)


def harm_called(seed: int) -> Planted:
    """Two were needed: the model's call that asked for it, and the tool."""
    b = Builder(seed)
    b.noise()
    cause, asker = called(b, "act", {"harm": b.text()})
    b.noise()
    return b.done({"rule": RULE}, {(cause,): (asker,)}, judge_span=harms)


def harm_either(seed: int) -> Planted:
    """Either of two steps would have been enough; each was asked for by a model's call of its own."""
    b = Builder(seed)
    one, _ = called(b, "act", {"harm": b.text()})
    b.noise()
    other, _ = called(b, "act", {"harm": b.text()})
    b.noise(2)
    return b.done({"rule": RULE}, {(one, other): ()}, judge_span=harms)


def harm_asked_twice(seed: int) -> Planted:
    """Either of two steps would have been enough, and one answer asked for both."""
    b = Builder(seed)
    b.noise()
    args, more = {"harm": b.text()}, {"harm": b.text()}
    asker = b.caller(("c1", "act", args), ("c2", "act", more))
    one = b.tool("act", args, call_id="c1")
    other = b.tool("act", more, call_id="c2")
    b.noise()
    return b.done({"rule": RULE}, {(one, other): (asker,)}, judge_span=harms)


def harm_two_ways_in(seed: int) -> Planted:
    """A step that harms reads what two others said: it would have come with either alone."""
    b = Builder(seed)
    first, second = b.text(), b.text()
    b.add("retriever", "docs", output=first)
    b.add("retriever", "more docs", output=second)
    b.noise()
    args = {"harm": f"because {first} and {second}"}
    cause = b.tool("act", args)
    b.noise()
    return b.done({"rule": RULE}, {(cause,): ()}, judge_span=harms)


def harm_from_one_source(seed: int) -> Planted:
    """A step that harms reads what only one other said."""
    b = Builder(seed)
    said = b.text()
    b.noise()
    source = b.add("retriever", "docs", output=said)
    b.noise()
    cause = b.tool("act", {"harm": f"because {said}"})
    return b.done({"rule": RULE}, {(cause,): (source,)}, judge_span=harms)


def conversation(seed: int) -> Planted:
    """A chat of several turns in which the third tool harms: every model's call up to it led to it, no tool did."""
    b = Builder(seed)
    history: list[Message] = [Message("user", (Part("text", b.text()),))]
    led, cause = [], ""
    for turn in range(b.draw.randint(3, 8)):
        args = {"harm": b.text()} if turn == 2 else {"path": b.text()}
        answer = Message("assistant", (Part("tool_call", id=f"call_{turn}", name="act", value=args),))
        asker = b.add("llm", "chat", input=tuple(history), output=(answer,))
        tool = b.tool("act", args, call_id=f"call_{turn}")
        if turn <= 2:
            led.append(asker)
        if turn == 2:
            cause = tool
        history += [answer, Message("tool", (Part("tool_result", id=f"call_{turn}", value=b.spans[-1].tool.result),))]
    return b.done({"rule": RULE}, {(cause,): led}, judge_span=harms)


def tokens_one(seed: int) -> Planted:
    """One call made the trace too large."""
    b = Builder(seed)
    b.noise()
    cause = b.llm(tokens=Tokens(input=5_000))
    b.noise()
    for _ in range(b.draw.randint(1, 4)):
        b.llm(tokens=Tokens(input=100))
    return b.done({"rule": RULE}, {(cause,): ()}, judge_trace=over(4_000))


def tokens_both(seed: int) -> Planted:
    """Two calls only together made it too large: without either it would not have been."""
    b = Builder(seed)
    b.noise()
    one = b.llm(tokens=Tokens(input=3_000))
    b.noise()
    other = b.llm(tokens=Tokens(input=3_000))
    for _ in range(b.draw.randint(1, 4)):
        b.llm(tokens=Tokens(input=100))
    return b.done({"rule": RULE}, {(one,): (), (other,): ()}, judge_trace=over(5_000))


def tokens_either(seed: int) -> Planted:
    """Each of two calls made it too large by itself: both have to go."""
    b = Builder(seed)
    one = b.llm(tokens=Tokens(input=6_000))
    b.noise()
    other = b.llm(tokens=Tokens(input=6_000))
    b.noise()
    return b.done({"rule": RULE}, {(one, other): ()}, judge_trace=over(5_000))


def leak(seed: int) -> Planted:
    """A secret was read once and mailed twice: the reading, or both mails."""
    b = Builder(seed)
    b.noise()
    secret = b.tool("read_secret", {"name": b.text()})
    b.noise(2)
    mails = [b.tool("send_mail", {"to": b.text()}) for _ in range(2)]
    b.noise(2)
    return b.done({"rule": RULE}, {(secret,): (), tuple(mails): ()}, judge_trace=leaks)


def rule_none(seed: int) -> Planted:
    """The rule finds fault with whatever is left, and even with nothing: no step is the cause."""
    b = Builder(seed)
    b.tool("act")
    b.noise(4)
    always = lambda trace, spans: [verdict(True)]  # noqa: E731
    planted = b.done({"rule": RULE}, {}, judge_trace=always)
    return planted


def failed(message: str) -> dict[str, Any]:
    """What the root is left with."""
    return {"status": "error", "error": SpanError(message=message)}


def error_one(seed: int) -> Planted:
    """A tool failed and the root with it; other errors were caught or tried again."""
    b = Builder(seed)
    b.noise(4)
    message = f"disk full: {b.text()}"
    cause = b.tool("save", {"path": b.text()}, status="error", error=SpanError(message=message))
    return b.done({"error": True}, {(cause,): ()}, root=failed(message))


def error_told(seed: int) -> Planted:
    """The root's message names the failure, though others came after it and were caught."""
    b = Builder(seed)
    b.noise()
    message = f"disk full: {b.text()}"
    cause = b.tool("save", {"path": b.text()}, status="error", error=SpanError(message=message))
    b.noise(4)
    b.tool("report", status="error")
    return b.done({"error": True}, {(cause,): ()}, root=failed(f"RunError({message!r})"))


def error_called(seed: int) -> Planted:
    """The failed tool was asked for by one model's call."""
    b = Builder(seed)
    b.noise()
    message, args = f"no such table: {b.text()}", {"table": b.text()}
    asker = b.caller(("c1", "drop", args))
    cause = b.tool("drop", args, call_id="c1", status="error", error=SpanError(message=message))
    return b.done({"error": True}, {(cause,): (asker,)}, root=failed(message))


def error_tries(seed: int) -> Planted:
    """Three tries of the same failed: without the last, the one before would have been the end."""
    b = Builder(seed)
    b.noise()
    message, args = f"no route to host: {b.text()}", {"url": b.text()}
    tries = [b.tool("fetch", args, status="error", error=SpanError(message=message)) for _ in range(3)]
    return b.done({"error": True}, {tuple(tries): ()}, root=failed(message))


def error_recovered(seed: int) -> Planted:
    """The same call failed, went well, and failed again with the same words: only the last is what it ended in."""
    b = Builder(seed)
    b.noise()
    message, args = f"no route to host: {b.text()}", {"url": b.text()}
    b.tool("fetch", args, status="error", error=SpanError(message=message))
    b.tool("fetch", args)
    b.noise(2)
    cause = b.tool("fetch", args, status="error", error=SpanError(message=message))
    return b.done({"error": True}, {(cause,): ()}, root=failed(message))


def error_either(seed: int) -> Planted:
    """Two steps beside each other failed, and nothing was begun after."""
    b = Builder(seed)
    b.noise()
    one = b.tool("left", status="error", lasts=5 * SECOND)
    other = b.tool("right", status="error", beside=True, lasts=5 * SECOND)
    return b.done({"error": True}, {(one, other): ()}, root=failed("exit 1"))


def error_inside(seed: int) -> Planted:
    """The failure is deep inside: chains pass on what they did not cause."""
    b = Builder(seed)
    b.noise()
    message = f"quota exceeded: {b.text()}"
    outer = b.add("chain", "graph", status="error", lasts=9 * SECOND, error=SpanError(message=message))
    b.now -= 9 * SECOND
    inner = b.add("chain", "node", outer, status="error", lasts=7 * SECOND, error=SpanError(message=message))
    b.now -= 7 * SECOND
    b.tool("look", parent=inner)
    cause = b.tool("write", parent=inner, status="error", error=SpanError(message=message))
    return b.done({"error": True}, {(cause,): ()}, root=failed(message))


def error_none(seed: int) -> Planted:
    """The root failed by itself after everything had gone well or been survived."""
    b = Builder(seed)
    b.noise(4)
    b.tool("last")
    return b.done({"error": True}, {}, root=failed("killed"))


def spent(seed: int, measure: str) -> Planted:
    """Some calls cost something, each by itself; each is due just that."""
    b = Builder(seed)
    b.noise()
    parts: dict[str, float] = {}
    for _ in range(b.draw.choice((1, 2, 5))):
        tokens, cents = b.draw.randint(1, 900), b.draw.randint(1, 900)
        call = b.llm(tokens=Tokens(input=tokens, output=tokens), cost=Decimal(cents) / 100)
        parts[call] = 2 * tokens if measure == "tokens" else cents / 100
        b.noise(2)
    planted = b.done({"measure": measure}, {})
    planted.parts = parts
    return planted


def cost(seed: int) -> Planted:
    """US dollars."""
    return spent(seed, "cost")


def tokens(seed: int) -> Planted:
    """Tokens."""
    return spent(seed, "tokens")


def waiting(seed: int) -> Planted:
    """Two steps beside each other share the time in which both ran; one after them has its own. The root's own time is
    due to no step."""
    b = Builder(seed)
    one = b.tool("left", lasts=4 * SECOND)
    other = b.tool("right", beside=True, lasts=6 * SECOND)
    third = b.tool("after", lasts=3 * SECOND)
    planted = b.done({"measure": "duration"}, {})
    planted.parts = {one: 2, other: 4, third: 3}
    return planted


CAUSES = (
    *(harm_one, harm_called, harm_either, harm_asked_twice, harm_two_ways_in, harm_from_one_source, conversation),
    *(tokens_one, tokens_both, tokens_either, leak, rule_none),
    *(error_one, error_told, error_called, error_tries, error_recovered, error_either, error_inside, error_none),
)
MEASURED = (cost, tokens, waiting)
