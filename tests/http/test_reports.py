"""Reports of a real server on both databases: ordered, made, downloaded, deleted, and taken up again after a kill."""

from __future__ import annotations

import hashlib
import io
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pypdf
import pytest

from audittrail.model import human
from audittrail.report.document import Document, Figures, Table
from tests.browser.site import command
from tests.http.test_analytics import client as with_key
from tests.http.test_analytics import key_of, run
from tests.live import Server

New = Callable[[], str]
TIME = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}


def send(client: httpx.Client, spans: list[dict[str, Any]]) -> None:
    for at in range(0, len(spans), 1_000):
        answer = client.post("/api/v1/ingest/spans", json=spans[at : at + 1_000], timeout=60)
        assert answer.status_code == 200 and answer.json()["rejected"] == [], answer.text[:500]


def make(client: httpx.Client, wait: float = 100, **asked: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/reports", params={"wait": wait}, json=asked, timeout=wait + 30)
    assert answer.status_code in (200, 202), answer.text
    return dict(answer.json())


def kept(server: Server, report: dict[str, Any]) -> Document:
    """What a page shows the report from."""
    path = server.data / "reports" / f"{report['id']}.json"
    return msgspec.json.decode(path.read_bytes(), type=Document)


def figures(document: Document) -> dict[str, str]:
    (found,) = [block for block in document.blocks if isinstance(block, Figures)]
    return {one.name: one.value for one in found.items}


def project(server: Server, name: str) -> httpx.Client:
    """A project of the test's own, by a key with the scopes ingest and read; after the server's first one by name."""
    return with_key(server, key_of(server, f"z {name} {server.port}", "ingest", "read"))


def deletion(trace: str, steps: int, count: int = 250) -> list[dict[str, Any]]:
    at = {"started_at": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:00:01Z", "kind": "tool", "trace_id": trace}
    tool = {"name": "delete_records", "args": {"count": count, "mail": "bob@example.org"}}
    return [{**at, "span_id": f"{n:016x}", "name": f"step {n}", "tool": tool} for n in range(1, steps + 1)]


def test_an_empty_project_has_a_report(live: Server) -> None:
    with project(live, "nothing") as client:
        for kind in ("audit", "period"):
            made = make(client, kind=kind, **TIME)
            assert (made["status"], made["error"]) == ("done", "")
            pdf = client.get(f"/api/v1/reports/{made['id']}/pdf")
            assert pdf.status_code == 200 and len(pypdf.PdfReader(io.BytesIO(pdf.content)).pages) == made["pages"]


def test_a_report_says_what_the_dashboard_says(live: Server, new_trace: New) -> None:
    with project(live, "numbers") as client:
        for n in range(6):
            send(client, run(new_trace(), f"agent-{n % 2}", 60 + 90_000 * n, failed=n % 3 == 0))
        send(client, deletion(new_trace(), 3))
        now = time.time()
        first = datetime.fromtimestamp(now - 30 * 86_400, UTC)
        asked = {"from": first.isoformat(), "to": datetime.fromtimestamp(now + 60, UTC).isoformat()}
        made = make(client, kind="period", **asked)
        summary = client.get("/api/v1/analytics/summary", params={"range": "30d"}).json()["data"]
        agents = client.get("/api/v1/analytics/breakdown", params={"range": "30d", "by": "agent"}).json()["data"]
    document = kept(live, made)
    said = figures(document)
    tokens = summary["input_tokens"] + summary["output_tokens"]
    assert said == {
        "Traces": human.exact(summary["traces"]),
        "Errors": human.exact(summary["errors"]),
        "Latency, p95": human.duration(summary["p95_us"]),
        "Tokens": human.count(tokens),
        "Cost": human.money(Decimal(summary["cost"])),
        "Violations": human.exact(summary["violations"]),
    }
    (table,) = [b for b in document.blocks if isinstance(b, Table) and b.caption.startswith("Agents")]
    assert [(row[0], row[1]) for row in table.rows] == [(g["name"], human.exact(g["calls"])) for g in agents]


def test_an_audit_holds_everything_and_its_pdf_says_it(live: Server, new_trace: New) -> None:
    trace = new_trace()
    with project(live, "audited") as client:
        send(client, deletion(trace, 250))
        now = time.time()
        asked = {"from": "2026-01-01T00:00:00Z", "to": datetime.fromtimestamp(now + 60, UTC).isoformat()}
        made = make(client, kind="audit", title="Everything of bob@example.org", **asked)
        assert made["status"] == "done", made
        answer = client.get(f"/api/v1/reports/{made['id']}/pdf")
    pdf = answer.content
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-2026-01-01-')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (len(pdf), hashlib.sha256(pdf).hexdigest()) == (made["size"], made["sha256"])
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    squeezed = "".join(text.split())
    assert squeezed.count(trace) >= 250 and "bob@example.org" not in squeezed
    rows = [b for b in kept(live, made).blocks if isinstance(b, Table) and b.caption.startswith("Violations, newest")]
    assert len(rows[0].rows) == 100
    for path in (live.data / "reports").iterdir():
        assert path.suffix in (".pdf", ".json") and stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_trace_has_a_sheet_by_which_its_records_can_be_compared(live: Server, new_trace: New) -> None:
    trace = new_trace()
    with project(live, "sheets") as client:
        send(client, deletion(trace, 2))
        made = make(client, kind="trace", trace_id=trace.upper())
        assert (made["status"], made["trace_id"]) == ("done", trace), made
        again = make(client, kind="trace", trace_id=trace)
        assert [one["id"] for one in client.get("/api/v1/reports", params={"trace": trace}).json()["data"]] == [
            again["id"],
            made["id"],
        ]
    first, second = (
        next(b.rows for b in kept(live, one).blocks if isinstance(b, Table) and b.caption.startswith("Records"))
        for one in (made, again)
    )
    assert first == second and len(first) == 2 and all(len(row[-1]) == 64 for row in first)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "audit"},
        {"kind": "novel", **TIME},
        {"kind": "audit", "from": TIME["to"], "to": TIME["from"]},
        {"kind": "audit", "from": TIME["from"], "to": TIME["from"]},
        {"kind": "audit", "from": "2026-01-01T00:00:00", "to": TIME["to"]},
        {"kind": "audit", "from": "yesterday", "to": TIME["to"]},
        {"kind": "audit", "from": "1000-01-01T00:00:00Z", "to": TIME["to"]},
        {"kind": "audit", "from": "1980-01-01T00:00:00Z", "to": TIME["to"]},
        {"kind": "audit", **TIME, "trace_id": "ab" * 16},
        {"kind": "audit", **TIME, "title": "x" * 201},
        {"kind": "audit", **TIME, "unknown": 1},
        {"kind": "trace"},
        [],
    ],
    ids=range(14),
)
def test_what_cannot_be_reported_is_refused(live: Server, body: Any) -> None:
    with live.client() as client:
        answer = client.post("/api/v1/reports", json=body)
        assert answer.status_code == 400 and answer.json()["detail"], answer.text


def test_who_may(live: Server) -> None:
    with live.client() as client, project(live, "others") as other:
        made = make(client, kind="period", **TIME)
        path = f"/api/v1/reports/{made['id']}"
        assert client.post("/api/v1/reports", json={"kind": "trace", "trace_id": "0" * 32}).status_code == 404
        for one in (path, f"{path}/pdf"):
            assert client.get(one).status_code == 200 and other.get(one).status_code == 404
        assert made["id"] not in {one["id"] for one in other.get("/api/v1/reports").json()["data"]}
        assert client.delete(path).status_code == 403, "a key deletes nothing"
        for strange in ("..%2f..%2fsecret.key", "rep_%00", "nothing", "rep_" + "0" * 32, "%2e%2e"):
            for rest in ("", "/pdf"):
                assert client.get(f"/api/v1/reports/{strange}{rest}").status_code == 404, strange
        client.headers.pop("Authorization")
        assert client.get(path).status_code == 401
        assert client.post("/api/v1/reports", json={"kind": "audit", **TIME}).status_code == 401
    with live.browser() as browser:
        assert browser.get(f"/reports/{made['id']}").status_code == 200
        assert browser.post("/settings/projects", data={"name": f"z reports {live.port}"}).status_code in (303, 200)
        for one in (f"/reports/{made['id']}", f"/reports/{made['id']}/pdf"):
            assert browser.get(one).status_code == 404
        assert browser.post(f"/reports/{made['id']}/delete").status_code == 404


def test_a_report_is_deleted_with_its_files_and_the_log_says_so(live: Server) -> None:
    with live.browser() as browser, live.client() as client:
        made = make(client, kind="period", **TIME)
        assert len(list((live.data / "reports").glob(f"{made['id']}.*"))) == 2
        assert browser.delete(f"/api/v1/reports/{made['id']}").status_code == 204
        assert browser.delete(f"/api/v1/reports/{made['id']}").status_code == 404
        assert not list((live.data / "reports").glob(f"{made['id']}*"))
        assert client.get(f"/api/v1/reports/{made['id']}").status_code == 404
        lines = browser.get("/api/v1/activity", params={"action": "report."}).json()["data"]
    mine = [(one["action"], one["actor"]) for one in lines if one["subject"] == made["id"]]
    assert [action for action, _ in mine] == ["report.deleted", "report.created"]
    assert mine[0][1] == live.email and mine[1][1].startswith("pk-at-")


def test_a_viewer_makes_reports_and_deletes_none(live: Server) -> None:
    email, name = f"viewer{live.port}@example.org", f"z viewed {live.port}"
    with project(live, "viewed") as client:
        made, audit = make(client, kind="period", **TIME), make(client, kind="audit", **TIME)
        command(
            live, "user", "add", email, "--project", name, "--role", "viewer", "--password-stdin", say="a b c d e f g\n"
        )
        with httpx.Client(base_url=live.url, timeout=60, trust_env=False, verify=False) as person:
            person.post("/api/v1/auth/login", json={"email": email, "password": "a b c d e f g"}).raise_for_status()
            assert make(person, kind="period", **TIME)["status"] == "done"
            assert person.delete(f"/api/v1/reports/{made['id']}").status_code == 403
            page = person.get(f"/reports/{made['id']}", headers={"Accept": "text/html"}).text
            assert "Download PDF" in page and "/delete" not in page
            # An audit tells of the activity log, which viewers do not see either.
            assert made["id"] not in person.get("/api/v1/activity").text
            assert person.post("/api/v1/reports", json={"kind": "audit", **TIME}).status_code == 403
            assert person.post("/reports", data={"kind": "audit", "range": "30d"}).status_code == 403
            assert 'value="audit"' not in person.get("/reports", headers={"Accept": "text/html"}).text
            for path in (
                f"/api/v1/reports/{audit['id']}/pdf",
                f"/reports/{audit['id']}/pdf",
                f"/reports/{audit['id']}",
            ):
                assert person.get(path).status_code == 403, path


def test_the_page_says_when_the_time_is_not_understood(live: Server) -> None:
    headers = {"Accept": "text/html"}
    with live.browser() as browser:
        for wrong in (
            {"kind": "audit", "range": "dates", "from": "", "to": ""},
            {"kind": "audit", "range": "dates", "from": "2026-02-01", "to": "2026-01-01"},
            {"kind": "audit", "range": "dates", "from": "9999-12-31", "to": "9999-12-31"},
            {"kind": "trace", "range": "30d"},
            {"kind": "audit", "range": "century"},
        ):
            answer = browser.post("/reports", data=wrong, headers=headers)
            assert answer.status_code == 422 and 'role="alert"' in answer.text, wrong
        one_day = {"kind": "period", "range": "dates", "from": "2026-01-01", "to": "2026-01-01", "title": "<b>"}
        answer = browser.post("/reports", data=one_day, headers=headers)
        assert answer.status_code == 303
        page = browser.get(answer.headers["location"], headers=headers).text
        assert "2026-01-01 00:00 to 2026-01-02 00:00 UTC" in page and "&lt;b&gt;" in page


def test_what_a_killed_server_left_is_made_by_the_next(fallible: Server) -> None:
    fallible.start()
    with fallible.client() as client:
        for n in range(4):
            send(client, deletion(f"{0xDEAD + n:032x}", 1_500))
        asked = {"from": "2026-01-01T00:00:00Z", "to": datetime.fromtimestamp(time.time() + 60, UTC).isoformat()}
        answer = client.post("/api/v1/reports", json={"kind": "audit", **asked})
        assert answer.status_code == 202
        report = answer.json()
        assert client.get(f"/api/v1/reports/{report['id']}/pdf").status_code == 409
        deadline = time.monotonic() + 60
        folder = fallible.data / "reports"
        while not list(folder.glob("*.in")):  # it is being drawn
            assert time.monotonic() < deadline
            time.sleep(0.01)
    fallible.kill()
    assert list(folder.glob("*.in")) and not list(folder.glob("*.pdf"))
    fallible.start()
    with fallible.client() as client:
        done = client.get(f"/api/v1/reports/{report['id']}", params={"wait": 150}, timeout=180).json()
        assert (done["status"], done["error"]) == ("done", "")
        pdf = client.get(f"/api/v1/reports/{report['id']}/pdf").content
    assert hashlib.sha256(pdf).hexdigest() == done["sha256"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".pdf"], "nothing else was left"


def test_a_folder_that_cannot_be_written_fails_the_report_and_nothing_else(fallible: Server) -> None:
    fallible.start()
    (fallible.data / "reports").write_text("in the way")
    with fallible.client() as client:
        failed = make(client, kind="period", **TIME)
        assert failed["status"] == "failed" and "data folder" in failed["error"]
        answer = client.get(f"/api/v1/reports/{failed['id']}/pdf")
        assert answer.status_code == 409 and failed["error"] in answer.json()["detail"]
        (fallible.data / "reports").unlink()
        assert make(client, kind="period", **TIME)["status"] == "done"


def test_the_sheet_of_a_trace_goes_with_it_and_a_report_over_its_time_stays(live: Server, new_trace: New) -> None:
    trace = new_trace()
    with live.client() as client, live.browser() as browser:
        send(client, deletion(trace, 2))
        sheet, over = make(client, kind="trace", trace_id=trace), make(client, kind="period", **TIME)
        assert client.get(f"/api/v1/reports/{sheet['id']}/pdf").status_code == 200
        assert browser.delete(f"/api/v1/traces/{trace}").status_code == 200
        assert client.get(f"/api/v1/reports/{sheet['id']}/pdf").status_code == 404
        assert sheet["id"] not in client.get("/api/v1/reports").text
        assert client.get(f"/api/v1/reports/{over['id']}/pdf").content.startswith(b"%PDF-")
