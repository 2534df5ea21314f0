# ruff: noqa: E501 - one sentence a line
"""The research analyst: asks several sources at once, ranks what they say, and answers with citations."""

from __future__ import annotations

import random

from tests.demo.models import FLASH, GEMINI, GPT5, LOCAL
from tests.demo.piece import Failure
from tests.demo.take import Take
from tests.demo.talk import Talk

AGENT = "research-analyst"
SYSTEM = (
    "You are the research analyst of Nordfell. Plan two or three searches, read what they bring, and answer in at most "
    "120 words. Every claim carries the number of its source in brackets."
)
# Question, searches, sources (title, address, what it says), answer with citations.
_Topic = tuple[str, tuple[str, ...], tuple[tuple[str, str, str], ...], str]
TOPICS: tuple[_Topic, ...] = (
    (
        "How do our prices for two-person tents compare with the four largest Nordic competitors?",
        (
            "two person tent price Nordic retailers autumn 2026",
            "Skarvet 2 tent review comparison",
            "tent price index Sweden Norway",
        ),
        (
            (
                "Price watch: tents, week 46",
                "https://pricewatch.example/tents/2026-46",
                "The median of 38 two-person tents in four Nordic shops is 449 euros; the lowest 279, the highest 799.",
            ),
            (
                "Fjellnytt tests nine tents",
                "https://fjellnytt.example/tests/tents",
                "Skarvet 2 came third of nine: light, quick to pitch, a little narrow at the feet.",
            ),
            (
                "Internal: price list autumn 2026",
                "https://wiki.nordfell.example/prices",
                "Skarvet 2: 429 euros, margin 41 percent, no discount planned before January.",
            ),
        ),
        "Skarvet 2 at 429 € stands 4 % below the median of 449 € over 38 tents in four Nordic shops [1]. It came third of nine in the latest test, praised for weight and criticised for its foot end [2]. With a margin of 41 % and no discount before January [3], there is room to follow a price cut of up to 30 €.",
    ),
    (
        "Which new rules for fluorinated coatings touch our rain jackets next year?",
        (
            "PFAS restriction outdoor textiles EU 2027",
            "Denmark PFAS clothing ban date",
            "fluorine-free membrane durability",
        ),
        (
            (
                "Restriction of PFAS in textiles, overview",
                "https://textilelaw.example/pfas",
                "Denmark's ban on PFAS in clothing and shoes has applied since July 2026; France's since January 2026.",
            ),
            (
                "Membranes without fluorine, three years on",
                "https://labreport.example/membranes",
                "After 40 washes the fluorine-free laminates kept 82 to 91 percent of their water column.",
            ),
            (
                "Internal: materials 2026",
                "https://wiki.nordfell.example/materials",
                "Regnbue: membrane without PFAS since spring 2025. Stein: repellent finish C6 until stock ends.",
            ),
        ),
        "France's and Denmark's bans apply already, since January and July 2026 [1]. Regnbue has been free of PFAS since spring 2025, but Stein trousers still carry a C6 finish until the stock ends [3], and may not be sold in Denmark. Fluorine-free laminates kept 82 to 91 % of their water column after 40 washes [2].",
    ),
    (
        "Why did returns of hiking boots rise in October?",
        ("boot returns October reasons", "Ur hiking boots size complaints", "size chart change September 2026"),
        (
            (
                "Returns dashboard, October",
                "https://bi.nordfell.example/returns/2026-10",
                "Boots: 11.8 percent returned, against 7.9 in September; 64 percent of them say 'too small'.",
            ),
            (
                "Change log of the shop",
                "https://wiki.nordfell.example/shop/changes",
                "14 September: size charts moved to the new template; EU and UK columns of boots were swapped until 29 October.",
            ),
            (
                "Reviews of Ur hiking boots",
                "https://reviews.nordfell.example/NF-BTS-14",
                "Nine reviews since September mention that the boots are a size too small.",
            ),
        ),
        "Returns of boots rose from 7.9 % to 11.8 %, and 64 % of them say 'too small' [1]. On 14 September the EU and UK columns of the boots' size chart were swapped, and stayed so until 29 October [2]; nine reviews of that time complain about one size [3]. The rise should end with November's orders.",
    ),
    (
        "What would it take to offer repairs in our Berlin shop?",
        (
            "textile repair workshop requirements Germany",
            "repair index outdoor shops Berlin",
            "sewing machine rental price industrial",
        ),
        (
            (
                "Starting a repair workshop",
                "https://handwerk.example/aenderung",
                "Alterations are a craft without a licence; a notice to the chamber is enough. Electrical checks are due yearly.",
            ),
            (
                "Repair cafés and shops in Berlin",
                "https://repair-berlin.example/map",
                "Eleven outdoor shops in Berlin offer repairs; the median wait is 12 days.",
            ),
            (
                "Internal: repairs in Gothenburg",
                "https://wiki.nordfell.example/repairs",
                "2,140 repairs in the last year, 31 percent from Germany, mean cost 23 euros, of which 9 for postage.",
            ),
        ),
        "A workshop needs a notice to the chamber and a yearly electrical check, and no licence [1]. Of 2,140 repairs a year 31 % come from Germany at a mean of 23 €, 9 € of which are postage [3], so about 6,000 € a year could be saved. Eleven shops in Berlin compete with a median wait of 12 days [2].",
    ),
    (
        "Summarise what hut owners in Jotunheimen say about the demand for rental gear.",
        ("Jotunheimen hut rental equipment demand", "interviews hut wardens gear rental", "DNT equipment rental 2026"),
        (
            (
                "Interviews with hut wardens, summer 2026",
                "https://wiki.nordfell.example/interviews/huts",
                "Seven of nine wardens were asked for sleeping bags every day in July; five for rain jackets.",
            ),
            (
                "Visitor numbers 2026",
                "https://parks.example/jotunheimen/2026",
                "Overnight stays rose by 9 percent; 46 percent of guests came from abroad.",
            ),
            (
                "Rental at trailheads, a pilot",
                "https://outdoorbusiness.example/pilot",
                "A pilot with 60 sets paid for itself in the second summer; cleaning was the largest cost.",
            ),
        ),
        "Seven of nine wardens were asked for sleeping bags every day in July, five for rain jackets [1]. Overnight stays rose by 9 %, and 46 % of guests come from abroad and fly in without gear [2]. A pilot with 60 sets paid for itself in its second summer; cleaning was its largest cost [3].",
    ),
)
CRAWL = Failure(
    "ReadTimeout",
    "https://pricewatch.example/tents/2026-46 sent nothing for 20 s",
    'Traceback (most recent call last):\n  File "/srv/analyst/crawl.py", line 57, in fetch_page\n    return await client.get(url)\n  File "/srv/analyst/http.py", line 22, in get\n    raise ReadTimeout(f"{url} sent nothing for 20 s")',
)


def question(
    dice: random.Random, at: float, *, cited: bool = True, slow: bool = False, failing: bool = False, lost: bool = False
) -> Take:
    """A plan, searches beside each other, a ranking, two sub-agents, an answer."""
    asked, searches, sources, told = dice.choice(TOPICS)
    if failing:
        asked, searches, sources, told = TOPICS[0]
    take = Take(AGENT, at, dice, user=dice.choice(("analyst-lena", "analyst-viktor", "analyst-amira")))
    take.lost_root = lost
    with take.working(asked) as answer:
        with take.within("plan", {"gen_ai.operation.name": "plan"}):
            plan = Talk("Split the question into searches. One a line.", asked, overhead=300)
            take.chat(plan, FLASH, "\n".join(searches))
        talk = Talk(SYSTEM, asked, overhead=2_200)
        ids = take.chat(talk, GEMINI, "", [("web_search", {"query": query}) for query in searches])

        def search(number: int) -> None:
            title, url, words = sources[number]
            result = [{"n": number + 1, "title": title, "url": url, "snippet": words}]

            def inside() -> None:
                hits = [
                    {"id": f"doc-{number}{k}", "score": round(0.91 - k * 0.07, 2), "title": title, "content": words}
                    for k in range(3)
                ]
                take.retrieve("web-cache", searches[number], hits)
                took = 47.6 if slow and number == 1 else dice.uniform(0.6, 2.6)
                if failing and number == 0:
                    take.tool("fetch_page", {"url": url}, None, 20.02, failure=CRAWL)
                    take.wait(0.9, 1.2)
                take.tool("fetch_page", {"url": url}, {"status": 200, "bytes": dice.randrange(20_000, 400_000)}, took)

            take.tool(
                "web_search",
                {"query": searches[number]},
                result,
                call=ids[number],
                talk=talk,
                inside=inside,
                weight=dice.randrange(2_500, 9_000),
            )

        take.together(*(lambda n=n: search(n) for n in range(3)))
        take.step("rerank", dice.uniform(0.1, 0.3), {
            "openinference.span.kind": "RERANKER", "reranker.model_name": "rerank-v3.5", "reranker.query": asked, "reranker.top_k": 3,
        })  # fmt: skip
        if lost:
            return take
        take.together(lambda: _digest(take, sources), lambda: _check(take, sources, told))
        said = told if cited else told.replace(" [1]", "").replace(" [2]", "").replace(" [3]", "")
        take.chat(talk, GPT5, said)
        answer(said)
    return take


def _digest(take: Take, sources: tuple[tuple[str, str, str], ...]) -> None:
    asked = "Digest: " + sources[0][0]
    with take.working(asked, "digest-writer") as answer:
        talk = Talk("Summarise in one sentence; keep numbers as they are.", sources[0][2], overhead=90)
        take.chat(talk, LOCAL, sources[0][2])
        answer(sources[0][2])


def _check(take: Take, sources: tuple[tuple[str, str, str], ...], told: str) -> None:
    asked = "Do the sources say this?"
    verdict = f"All {len(sources)} sources are quoted correctly [1][2][3]."
    with take.working(asked, "fact-checker") as answer:
        talk = Talk(
            "Compare each claim with its source.",
            "Sources:\n" + "\n".join(s[2] for s in sources) + "\n\nClaims:\n" + told,
            overhead=150,
        )
        take.chat(talk, FLASH, verdict)
        answer(verdict)
