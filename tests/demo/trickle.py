"""What goes on after the week: a new run every few seconds, and always a question that waits for a person."""

from __future__ import annotations

import random
import threading
import time

from tests.demo import coding, operations, research, support
from tests.demo.people import People
from tests.demo.playing import Playing
from tests.demo.take import Take
from tests.demo.wire import Wire

EVERY = (2.5, 7.0)  # seconds between two beginnings
RENEW = 30.0  # a question that has so little time left is followed by the next one
WAITING = (2, 5, 1)  # of operations.CLEANUPS, in turn


class Trickle:
    """Plays takes in real time, all in one thread."""

    def __init__(self, seed: int, wire: Wire, people: People, waiting: list[Playing]) -> None:
        self.dice = random.Random(f"{seed}/trickle")
        self.wire, self.people, self.playing = wire, people, list(waiting)
        self.takes: list[Take] = []  # planned, not begun
        self.number = 0
        self.asked = 1

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        new = time.time()
        while not stop.is_set():
            now = time.time()
            if now >= new:
                self.takes += self._next(now)
                new = now + self.dice.uniform(*EVERY)
            for take in [t for t in self.takes if t.at <= now]:
                self.takes.remove(take)
                self.playing.append(Playing(take, self.wire, self.people, take.at))
            for one in self.playing:
                one.advance(now)
            self.playing = [one for one in self.playing if not one.over]
            self._keep_one_waiting(now)
            stop.wait(0.2)

    def _next(self, now: float) -> list[Take]:
        self.number += 1
        draw = self.dice.random()
        if draw < 0.62:
            (scene,) = self.dice.choices([s for s, _ in support.USUAL], [w for _, w in support.USUAL])
            return scene(self.dice, now, f"c-now-{self.number:03}")
        if draw < 0.74:
            return [research.question(self.dice, now)]
        if draw < 0.88:
            return [operations.stock(self.dice, now)]
        return [coding.ticket(self.dice, now, tries=self.dice.randrange(2))]

    def _keep_one_waiting(self, now: float) -> None:
        mine = [one for one in self.playing if one.take.agent == operations.AGENT and one.take.title == "waiting"]
        if any(not one.approval or one.expires - now > RENEW for one in mine):
            return
        take = operations.asking(self.dice, now, WAITING[self.asked % len(WAITING)], None)
        take.title = "waiting"
        self.asked += 1
        self.playing.append(Playing(take, self.wire, self.people, now))
