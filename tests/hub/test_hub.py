"""The hub alone: who is told what, how often, and at what cost when nobody reads."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from audittrail.live.hub import BATCH_SECONDS, MAX_STREAMS, PER_KEY, PER_SESSION, Holder, Hub, Stream
from audittrail.model.changes import MAX_IDS, TOPICS, Changes
from audittrail.model.errors import TooMany, Unavailable

pytestmark = pytest.mark.anyio
ME = Holder(1, session="me")
ALL = dict.fromkeys(TOPICS, "all")
NEVER = 60.0  # a test that waits so long has failed


def said(frame: bytes | None) -> dict[str, Any]:
    """The event's name, id and data."""
    assert frame is not None
    fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
    return {"event": fields["event"], "id": fields.get("id"), "data": json.loads(fields["data"])}


async def told(stream: Stream) -> dict[str, Any]:
    """What the next event says has changed."""
    event = said(await stream.read(NEVER))
    assert event["event"] == "change"
    found: dict[str, Any] = event["data"]
    return found


async def until_told(stream: Stream, topic: str) -> int:
    """How many events it took."""
    for count in range(1, 100):
        if topic in await told(stream):
            return count
    raise AssertionError("never")


async def test_everyone_of_a_project_is_told_and_nobody_else() -> None:
    hub = Hub()
    with hub.open(ME, hub.mark) as mine, hub.open(Holder(2, session="me"), hub.mark) as other:
        hub.publish(1, "ablations", "a1")
        hub.publish(2, "violations")
        assert await told(mine) == {"ablations": ["a1"]}
        assert await told(other) == {"violations": "all"}


async def test_what_comes_together_is_one_event_and_then_there_is_a_pause() -> None:
    hub = Hub()
    loop = asyncio.get_running_loop()
    with hub.open(ME, hub.mark) as stream:
        for n in range(20):
            hub.publish(1, "trace", f"{n:02}")
            hub.publish(1, "traces")
        assert await told(stream) == {"trace": [f"{n:02}" for n in range(20)], "traces": "all"}
        first = loop.time()
        hub.publish(1, "counts")
        assert await told(stream) == {"counts": "all"}
        assert loop.time() - first >= BATCH_SECONDS * 0.9


async def test_a_stream_of_one_trace_is_told_of_that_one_however_many_others_change() -> None:
    hub = Hub()
    with (
        hub.open(ME, hub.mark, frozenset({"mine"})) as one,
        hub.open(ME, hub.mark, frozenset({""})) as none,
        hub.open(ME, hub.mark) as all_of_them,
    ):
        changes = Changes()
        changes.add(1, "trace", ["mine", *(f"{n}" for n in range(5 * MAX_IDS))])
        changes.add(1, "traces")
        hub.apply(changes)
        assert await told(one) == {"trace": ["mine"], "traces": "all"}
        assert await told(none) == {"traces": "all"}
        assert await told(all_of_them) == {"trace": "all", "traces": "all"}
        hub.publish(1, "trace", *(f"{n}" for n in range(5 * MAX_IDS)))
        hub.publish(1, "counts")
        assert await told(one) == {"counts": "all"}
        hub.publish(1, "trace")  # any may have
        assert await told(one) == {"trace": ["mine"]}


async def test_who_never_reads_costs_one_bounded_event() -> None:
    hub = Hub()
    with hub.open(ME, hub.mark) as lazy, hub.open(ME, hub.mark) as keen:
        for n in range(3):
            hub.publish(1, "trace", *(f"{n}-{i}" for i in range(60)))
            await told(keen)
        frame = await lazy.read(NEVER)
        assert said(frame)["data"] == {"trace": "all"}
        assert said(frame)["id"] == hub.mark
        assert await lazy.read(0.01) == b""


async def test_a_page_that_has_seen_everything_is_not_told_again() -> None:
    hub = Hub()
    hub.publish(1, "traces")
    made = hub.mark  # the page was made here
    hub.publish(2, "traces")  # another project's
    with hub.open(ME, made) as stream:
        assert said(stream.opening) == {"event": "ready", "id": made, "data": {}}
        assert await stream.read(0.01) == b""


@pytest.mark.parametrize(
    "since", ["", "0", "-", "x-0", "00000000-0", "{epoch}-", "{epoch}-x", "{epoch}-99", "{epoch}-1"]
)
async def test_whoever_may_have_missed_something_is_told_that_all_may_have_changed(since: str) -> None:
    hub = Hub()
    hub.publish(1, "traces")
    hub.publish(1, "counts")
    with hub.open(ME, since.replace("{epoch}", hub.epoch)) as stream:
        # No id yet: a connection that breaks before the next event has still missed it.
        assert said(stream.opening) == {"event": "ready", "id": None, "data": {}}
        event = said(await stream.read(NEVER))
        assert event == {"event": "change", "id": hub.mark, "data": ALL}


async def test_from_one_event_s_id_a_client_goes_on_without_a_gap() -> None:
    hub = Hub()
    with hub.open(ME, hub.mark) as stream:
        hub.publish(1, "traces")
        last = said(await stream.read(NEVER))["id"]
    with hub.open(ME, last) as stream:
        assert await stream.read(0.01) == b""
    hub.publish(1, "counts")  # while it is away
    with hub.open(ME, last) as stream:
        assert await told(stream) == ALL


async def test_after_a_time_without_news_of_other_processes_all_may_have_changed() -> None:
    hub = Hub()
    with hub.open(ME, hub.mark) as stream:
        hub.apply_all()
        assert await told(stream) == ALL


async def test_streams_are_limited_by_who_holds_them_and_altogether() -> None:
    hub = Hub()
    mine = [hub.open(ME) for _ in range(PER_SESSION)]
    with pytest.raises(TooMany, match="20 streams"):
        hub.open(ME)
    mine.pop().__exit__()
    hub.open(ME)
    keys = [Holder(1, key_id=n) for n in range(1, 1 + MAX_STREAMS // PER_KEY)]
    with pytest.raises(Unavailable):
        for key in keys:
            for _ in range(PER_KEY):
                hub.open(key)
    assert len(hub.streams) == MAX_STREAMS


async def test_a_stream_that_is_left_twice_is_left_once() -> None:
    hub = Hub()
    with hub.open(ME, traces=frozenset({"t"})) as stream:
        pass
    hub.leave(stream)
    assert hub.streams == []
    assert hub.watched == set()
    hub.publish(1, "traces")


async def test_a_stream_that_ends_with_a_reason_says_it_last() -> None:
    hub = Hub()
    with hub.open(ME, hub.mark) as stream:
        stream.end("You are signed out.")
        assert said(await stream.read(NEVER)) == {
            "event": "over",
            "id": None,
            "data": {"reason": "You are signed out."},
        }
        assert await stream.read(NEVER) is None


async def test_all_streams_end_when_the_server_stops_and_none_begins() -> None:
    hub = Hub()
    streams = [hub.open(ME), hub.open(Holder(2, key_id=1))]
    waiting = [asyncio.create_task(_until_over(stream)) for stream in streams]
    hub.close()
    await asyncio.wait_for(asyncio.gather(*waiting), NEVER)
    with pytest.raises(Unavailable):
        hub.open(ME)


async def _until_over(stream: Stream) -> None:
    while await stream.read(NEVER) is not None:
        pass


async def test_publishing_costs_the_same_however_many_look() -> None:
    hub = Hub()
    streams = [hub.open(Holder(1, key_id=n), hub.mark) for n in range(500)]
    hub.publish(1, "trace", "t")
    assert [await told(stream) for stream in streams] == [{"trace": ["t"]}] * 500
    # One text for all of them.
    hub.publish(1, "trace", "u")
    frames = [await stream.read(NEVER) for stream in streams]
    assert len({id(frame) for frame in frames}) == 1
