"""What happened in the week: which agent was asked for what, and when. A function of the seed, the end and the days."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from tests.demo import coding, operations, research, support
from tests.demo.take import Take

DAY = 86_400.0
# How busy each hour of a day is (UTC), customers and colleagues; a weekend is quieter, and colleagues stay at home.
CUSTOMERS = (1, 0, 0, 0, 0, 1, 3, 6, 9, 10, 9, 8, 7, 8, 9, 9, 8, 7, 8, 9, 8, 5, 3, 2)
OFFICE = (0, 0, 0, 0, 0, 0, 1, 6, 9, 10, 9, 5, 6, 9, 9, 8, 5, 2, 1, 1, 0, 0, 0, 0)
WEEKEND_CUSTOMERS, WEEKEND_OFFICE = 0.6, 0.1
SESSIONS, QUESTIONS, TICKETS = 40, 8, 9  # of a working day


def week(seed: int, until: float, days: float = 7) -> list[Take]:
    """All takes of the time before `until` (seconds since 1970), earliest first."""
    takes: list[Take] = []
    for number in range(int(days * 24 + 0.999)):
        dice = random.Random(f"{seed}/hour/{number}")
        takes += _hour(dice, until - (number + 1) * 3600, number)
    takes += _remarkable(seed, until, days)
    first, last = until - days * DAY, until - 90
    return sorted((t for t in takes if first <= t.at and t.at + t.seconds < last), key=lambda t: t.at)


def _hour(dice: random.Random, begins: float, number: int) -> list[Take]:
    moment = datetime.fromtimestamp(begins, UTC)
    weekend = moment.weekday() >= 5
    customers = CUSTOMERS[moment.hour] / sum(CUSTOMERS) * (WEEKEND_CUSTOMERS if weekend else 1)
    office = OFFICE[moment.hour] / sum(OFFICE) * (WEEKEND_OFFICE if weekend else 1)
    if number < 2:  # whoever looks at the last hour shall find something, at night too
        customers, office = max(customers, 0.12), max(office, 0.15)

    def at() -> float:
        return begins + dice.uniform(0, 3599)

    takes: list[Take] = []
    for n in range(_count(dice, SESSIONS * customers)):
        (scene,) = dice.choices([s for s, _ in support.USUAL], [w for _, w in support.USUAL])
        takes += scene(dice, at(), f"c-{moment:%d}{number:03}{n}")
    for _ in range(_count(dice, QUESTIONS * office)):
        takes.append(research.question(dice, at(), cited=dice.random() > 0.06))
    for _ in range(_count(dice, TICKETS * office)):
        takes.append(coding.ticket(dice, at(), tries=dice.choices((0, 1, 2, 3), (12, 6, 2, 1))[0]))
    if moment.hour % 2 == 0:
        takes.append(operations.stock(dice, begins + 60 + dice.random() * 20, locked=dice.random() < 0.05))
    if moment.hour in (9, 15) and not weekend:
        takes.append(operations.supplier(dice, at(), broken=dice.random() < 0.15))
    if moment.hour == 2:
        takes.append(operations.duplicates(dice, begins + 600))
    if moment.hour == 6:
        takes.append(operations.report(dice, begins + 1800))
    return takes


def _count(dice: random.Random, mean: float) -> int:
    return int(mean) + (dice.random() < mean % 1)


def _remarkable(seed: int, until: float, days: float) -> list[Take]:
    """What a reader of the dashboard shall find: at a share of the time before now, so that a short week has it too."""
    found: list[Take] = []

    def once(title: str, ago: float, make: Callable[[random.Random, float], Take | list[Take]]) -> None:
        dice = random.Random(f"{seed}/{title}")
        made = make(dice, until - ago * days * DAY / 7 - 1200)
        made = made if isinstance(made, list) else [made]
        made[-1].title = title
        found.extend(made)

    once("refund lost", 0.04, lambda d, at: support.damaged(d, at, f"c-{seed}-lost", outage="lost"))
    once("refund retried", 1.3, lambda d, at: support.damaged(d, at, f"c-{seed}-retried", outage="retried"))
    once("refund retried again", 4.6, lambda d, at: support.damaged(d, at, f"c-{seed}-again", outage="retried"))
    once("refund lost before", 5.2, lambda d, at: support.damaged(d, at, f"c-{seed}-before", outage="lost"))
    once("card", 0.5, lambda d, at: support.card(d, at, f"c-{seed}-card"))
    once("second card", 3.4, lambda d, at: support.card(d, at, f"c-{seed}-second"))
    once("injection", 0.9, lambda d, at: support.injected(d, at, f"c-{seed}-review"))
    once("uncited support", 2.1, lambda d, at: support.uncited(d, at, f"c-{seed}-uncited"))
    once("uncited", 1.1, lambda d, at: research.question(d, at, cited=False))
    once("slow page", 0.3, lambda d, at: research.question(d, at, slow=True))
    once("page timed out", 2.4, lambda d, at: research.question(d, at, failing=True))
    once("lost root", 0.7, lambda d, at: research.question(d, at, lost=True))
    once("unasked", 0.6, lambda d, at: operations.unasked(d, at, 3))
    once("unasked before", 4.2, lambda d, at: operations.unasked(d, at, 4))
    once("export", 1.9, operations.export)
    once("locked", 0.2, lambda d, at: operations.stock(d, at, locked=True))
    once("leaked", 0.8, lambda d, at: coding.ticket(d, at, leaked=True))
    once("slow tests", 2.8, lambda d, at: coding.ticket(d, at, slow=True, tries=2))
    once("circle", 1.6, coding.circle)
    once("runaway", 3.1, coding.runaway)
    once("migration", 0.15, coding.migration)
    return found
