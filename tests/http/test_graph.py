"""The graph of a trace through the API and as a file, from a real server; on both databases."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

from tests.http.otlp import attribute, export, partial, request, span
from tests.http.test_native import START, run_of, send
from tests.live import Server

New = Callable[[], str]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(live: Server, trace: str, query: str = "") -> tuple[ET.Element, str]:
    """The downloaded file, parsed, and its name."""
    with live.browser() as browser:
        answer = browser.get(f"/traces/{trace}/graph.svg{query}")
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return ET.fromstring(answer.content), answer.headers["content-disposition"]


def texts(root: ET.Element) -> str:
    """All that it says."""
    return "\n".join(text for el in root.iter() for text in (el.text or "",))


def test_nodes_and_edges(live: Server, new_trace: New) -> None:
    trace = new_trace()
    for step in run_of(trace)[3:]:
        assert send(live, "spans", step).status_code == 200
    with live.client() as client:
        found = client.get(f"/api/v1/traces/{trace.upper()}/graph")
    assert found.status_code == 200
    graph = found.json()
    assert set(graph) == {"nodes", "edges", "complete"} and graph["complete"] is True
    assert [(n["span_id"][-2:], n["kind"], n["status"]) for n in graph["nodes"]] == [
        ("a1", "agent", "ok"),
        ("a2", "llm", "ok"),
        ("a3", "tool", "ok"),
    ]
    assert graph["nodes"][1]["model"] == "gpt-4o" and graph["nodes"][2]["tool"] == "search"
    contains = [(e["source"][-2:], e["target"][-2:]) for e in graph["edges"] if e["type"] == "contains"]
    assert contains == [("a1", "a2"), ("a1", "a3")]
    assert all(set(e) == {"source", "target", "type", "why"} for e in graph["edges"])


def test_who_may_read_it(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, "spans", run_of(trace)[3])
    with live.browser() as browser:
        assert browser.get(f"/api/v1/traces/{trace}/graph").status_code == 200
        assert browser.post("/settings/projects", data={"name": f"zzz {trace[-6:]}"}).status_code in (303, 200)
        # Now the new project is looked at: the trace is of another one.
        for path in (f"/api/v1/traces/{trace}/graph", f"/traces/{trace}/graph.svg", f"/api/v1/traces/{'0' * 32}/graph"):
            assert browser.get(path).status_code == 404, path
    with live.client(follow_redirects=False) as client:
        assert client.get(f"/api/v1/traces/{'0' * 32}/graph").status_code == 404
        client.headers.pop("Authorization")
        assert client.get(f"/api/v1/traces/{trace}/graph").status_code == 401
        assert client.get(f"/traces/{trace}/graph.svg").status_code in (302, 303, 401)


def test_it_is_described(live: Server) -> None:
    with live.client() as client:
        schema = client.get("/schema/openapi.json").json()
    answer = schema["paths"]["/api/v1/traces/{trace_id}/graph"]["get"]
    assert answer["summary"].startswith("The graph of a trace")
    assert {"source", "target", "type", "why"} <= set(schema["components"]["schemas"]["Edge"]["properties"])


HOSTILE = "</text><script>alert(1)</script>&\"' \x00\x0b\u202e\ufffe\uffff"


def test_the_file_is_xml_whatever_the_names_are(live: Server, new_trace: New) -> None:
    trace = new_trace()
    steps = [span(trace, 1, name=HOSTILE)]
    steps += [span(trace, n, name=f"{n} {HOSTILE}", parent_span_id=(1).to_bytes(8, "big")) for n in range(2, 5)]
    attribute(steps[1], "gen_ai.tool.name", HOSTILE)
    steps[2].status.code, steps[2].status.message = 2, HOSTILE
    assert partial(export(live, request(*steps))) == (0, "")
    root, name = drawn(live, trace, f"?span={2:016x}&edges=contains,<b>&open=<i>")
    assert (
        root.tag == SVG + "svg" and not list(root.iter(SVG + "script")) and not list(root.iter(SVG + "foreignObject"))
    )
    assert name == f'attachment; filename="trace-{trace}.svg"'
    assert "<script>alert(1)</script>" in texts(root)
    # It stands alone: no stylesheet, nothing fetched, colours as attributes.
    assert not list(root.iter(SVG + "style"))
    for el in root.iter():
        assert not [a for a in el.attrib if a.startswith("on") or a in ("class", "style", "href")]
        assert not re.search(r"url\((?!#)", " ".join(el.attrib.values()))
    assert (
        len([p for p in root.iter(SVG + "path") if "marker-end" in p.attrib and p.find(SVG + "title") is not None]) == 3
    )


def test_a_trace_too_large_to_follow_still_has_a_graph(live: Server, new_trace: New) -> None:
    trace = new_trace()
    root = (1).to_bytes(8, "big")
    steps = [span(trace, 1, name="root")] + [span(trace, n, parent_span_id=root) for n in range(2, 5_102)]
    assert partial(export(live, request(*steps))) == (0, "")
    with live.client() as client:
        graph = client.get(f"/api/v1/traces/{trace}/graph").json()
    assert (len(graph["nodes"]), len(graph["edges"]), graph["complete"]) == (5_101, 5_100, False)
    with live.browser() as browser:
        page = browser.get(f"/traces/{trace}?view=graph").text
    assert "too large to follow its data" in page and "+5,090 steps" in page
    file, _ = drawn(live, trace)
    assert "+5,090 steps" in texts(file)


def test_every_view_of_odd_traces(live: Server, new_trace: New) -> None:
    ids = [f"{n:016x}" for n in range(1, 9)]
    odd = {
        "no root": [(ids[0], "f" * 16), (ids[1], ids[0])],
        "two roots": [(ids[0], None), (ids[1], None), (ids[2], ids[1])],
        "a cycle": [(ids[0], ids[2]), (ids[1], ids[0]), (ids[2], ids[1]), (ids[3], ids[3])],
        "running": [(ids[0], None), (ids[1], ids[0])],
    }
    with live.browser() as browser:
        for what, spans in odd.items():
            trace = new_trace()
            for n, (one, parent) in enumerate(spans):
                step = {"trace_id": trace, "span_id": one, "name": f"{what} {n}", "started_us": START - n * 5_000_000}
                step |= {"parent_id": parent} if parent else {}
                step |= {} if what == "running" else {"ended_us": START + 1}
                assert send(live, "spans", step).status_code == 200, what
            for view in ("summary", "timeline", "graph", "flow", "verdicts", "raw", "nonsense", ""):
                for more in ("", "&measure=time", "&measure=tokens&edges=none", f"&span={ids[1]}&open=%2B,{ids[0]}"):
                    page = browser.get(f"/traces/{trace}?view={view}{more}")
                    assert page.status_code == 200, (what, view, more)
            graph = browser.get(f"/traces/{trace}?view=graph").text
            assert graph.count('data-n="') == len(spans) + (what == "no root"), what
            assert f"{what} 1" in graph
            drawn_there, _ = drawn(live, trace)
            assert f"{what} 0" in texts(drawn_there)


def test_raw_records_come_in_pages(live: Server, new_trace: New) -> None:
    trace = new_trace()
    steps = [span(trace, n, name=f"step {n} <b>", start_time_unix_nano=10**18 + n) for n in range(1, 61)]
    assert partial(export(live, request(*steps))) == (0, "")
    seen: list[str] = []
    with live.browser() as browser:
        path = f"/traces/{trace}?view=raw"
        while path:
            page = browser.get(path).text
            seen += re.findall(r'<details class="record"[^>]*>.*?<code class="faint">([0-9a-f]{16})</code>', page, re.S)
            more = re.search(r'href="([^"]*after=[^"]*)"[^>]*>Show the next', page)
            path = more[1].replace("&amp;", "&") if more else ""
            assert "<b>" not in page
        assert browser.get(f"/traces/{trace}?view=raw&after=broken").status_code == 200
    assert seen == [f"{n:016x}" for n in range(1, 61)]
