"""The smallest sets of players without whom the outcome does not come about."""

from __future__ import annotations

from collections.abc import Callable, Iterable

# More alternatives than this tell a reader nothing; the result says when there may be more.
MAX_SETS = 20
MAX_SEARCHES = 60


class Exhausted(Exception):
    """Asking on would take too long; what was found so far holds."""


Gone = Callable[[frozenset[int]], bool]  # whether the outcome is gone without these players


def of_table(table: list[int], count: int) -> list[frozenset[int]]:
    """All of them, from the value of every set of players left."""
    everyone = (1 << count) - 1
    found: list[int] = []
    for taken in sorted(range(1, everyone + 1), key=lambda taken: (taken.bit_count(), taken)):
        if table[everyone ^ taken] == 0 and not any(taken & smaller == smaller for smaller in found):
            found.append(taken)
    return [frozenset(at for at in range(count) if taken >> at & 1) for taken in found]


def search(players: Iterable[int], singles: Iterable[int], gone: Gone) -> tuple[list[frozenset[int]], bool]:
    """Single players first, as they were found; then, among the others, sets by delta debugging, and alternatives to
    each by leaving out one of its members at a time. Also whether the search ended by itself."""
    found = [frozenset((one,)) for one in singles]
    # The latest first: what happened last is nearest to the outcome, and debugging keeps what it tries first.
    rest = [player for player in sorted(players, reverse=True) if frozenset((player,)) not in found]
    waiting: list[frozenset[int]] = [frozenset()]  # members not to use
    tried: set[frozenset[int]] = set()
    searches = 0
    while waiting and searches < MAX_SEARCHES and len(found) < MAX_SETS:
        without = waiting.pop(0)
        if without in tried:
            continue
        tried.add(without)
        known = next((one for one in found if len(one) > 1 and not one & without), None)
        if known is None:
            left = [player for player in rest if player not in without]
            searches += 1
            try:
                if not left or not gone(frozenset(left)):
                    continue
                known = frozenset(reduced(left, gone))
            except Exhausted:
                return found, False
            if known not in found:
                found.append(known)
        waiting += [without | {member} for member in sorted(known)]
    return found, not waiting


def reduced(players: list[int], gone: Gone) -> list[int]:
    """Those of the players who all must go so that the outcome is gone: no single one can stay. Zeller's ddmin."""
    parts = 2
    while len(players) > 1:
        size = -(-len(players) // parts)
        chunks = [players[at : at + size] for at in range(0, len(players), size)]
        smaller = next((chunk for chunk in chunks if gone(frozenset(chunk))), None)
        if smaller is not None:
            players, parts = smaller, 2
            continue
        dropped = map(set, reversed(chunks if len(chunks) > 2 else []))
        others = ([p for p in players if p not in drop] for drop in dropped)
        smaller = next((rest for rest in others if gone(frozenset(rest))), None)
        if smaller is not None:
            players, parts = smaller, max(parts - 1, 2)
        elif parts >= len(players):
            break
        else:
            parts = min(len(players), parts * 2)
    return players
