"""A take on its way in real time: spans begin and end when they are due, and it asks before it acts."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.demo.people import People
from tests.demo.piece import Ask
from tests.demo.take import Take
from tests.demo.talk import text
from tests.demo.wire import Part, Wire

_NO = {
    "denied": "A person said no, so I left it as it is.",
    "expired": "Nobody answered in time, so I left it as it is.",
}


class Playing:
    """`advance(now)` does what is due; `waits` while it stands still for a person."""

    def __init__(self, take: Take, wire: Wire, people: People, began: float) -> None:
        self.take, self.wire, self.people, self.began = take, wire, people, began
        self.part = Part(take, wire)
        moments = [(piece.start, 0, n) for n, piece in enumerate(take.pieces)]
        moments += [(piece.end, 1, -n) for n, piece in enumerate(take.pieces)]
        self.moments = sorted(moments, reverse=True)
        self.approval: dict[str, Any] | None = None
        self.waits = False

    @property
    def over(self) -> bool:
        """Whether nothing is left to be done."""
        return not self.moments

    @property
    def expires(self) -> float:
        """When the question that it waits for is answered by nobody."""
        return self.approval["expires_us"] / 1_000_000 if self.approval else 0

    def advance(self, now: float) -> None:
        """Does all that is due."""
        if self.waits:
            self._look()
        while self.moments and not self.waits and self.began + self.moments[-1][0] <= now:
            _, ends, number = self.moments.pop()
            ask = self.take.pieces[abs(number)].ask
            if ask and ends:
                self._answered(ask, abs(number))
            elif ask:
                self._asks(ask, number)
            elif ends:
                self.part.end(-number, self.began)
            else:
                self.part.begin(number, self.began)

    def _action(self, ask: Ask, number: int) -> dict[str, Any]:
        parent = self.take.pieces[number].parent
        assert parent is not None
        return {
            "agent": self.take.agent,
            "trace_id": self.part.trace_id,
            "parent_id": self.part.span_id(parent),
            "action": {"kind": "tool", "name": ask.name, "args": ask.args},
        }

    def _asks(self, ask: Ask, number: int) -> None:
        self.wire.flush()  # rules about the run look at what is stored of it
        answer = self.people.check(self._action(ask, number))
        if answer["approval_id"]:
            self.approval = {"id": answer["approval_id"], "expires_us": answer["approval_expires_us"]}

    def _answered(self, ask: Ask, number: int) -> None:
        if self.approval is None:
            return
        if ask.answer is None:
            self.waits = True
            self.asked = (ask, number)
            return
        self.people.answer(self.approval["id"], ask.answer, ask.reason)
        self.people.check(self._action(ask, number))
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        """What comes next comes after the answer, however long that took."""
        self.began = time.time() - self.take.pieces[number].end

    def _look(self) -> None:
        """Goes on, or gives up, when somebody has answered."""
        assert self.approval
        status = self.people.status(self.approval["id"])
        if status == "pending":
            return
        self.waits = False
        ask, number = self.asked
        if status != "approved" or self.people.check(self._action(ask, number))["decision"] not in ("allow", "warn"):
            self._give_up(status)
        self._go_on(number)

    def _give_up(self, status: str) -> None:
        begun = self.part.spans
        self.moments = [(at, ends, n) for at, ends, n in self.moments if ends and -n in begun]
        said = [{"role": "assistant", "parts": text(_NO.get(status, _NO["denied"])), "finish_reason": "stop"}]
        begun[0].set_attribute("gen_ai.output.messages", json.dumps(said))
