"""The process that reads large bodies: the same outcome as without it, whatever happens to it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest

from audittrail.constitution import Constitution, read_folder
from audittrail.ingest.formats import DECODERS, Format
from audittrail.ingest.pipeline import prepare
from audittrail.jobs.reading import Reading
from audittrail.model.errors import Invalid, Unavailable
from audittrail.privacy.redactor import Redactor
from tests.ingest.otlp import pb_request, pb_span
from tests.live import ROOT

KEY = b"k" * 32
pytestmark = pytest.mark.anyio


def native(number: int, steps: int = 20) -> bytes:
    """A trace that has something to redact and something to judge."""
    spans = [
        {
            "span_id": f"{number:08x}{step:08x}",
            "kind": "tool",
            "name": "delete_records",
            "started_at": "2026-11-01T10:00:00Z",
            "ended_at": "2026-11-01T10:00:01Z",
            "tool": {"name": "delete_records", "args": {"limit": 5_000, "owner": f"someone{step}@example.org"}},
        }
        for step in range(steps)
    ]
    return msgspec.json.encode({"trace_id": f"{number:032x}", "spans": spans})


@pytest.fixture(scope="module")
def constitution() -> Constitution:
    found = Constitution()
    assert found.update(read_folder(ROOT / "rules")) == []
    return found


@pytest.fixture
async def reading(constitution: Constitution) -> AsyncIterator[Reading]:
    one = Reading(KEY, constitution, 1)
    yield one
    await one.stop()


def child() -> psutil.Process:
    """The one process that this one started and that has not ended."""
    (found,) = [p for p in psutil.Process().children() if "audittrail.ingest.reader" in " ".join(p.cmdline())]
    return found


def bodies() -> list[tuple[Format, bytes]]:
    spans = msgspec.json.encode(msgspec.json.decode(native(2))["spans"])
    spans = spans.replace(b'{"span_id"', b'{"trace_id":"%032x","span_id"' % 2)
    otlp = {"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": f"{3:032x}", "spanId": f"{n:016x}", "name": "call me at +1 415 555 0132",
         "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2000000000"} for n in range(1, 9)
    ] + [{"name": "without ids"}]}]}]}  # fmt: skip
    return [
        ("native-trace", native(1)),
        ("native-spans", spans),
        ("otlp-json", msgspec.json.encode(otlp)),
        ("otlp-protobuf", pb_request(*(pb_span({"mail": f"someone{n}@example.org"}) for n in range(3)))),
    ]


@pytest.mark.parametrize(("form", "body"), bodies(), ids=[form for form, _ in bodies()])
async def test_it_says_what_the_pipeline_says(
    form: Format, body: bytes, reading: Reading, constitution: Constitution
) -> None:
    decoded = DECODERS[form](body)
    expected = prepare(decoded.records, Redactor(KEY), constitution.rules)
    assert await reading.prepare(form, body) == (expected, decoded.refused)
    if form == "native-trace":
        assert any(v.outcome == "violation" for span in expected for v in span.verdicts)
        assert all(b"example.org" not in span.record for span in expected)


async def test_without_redaction_it_keeps_what_came(constitution: Constitution) -> None:
    plain = Reading(None, constitution, 1)
    spans, _ = await plain.prepare("native-trace", native(1))
    await plain.stop()
    assert all(b"example.org" in span.record for span in spans)


async def test_what_cannot_be_read_is_refused_in_the_same_words_and_the_next_is_read(reading: Reading) -> None:
    for form in DECODERS:
        with pytest.raises(Invalid) as here:
            DECODERS[form](b"\xff")
        with pytest.raises(Invalid) as there:
            await reading.prepare(form, b"\xff")
        assert str(there.value) == str(here.value)
    assert (await reading.prepare("native-trace", native(1)))[0]


async def test_each_gets_the_answer_to_its_own_body(reading: Reading) -> None:
    answers = await asyncio.gather(*(reading.prepare("native-trace", native(n, 1 + n % 7)) for n in range(1, 60)))
    for number, (spans, _) in enumerate(answers, 1):
        assert len(spans) == 1 + number % 7
        assert {span.row.trace_id for span in spans} == {f"{number:032x}"}


async def test_a_body_is_judged_by_the_rules_in_force_when_it_came() -> None:
    constitution = Constitution()
    reading = Reading(KEY, constitution, 1)
    files = read_folder(ROOT / "rules")
    try:
        assert (await reading.prepare("native-trace", native(1)))[0][0].verdicts == ()
        constitution.update(files)
        first = (await reading.prepare("native-trace", native(1)))[0][0].verdicts
        milder = {name: text.replace(b"severity: critical", b"severity: low") for name, text in files.items()}
        constitution.update(milder)
        second = (await reading.prepare("native-trace", native(1)))[0][0].verdicts
    finally:
        await reading.stop()
    found = [[v.severity for v in said if v.rule_id == "bulk-delete-prevention"] for said in (first, second)]
    assert found == [["critical"], ["low"]]


async def test_when_it_is_killed_who_waited_is_told_to_come_again_and_another_is_started(reading: Reading) -> None:
    await reading.prepare("native-trace", native(1))
    first = child()
    waiting = [asyncio.create_task(reading.prepare("native-trace", native(n, 2_000))) for n in (1, 2)]
    await asyncio.sleep(0.05)
    first.kill()
    with pytest.raises(Unavailable) as told:
        await waiting[0]
    assert told.value.retry_after == 1
    assert len((await waiting[1])[0]) == 2_000, "it had not been handed over yet"
    assert child().pid != first.pid


async def test_who_gives_up_waiting_disturbs_nobody(reading: Reading) -> None:
    for number in range(1, 8):
        given_up = asyncio.create_task(reading.prepare("native-trace", native(number, 500)))
        await asyncio.sleep(0.01)
        given_up.cancel()
    spans, _ = await reading.prepare("native-trace", native(99))
    assert {span.row.trace_id for span in spans} == {f"{99:032x}"}


async def test_it_stops_when_it_is_done_and_not_when_it_is_told_to(constitution: Constitution) -> None:
    reading = Reading(KEY, constitution, 1)
    await reading.prepare("native-trace", native(1))
    process = child()
    asked = asyncio.create_task(reading.prepare("native-trace", native(2, 2_000)))
    await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    await reading.stop()
    assert len((await asked)[0]) == 2_000
    assert not process.is_running()
    with pytest.raises(Unavailable):
        await reading.prepare("native-trace", native(3))


def test_it_ends_with_the_server_that_was_killed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import asyncio, os, signal, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from audittrail.constitution import Constitution\n"
        "from audittrail.jobs.reading import Reading\n"
        "async def main():\n"
        "    reading = Reading(None, Constitution(), 1)\n"
        "    await reading.prepare('native-spans', b'[]')\n"
        "    print(reading._readers[0]._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the reader outlived its server"
        time.sleep(0.05)
