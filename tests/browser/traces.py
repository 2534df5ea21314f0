"""The traces that the pages are looked at with: calm, broken, large, hostile, running."""

from __future__ import annotations

import json
import time
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.http.otlp import attribute, span

MS = 1_000_000
LONG_NAME = ("collect the figures of every subsidiary for every quarter and compare them with the plan " * 3)[:200]
RTL_NAME = "مراجعة طلب استرداد العميل"
SCRIPT = "<script>window.__pwned = 'script'; alert('script')</script>"
IMAGE = "<img src=x onerror=\"window.__pwned = 'image'; alert('image')\">"
BREAKOUT = '"\'></title></textarea><svg onload="window.__pwned = \'svg\'"><a href="javascript:alert(1)" autofocus>'
HOSTILE = (SCRIPT, IMAGE, BREAKOUT, "${7*7}{{7*7}}<%= 7*7 %>")
BIG = 3_000
PINGS = 70


def trace_id(number: int) -> str:
    """A trace id that is easy to recognise."""
    return f"{0xAB00 + number:032x}"


def span_id(number: int) -> str:
    """The id of a trace's span of that number."""
    return f"{number:016x}"


def step(
    trace: str,
    number: int,
    parent: int | None,
    name: str,
    began: int,
    took_ms: int | None,
    error: str = "",
    **attributes: Any,
) -> Span:
    """One span; names of attributes are given with __ for the dot. `took_ms=None`: it has not ended."""
    one = span(
        trace,
        number,
        name=name,
        start_time_unix_nano=began,
        end_time_unix_nano=0 if took_ms is None else began + took_ms * MS,
        parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
    )
    for key, value in attributes.items():
        sent = value if isinstance(value, str | int | float | bool) else json.dumps(value, ensure_ascii=False)
        attribute(one, key.replace("__", "."), sent)
    if error:
        one.status.code = 2
        one.status.message = error
    return one


def said(role: str, text: str) -> dict[str, Any]:
    """A message as the GenAI conventions write it."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def agent(name: str, **more: Any) -> dict[str, Any]:
    """Attributes of an agent's span."""
    return {"gen_ai__operation__name": "invoke_agent", "gen_ai__agent__name": name, **more}


def small(now: int, trace: str) -> list[Span]:
    """Three spans, all well."""
    ask, reply = said("user", "What should I wear in Oslo?"), said("assistant", "A warm waterproof jacket.")
    return [
        step(trace, 1, None, "weather-assistant", now, 3400, **agent("weather-assistant", session__id="sess-weather")),
        step(trace, 2, 1, "execute_tool get_forecast", now + 100 * MS, 800, **tool("get_forecast", {"city": "Oslo"})),
        step(trace, 3, 1, "chat gpt-4.1-mini", now + 1000 * MS, 2300, **chat([ask], [reply])),
    ]


def tool(name: str, arguments: object, result: object = None) -> dict[str, Any]:
    """Attributes of a tool's call."""
    found: dict[str, Any] = {
        "gen_ai__operation__name": "execute_tool",
        "gen_ai__tool__name": name,
        "gen_ai__tool__call__id": "call_1",
        "gen_ai__tool__call__arguments": arguments,
    }
    return found if result is None else found | {"gen_ai__tool__call__result": result}


def chat(asked: list[Any], answered: list[Any]) -> dict[str, Any]:
    """Attributes of a model's call."""
    return {
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "gpt-4.1-mini",
        "gen_ai__provider__name": "openai",
        "gen_ai__usage__input_tokens": 812,
        "gen_ai__usage__output_tokens": 64,
        "gen_ai__input__messages": asked,
        "gen_ai__output__messages": answered,
    }


def broken(now: int, trace: str) -> list[Span]:
    """Two tools fail; the first of them is what matters."""
    ask = said("user", "My order 88213 arrived broken. I want my money back.")
    answer = said("assistant", "I could not reach the ledger.")
    return [
        step(
            trace, 1, None, "refund-agent", now, 9000, "gave up", **agent("refund-agent"), **said_by_root(ask, answer)
        ),
        step(trace, 2, 1, "chat gpt-4.1-mini", now + 100 * MS, 2000, **chat([ask], [said("assistant", "I look.")])),
        step(trace, 3, 1, "execute_tool get_order", now + 2200 * MS, 500, **tool("get_order", {"id": 1}, {"ok": True})),
        step(
            trace,
            4,
            1,
            "execute_tool query_ledger",
            now + 2800 * MS,
            5000,
            "The ledger did not answer within 5 s",
            **tool("query_ledger", {"sql": "SELECT 1"}),
            error__type="ToolTimeout",
        ),
        step(trace, 5, 1, "execute_tool notify", now + 8000 * MS, 200, "no channel", **tool("notify", {"to": "ops"})),
        step(trace, 6, 1, "chat gpt-4.1-mini", now + 8300 * MS, 600, **chat([ask, answer], [answer])),
    ]


def said_by_root(ask: object, answer: object) -> dict[str, Any]:
    """What the agent was asked and what it said."""
    return {"gen_ai__input__messages": [ask], "gen_ai__output__messages": [answer]}


def big(now: int, trace: str) -> list[Span]:
    """3,000 spans: 30 rounds of 99 calls; one of the last fails."""
    spans = [step(trace, 1, None, "crawler", now, 60_000, **agent("crawler"))]
    number, parent = 1, 1
    while len(spans) < BIG:
        number += 1
        at = now + number * 15 * MS
        if number % 100 == 2:
            parent = number
            spans.append(step(trace, number, 1, f"round {number // 100 + 1}", at, 1400))
        else:
            failed = "404 from the site" if number == 2800 else ""
            spans.append(step(trace, number, parent, f"fetch page {number}", at, 12, failed, **tool("fetch", {"n": 1})))
    return spans


def long(now: int, trace: str) -> list[Span]:
    """Names and values of great length, with and without places to break."""
    return [
        step(trace, 1, None, LONG_NAME, now, 500, **agent("A" * 200, session__id="s" * 200, user__id="u" * 200)),
        step(trace, 2, 1, "W" * 200, now + 10 * MS, 100, "E" * 600, **tool("t" * 200, {"k" * 200: "v" * 3000})),
    ]


def rtl(now: int, trace: str) -> list[Span]:
    """Right-to-left texts in every place."""
    talk = said("user", RTL_NAME)
    return [
        step(trace, 1, None, RTL_NAME, now, 700, **agent("وكيل"), **said_by_root(talk, talk), session__id="جلسة"),
        step(trace, 2, 1, RTL_NAME, now + 20 * MS, 300, RTL_NAME, **tool("أداة", {"مفتاح": RTL_NAME})),
    ]


def hostile(now: int, trace: str) -> list[Span]:
    """Markup and scripts wherever a client can put a text."""
    evil = SCRIPT + IMAGE + BREAKOUT
    talk = [said("user", evil), said(evil, evil)]
    root = step(
        trace, 1, None, evil, now, 900, evil, **agent(IMAGE, session__id=evil, user__id=evil), **said_by_root(*talk)
    )
    spans = [attribute(root, evil, evil)]
    for i, name in enumerate(HOSTILE, 2):
        values = tool(name, {name: [evil, {evil: evil}]}, evil) if i % 2 else chat(talk, talk)
        one = step(trace, i, 1, name, now + i * MS, 10, name, **values, error__type=name)
        one.trace_state = evil
        event = one.events.add(name=evil, time_unix_nano=now)
        event.attributes.add(key="exception.stacktrace").value.string_value = evil
        event.attributes.add(key=evil).value.string_value = evil
        spans.append(one)
    return spans


def running(now: int, trace: str) -> list[Span]:
    """The agent has not ended yet."""
    return [
        step(trace, 1, None, "night-watch", now, None, **agent("night-watch")),
        step(trace, 2, 1, "execute_tool look", now + 5 * MS, 90, **tool("look", {"at": "door"}, "closed")),
    ]


def pings(now: int) -> list[Span]:
    """Small traces that fill the list, each two minutes older, so that some are older than an hour."""
    return [
        step(trace_id(1000 + n), 1, None, f"ping {n}", now - n * 120_000 * MS, 40, **agent("pinger"))
        for n in range(1, PINGS + 1)
    ]


NAMED = {
    "small": small,
    "broken": broken,
    "big": big,
    "long": long,
    "rtl": rtl,
    "hostile": hostile,
    "running": running,
}
IDS = {name: trace_id(number) for number, name in enumerate(NAMED, 1)}


def everything() -> list[list[Span]]:
    """All of them, one request each; the first named is the newest."""
    now = time.time_ns() - 90_000 * MS
    return [make(now - i * 1000 * MS, IDS[name]) for i, (name, make) in enumerate(NAMED.items())] + [pings(now)]
