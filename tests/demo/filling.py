"""Fills a server: traces, decisions, what people made of the findings, and what they asked to be explained."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.demo import coding, operations
from tests.demo.people import People
from tests.demo.playing import Playing
from tests.demo.take import Take
from tests.demo.week import DAY, week
from tests.demo.wire import Wire

DENIED = "Not before the accountant has exported the year. Ask again on Monday, with the ticket."
APPROVED = "Count agrees with the dashboard, and both reminders were sent. Go ahead."
IMPORTS = "Failed imports only; they come again with the next delivery."


class Filled(msgspec.Struct):
    """What was sent, for the trickle to go on from and for tests to look for."""

    traces: dict[str, Take]  # by id
    titles: dict[str, str]  # id by title
    waiting: list[Playing]
    notes: int
    reported: bool


def fill(
    wire: Wire, people: People, seed: int, days: float, *, until: float = 0, say: Callable[[str], Any] = print
) -> Filled:
    """Takes a quarter of a minute, some of it waiting for what is played in real time."""
    until = until or time.time()
    takes = week(seed, until, days)
    traces = {wire.send(take): take for take in takes}
    titles = {take.title: trace for trace, take in traces.items() if take.title}
    say(f"  {len(takes)} runs of four agents in {days:g} days: sent, redacting and judging")
    unended = f"{random.Random(f'{seed}/unended').getrandbits(128):032x}"
    at = until - 0.31 * days * DAY
    people.began(
        unended, unended[:16], at, "nightly backup check", "Compare last night's backup with the shop's tables."
    )
    titles["never ended"] = unended
    wire.flush()
    say("  decisions: asking before acting, and answering")
    waiting = _decisions(wire, people, seed)
    wire.flush()
    notes = people.judge(titles)
    people.ask_why(titles["unasked"], {"rule": "bulk-delete-prevention"}, wait=20)
    people.ask_why(titles["refund lost"], {"error": True}, wait=20)
    people.ask_why(titles["slow page"], {"measure": "duration"})
    reported = people.report(until - days * DAY, time.time())
    return Filled(traces, titles, waiting, notes, reported)


def _decisions(wire: Wire, people: People, seed: int) -> list[Playing]:
    """Played now, because the server's own clock stands in a decision. Returns those that wait for a person."""
    dice = random.Random(f"{seed}/decisions")
    now = time.time()
    plans = [
        (operations.asking(dice, now, 0, "approve", APPROVED), 0.0),
        (operations.asking(dice, now, 1, "deny", DENIED), 0.0),
        (operations.asking(dice, now, 3, "approve", IMPORTS), 0.0),
        (operations.asking(dice, now, 2, None), 0.0),
        (coding.runaway(dice, now, waits=True), 0.0),
    ]
    plans[3][0].title = "waiting"
    # The costly one began a while ago: only its question is of now.
    plans[4] = (plans[4][0], next(piece.start for piece in plans[4][0].pieces if piece.ask))
    playing = [Playing(take, wire, people, now - ahead) for take, ahead in plans]
    while not all(one.over or one.waits for one in playing):
        for one in playing:
            if not one.waits:
                one.advance(time.time())
        time.sleep(0.05)
    return [one for one in playing if one.waits]
