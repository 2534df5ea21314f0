"""One run of an agent as a plan: which spans, when, inside what, and what they say. No clock here, and no wire.

Attributes are those of OpenTelemetry's conventions for generative AI, as instrumented agents send them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.demo.models import EMBED, Model
from tests.demo.piece import OVERLOADED, Ask, Failure, Piece
from tests.demo.talk import Talk, text

HICCUPS = 0.006  # of the models' calls; each is tried again


class Take:
    """A plan under construction: each call adds a span where the clock stands, and moves the clock to its end."""

    def __init__(
        self, agent: str, at: float, dice: random.Random, *, session: str | None = None, user: str | None = None
    ) -> None:
        self.agent, self.at, self.dice, self.session, self.user = agent, at, dice, session, user
        self.title = ""  # names the few takes that others refer to
        self.pieces: list[Piece] = []
        self.clock = 0.0
        self.open: list[int] = []
        self.agents: list[str] = []
        self.calls = 0
        self.lost_root = False  # the process died before it could send what was still open

    # -- spans that hold others

    @contextmanager
    def working(self, asked: str, name: str | None = None, title: str = "") -> Iterator[Callable[[str], None]]:
        """An agent at work, under a title or as usual; what the context gives takes its final answer."""
        agent = name or self.agent
        said = [{"role": "user", "parts": text(asked)}]
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.version": "2.4.1" if agent == self.agent else "1.0.3",
            "gen_ai.input.messages": json.dumps(said, ensure_ascii=False),
        }
        self.agents.append(agent)
        index = self._begin(title or f"invoke_agent {agent}", attributes)

        def answer(words: str) -> None:
            given = [{"role": "assistant", "parts": text(words), "finish_reason": "stop"}]
            self.pieces[index].attributes["gen_ai.output.messages"] = json.dumps(given, ensure_ascii=False)

        self.wait(0.01, 0.04)
        yield answer
        self.wait(0.005, 0.02)
        self._finish(index)
        self.agents.pop()

    @contextmanager
    def within(self, name: str, attributes: dict[str, Any] | None = None) -> Iterator[int]:
        """A step of the program that holds others."""
        index = self._begin(name, {"gen_ai.operation.name": "invoke_workflow", **(attributes or {})})
        self.wait(0.002, 0.01)
        yield index
        self.wait(0.002, 0.01)
        self._finish(index)

    def together(self, *branches: Callable[[], Any]) -> None:
        """Branches that begin at the same moment; the clock goes on when the last has ended."""
        began, ends = self.clock, []
        for number, branch in enumerate(branches):
            self.clock = began + number * 0.004
            branch()
            ends.append(self.clock)
        self.clock = max(ends, default=began)

    # -- steps

    def chat(
        self,
        talk: Talk,
        model: Model,
        says: str = "",
        calls: Sequence[tuple[str, Any]] = (),
        *,
        seconds: float = 0,
        failure: Failure | None = None,
    ) -> list[str]:
        """A model's call; now and then it takes two tries. Returns the ids of the tool calls it asked for."""
        if failure is None and self.dice.random() < HICCUPS:
            self.chat(talk, model, seconds=self.dice.uniform(0.2, 2), failure=OVERLOADED)
            self.wait(0.8, 1.6)
        ids = [self._call_id() for _ in calls]
        parts = text(says) if says else []
        parts += [
            {"type": "tool_call", "id": call, "name": name, "arguments": args}
            for call, (name, args) in zip(ids, calls, strict=True)
        ]
        given = talk.weight
        output = 12 + len(json.dumps(parts)) // 4 + (self.dice.randrange(model.reasons) if model.reasons else 0)
        reason = "tool_calls" if calls else "stop"
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.request.max_tokens": 4096,
            "gen_ai.system_instructions": json.dumps(text(talk.system)),
            "gen_ai.input.messages": json.dumps(talk.messages, ensure_ascii=False),
        }
        took = seconds or (0.35 + given / 60_000 + output / model.speed) * self.dice.lognormvariate(0, 0.25)
        if failure is None:
            said = [{"role": "assistant", "parts": parts, "finish_reason": reason}]
            attributes |= {
                "gen_ai.response.model": model.name,
                "gen_ai.response.id": f"msg_{self.dice.getrandbits(64):016x}",
                "gen_ai.response.finish_reasons": [reason],
                "gen_ai.output.messages": json.dumps(said, ensure_ascii=False),
                "gen_ai.usage.input_tokens": given,
                "gen_ai.usage.output_tokens": output,
            }
            if model.caches and talk.seen > 1024:
                attributes["gen_ai.usage.cache_read.input_tokens"] = talk.seen
            if model.reasons:
                attributes["gen_ai.usage.reasoning.output_tokens"] = output - 12 - len(json.dumps(parts)) // 4
            talk.seen = given
            talk.add("assistant", parts, output)
        self._step(f"chat {model.name}", attributes, took, failure)
        return ids

    def tool(
        self,
        name: str,
        args: Any,
        result: Any,
        seconds: float = 0,
        *,
        call: str | None = None,
        talk: Talk | None = None,
        failure: Failure | None = None,
        inside: Callable[[], Any] | None = None,
        weight: int = 0,
        blocked: bool = False,
    ) -> None:
        """A tool's call. With `inside`, what happens in it. Its result goes back into `talk`."""
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call or self._call_id(),
            "gen_ai.tool.call.arguments": json.dumps(args, ensure_ascii=False),
        }
        if failure is None and result is not None:
            attributes["gen_ai.tool.call.result"] = json.dumps(result, ensure_ascii=False)
        if blocked:
            attributes["audittrail.status"] = "blocked"
        took = seconds or self.dice.lognormvariate(-1.6, 0.5)
        if inside is None:
            self._step(f"execute_tool {name}", attributes, took, failure)
        else:
            index = self._begin(f"execute_tool {name}", attributes)
            self.wait(0.01, 0.03)
            inside()
            self.wait(0.01, 0.05)
            self._finish(index, failure)
        if talk is not None:
            shown = f"{failure.type}: {failure.message}" if failure else result
            part = {"type": "tool_call_response", "id": call, "name": name, "response": shown}
            talk.add("tool", [part], weight)

    def use(self, talk: Talk, model: Model, name: str, args: Any, result: Any, seconds: float = 0, **more: Any) -> None:
        """The model asks for a tool, and the tool is called."""
        says = more.pop("says", "")
        (call,) = self.chat(talk, model, says, [(name, args)])
        self.wait(0.002, 0.02)
        self.tool(name, args, result, seconds, call=call, talk=talk, **more)

    def use_all(self, talk: Talk, model: Model, uses: Sequence[tuple[str, Any, Any, float]]) -> None:
        """The model asks for several tools at once, and they are called beside each other."""
        ids = self.chat(talk, model, "", [(name, args) for name, args, _, _ in uses])
        self.together(
            *(
                lambda one=one, call=call: self.tool(one[0], one[1], one[2], one[3], call=call, talk=talk)
                for one, call in zip(uses, ids, strict=True)
            )
        )

    def retrieve(self, source: str, query: str, documents: Sequence[dict[str, Any]]) -> None:
        """A search in an index by meaning, with the embedding of the question in it."""
        attributes = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": source,
            "gen_ai.retrieval.query.text": query,
            "gen_ai.retrieval.documents": json.dumps(list(documents), ensure_ascii=False),
        }
        index = self._begin(f"retrieval {source}", attributes)
        self.wait(0.002, 0.006)
        tokens = 2 + len(query) // 4
        embedding = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": EMBED.provider,
            "gen_ai.request.model": EMBED.name,
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.embeddings.dimension.count": 1536,
        }
        self._step(f"embeddings {EMBED.name}", embedding, self.dice.uniform(0.06, 0.19), None)
        self.wait(0.02, 0.09)
        self._finish(index)

    def guard(self, name: str, seconds: float = 0, *, blocked: bool = False, why: str = "") -> None:
        """A guardrail looks at something, and lets it pass or not."""
        attributes = {
            "gen_ai.operation.name": "apply_guardrail",
            "gen_ai.guardrail.name": name,
            "gen_ai.guardrail.result": "block" if blocked else "pass",
        }
        if blocked:
            attributes |= {"audittrail.status": "blocked", "audittrail.output": why}
        self._step(f"apply_guardrail {name}", attributes, seconds or self.dice.uniform(0.02, 0.08), None)

    def step(self, name: str, seconds: float, attributes: dict[str, Any] | None = None) -> None:
        """Any step of the program, by attributes of its own."""
        self._step(name, attributes or {}, seconds, None)

    def ask(self, ask: Ask, seconds: float) -> None:
        """Asks the server whether the action may be done, and waits so long for a person."""
        parent = self.open[-1] if self.open else None
        self.pieces.append(Piece(ask.name, parent, self.clock, self.clock + seconds, ask=ask))
        self.clock += seconds + 0.02  # what comes next begins after the answer

    def fail(self, failure: Failure) -> None:
        """The step that holds all others ends with that."""
        self.pieces[self.open[0]].failure = failure
        self._raised(self.pieces[self.open[0]], failure)

    def note(self, name: str, attributes: dict[str, Any]) -> None:
        """An event on the innermost open step."""
        self.pieces[self.open[-1]].events.append((self.clock, name, attributes))

    def wait(self, least: float, most: float) -> None:
        """Time passes."""
        self.clock += self.dice.uniform(least, most)

    @property
    def seconds(self) -> float:
        """From the first span's beginning to the last one's end."""
        return max(piece.end for piece in self.pieces)

    # -- construction

    def _call_id(self) -> str:
        self.calls += 1
        return f"call_{self.dice.getrandbits(40):010x}{self.calls:02d}"

    def _begin(self, name: str, attributes: dict[str, Any]) -> int:
        who: dict[str, Any] = {"gen_ai.agent.name": self.agents[-1]} if self.agents else {}
        if self.session:
            who["gen_ai.conversation.id"] = self.session
        if self.user and not self.open:
            who["user.id"] = self.user
        parent = self.open[-1] if self.open else None
        self.pieces.append(Piece(name, parent, self.clock, attributes={**who, **attributes}, events=[]))
        self.open.append(len(self.pieces) - 1)
        return self.open[-1]

    def _finish(self, index: int, failure: Failure | None = None) -> None:
        piece = self.pieces[self.open.pop()]
        assert piece is self.pieces[index]
        piece.end = self.clock
        if failure:
            self._raised(piece, failure)

    def _step(self, name: str, attributes: dict[str, Any], seconds: float, failure: Failure | None) -> None:
        index = self._begin(name, attributes)
        self.clock += seconds
        self._finish(index, failure)

    def _raised(self, piece: Piece, failure: Failure) -> None:
        piece.failure = failure
        piece.attributes["error.type"] = failure.type
        said = {"exception.type": failure.type, "exception.message": failure.message}
        if failure.trace:
            said["exception.stacktrace"] = f"{failure.trace}\n{failure.type}: {failure.message}"
        piece.events.append((self.clock, "exception", said))
