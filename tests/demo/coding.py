# ruff: noqa: E501 - one sentence a line
"""The coding agent: mends tickets in the shop's code; mostly well, now and then in circles, and once at great cost."""

from __future__ import annotations

import random

from tests.demo.models import CODESTRAL, OPUS, SONNET, Model
from tests.demo.piece import Ask, Failure
from tests.demo.take import Take
from tests.demo.talk import Talk

AGENT = "code-smith"
SYSTEM = (
    "You are the coding agent of Nordfell's shop team. Read before you write, run the tests after each change, and stop "
    "after three failed attempts to ask for help. Open a pull request when the tests pass."
)
# Ticket, file, what is wrong, the change, a failing test.
TICKETS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "SHOP-2217: shipping costs are charged twice for split orders",
        "shop/shipping/costs.py",
        "for parcel in order.parcels:\n    total += rate(order)",
        "for parcel in order.parcels:\n    total += rate(parcel)",
        "tests/shipping/test_costs.py::test_a_split_order_pays_once",
    ),
    (
        "SHOP-2231: the size chart shows UK sizes in the EU column",
        "shop/catalog/sizes.py",
        'COLUMNS = ("uk", "eu")',
        'COLUMNS = ("eu", "uk")',
        "tests/catalog/test_sizes.py::test_columns_of_boots",
    ),
    (
        "SHOP-2240: vouchers expire at midnight UTC instead of local time",
        "shop/vouchers/expiry.py",
        "return voucher.until < utcnow().date()",
        "return voucher.until < now_in(order.zone).date()",
        "tests/vouchers/test_expiry.py::test_late_evening_in_lisbon",
    ),
    (
        "SHOP-2248: search drops umlauts",
        "shop/search/fold.py",
        "text.encode('ascii', 'ignore')",
        "unicodedata.normalize('NFKD', text)",
        "tests/search/test_fold.py::test_rucksaecke",
    ),
    (
        "SHOP-2256: the cart forgets its lines after signing in",
        "shop/cart/merge.py",
        "cart = account.cart or guest.cart",
        "cart = merged(account.cart, guest.cart)",
        "tests/cart/test_merge.py::test_both_carts_have_lines",
    ),
)


def _failing(test: str, count: int = 1) -> Failure:
    return Failure(
        "CommandFailed",
        f"pytest exited with 1: {count} failed, 214 passed ({test})",
        'Traceback (most recent call last):\n  File "/srv/smith/shell.py", line 39, in run\n    raise CommandFailed(f"{name} exited with {code}: {tail}")',
    )


def ticket(dice: random.Random, at: float, *, tries: int = 0, slow: bool = False, leaked: bool = False) -> Take:
    """Reads, changes, tests, opens a pull request. `tries`: so many changes did not pass the tests first; after three it gives up."""
    title, path, wrong, right, test = dice.choice(TICKETS)
    number = title.partition(":")[0]
    take = Take(AGENT, at, dice, user=dice.choice(("dev-oskar", "dev-yuki", "dev-fatou")))
    told = (
        f"{number} is mended in {path}; the test that failed passes. Pull request #{dice.randrange(900, 1400)} is open."
    )
    with take.working(title, title=number) as answer:
        talk = Talk(SYSTEM, title, overhead=5200)
        take.use(
            talk,
            SONNET,
            "grep",
            {"pattern": wrong.split("\n")[0][:40], "path": "shop/"},
            [f"{path}:{dice.randrange(20, 90)}"],
        )
        take.use(
            talk,
            SONNET,
            "read_file",
            {"path": path},
            f"… {dice.randrange(80, 300)} lines …\n{wrong}\n…",
            weight=dice.randrange(900, 3200),
        )
        if leaked:
            env = "DATABASE_URL=postgres://shop@db.nordfell.example/shop\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nAWS_REGION=eu-north-1"
            take.use(
                talk,
                SONNET,
                "read_file",
                {"path": ".env"},
                env,
                says="The test reads its settings from the environment. I look at .env.",
            )
        for attempt in range(tries):
            take.use(
                talk,
                SONNET,
                "edit_file",
                {"path": path, "old": wrong, "new": f"{wrong}  # attempt {attempt + 1}"},
                {"changed": 1},
            )
            take.use(
                talk,
                SONNET,
                "run_tests",
                {"select": test.partition("::")[0]},
                None,
                dice.uniform(6, 15),
                failure=_failing(test),
            )
        if tries == 3:
            told = f"Three changes did not make {test} pass. I stop here; my notes are in {number}."
            take.chat(talk, SONNET, told)
            answer(told)
            take.fail(Failure("GaveUp", f"{number}: three changes, and {test} still fails"))
            return take
        with take.within("write change"):
            part = Talk("Complete the code.", f"{path}\n{wrong}\n# should be:", overhead=600)
            take.chat(part, CODESTRAL, right)
        take.use(talk, SONNET, "edit_file", {"path": path, "old": wrong, "new": right}, {"changed": 1})
        took = 74.0 if slow else dice.uniform(5, 16)
        take.use(talk, SONNET, "run_tests", {"select": test.partition("::")[0]}, {"passed": 215, "failed": 0}, took)
        take.use(
            talk,
            SONNET,
            "open_pull_request",
            {"title": title, "branch": number.lower(), "base": "main"},
            {"state": "open"},
        )
        take.chat(talk, SONNET, told)
        answer(told)
    return take


def circle(dice: random.Random, at: float) -> Take:
    """The same call, the same error, twenty-six times, until its own limit ends it."""
    title, path, wrong, _, test = TICKETS[2]
    take = Take(AGENT, at, dice, user="dev-yuki")
    flaky = Failure("ConnectionRefusedError", "could not connect to clock.nordfell.example:123", _failing(test).trace)
    with take.working(title, title=title.partition(":")[0]) as answer:
        talk = Talk(SYSTEM, title, overhead=14_000)
        take.use(talk, SONNET, "read_file", {"path": path}, f"… 144 lines …\n{wrong}\n…", weight=2600)
        for _ in range(26):
            take.use(
                talk,
                SONNET,
                "run_tests",
                {"select": test},
                None,
                dice.uniform(2, 4),
                failure=flaky,
                weight=640,
                says="The connection was refused. I try again.",
            )
        told = "I could not get the tests to run, and stop after 26 attempts."
        take.chat(talk, SONNET, told)
        answer(told)
        take.fail(
            Failure("TooManySteps", "stopped after 26 calls of run_tests with the same arguments and the same error")
        )
    return take


def _read_all(take: Take, talk: Talk, model: Model, files: int) -> None:
    for number in range(files):
        name = f"shop/legacy/module_{number + 1:02}.py"
        take.use(
            talk,
            model,
            "read_file",
            {"path": name},
            f"… {take.dice.randrange(300, 900)} lines …",
            weight=take.dice.randrange(3_000, 5_200),
        )


def runaway(dice: random.Random, at: float, *, waits: bool = False) -> Take:
    """Reads the whole code base into the largest model, with a context that only grows.

    `waits`: asks whether it may go on when the budget is used up, and stands still until somebody answers.
    """
    asked = "Find out why the nightly export is slow." if waits else "Add type annotations to shop/legacy."
    take = Take(AGENT, at, dice, user="dev-oskar")
    with take.working(asked, title="slow export" if waits else "annotate shop/legacy") as answer:
        talk = Talk(SYSTEM, asked, overhead=9000)
        _read_all(take, talk, OPUS, 31 if waits else 36)
        if waits:
            take.ask(Ask("read_file", {"path": "shop/legacy/export.py"}), 4)
            take.use(talk, OPUS, "read_file", {"path": "shop/legacy/export.py"}, "… 388 lines …", weight=4000)
            told = (
                "The export sorts each page of rows again. An index on (day, id) makes it a scan: 41 minutes become 2."
            )
        else:
            told = "Annotated 36 of 61 modules. The rest needs another run."
        take.chat(talk, OPUS, told)
        answer(told)
    return take


def migration(dice: random.Random, at: float, modules: int = 30) -> Take:
    """A large run: a sub-agent for each module, six beside each other, some with a second attempt. A few hundred spans."""
    asked = f"Move the {modules} modules of shop/legacy from requests to httpx, with tests."
    take = Take(AGENT, at, dice, user="dev-fatou")
    with take.working(asked, title="requests to httpx") as answer:
        talk = Talk(SYSTEM, asked, overhead=5200)
        take.use(talk, SONNET, "list_files", {"path": "shop/legacy"}, [f"module_{n + 1:02}.py" for n in range(modules)])
        plan = f"Six at a time, {modules // 6} rounds; each module with its tests, then all tests once."
        take.chat(talk, SONNET, plan)
        for first in range(0, modules, 6):
            with take.within(f"round {first // 6 + 1}"):
                take.together(*(lambda n=n: _module(take, dice, n) for n in range(first, min(first + 6, modules))))
        take.use(talk, SONNET, "run_tests", {"select": "tests"}, {"passed": 1180, "failed": 0}, 26.5)
        told = f"All {modules} modules use httpx now; 1,180 tests pass."
        take.chat(talk, SONNET, told)
        answer(told)
    return take


def _module(take: Take, dice: random.Random, number: int) -> None:
    path = f"shop/legacy/module_{number + 1:02}.py"
    test = f"tests/legacy/test_module_{number + 1:02}.py"
    with take.working(f"Move {path} to httpx.", "module-worker") as answer:
        talk = Talk("Change one module. Run its tests.", f"Move {path} to httpx.", overhead=1300)
        take.use(talk, SONNET, "read_file", {"path": path}, "import requests\n…", weight=1500)
        if dice.random() < 0.3:
            take.use(
                talk,
                SONNET,
                "edit_file",
                {"path": path, "old": "requests.get(", "new": "httpx.get("},
                {"changed": dice.randrange(1, 9)},
            )
            take.use(talk, SONNET, "run_tests", {"select": test}, None, dice.uniform(1, 3), failure=_failing(test))
        take.use(
            talk, SONNET, "edit_file", {"path": path, "old": "import requests", "new": "import httpx"}, {"changed": 1}
        )
        take.use(
            talk,
            SONNET,
            "run_tests",
            {"select": test},
            {"passed": dice.randrange(6, 40), "failed": 0},
            dice.uniform(1, 4),
        )
        answer(f"{path} is done.")
