"""The hub: who publishes does not wait; who listens is told of each change once, at most every quarter of a second."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Collection
from typing import Self

import msgspec

from audittrail.live import frames
from audittrail.model.changes import TOPICS, Changes, Topics, add, merge
from audittrail.model.errors import TooMany, Unavailable

# One batch at most in so many seconds; the first after a silence waits only for what belongs to the same commit.
BATCH_SECONDS = 0.25
FIRST_SECONDS = 0.01
PER_SESSION = 20
PER_KEY = 100
MAX_STREAMS = 2_000


class Holder(msgspec.Struct, frozen=True):
    """By what a stream is open: a session (the hash of its token) or an API key, and of which project."""

    project_id: int
    session: str = ""
    key_id: int = 0


class Stream:
    """One open stream, to be read until `read` returns None.

    What changes while nobody reads is merged into one batch of bounded size: a slow reader costs no more than a quick
    one.
    """

    def __init__(self, hub: Hub, holder: Holder, mark: str, traces: frozenset[str] | None) -> None:
        self.holder = holder
        self.mark = mark  # how far the client is once it has read everything; "" while that is not known
        self.traces = traces  # the only ones whose ids are sent; None: all
        self.opening = frames.opening(mark)  # to be sent first
        self._hub = hub
        self._topics: Topics = {}
        self._frame = b""  # of the topics, where it was made already
        self._wake = asyncio.Event()
        self._over = False
        self._reason = ""

    def end(self, reason: str = "") -> None:
        """The stream ends now; with a reason, the client is told not to come again by itself."""
        self._over, self._reason = True, self._reason or reason
        self._wake.set()

    def offer(self, topics: Topics, mark: str, frame: bytes = b"") -> None:
        """Something has changed up to `mark`. `topics` is shared between streams and not to be changed."""
        self.mark = mark
        if self._topics:
            mine: Topics = {topic: None if ids is None else set(ids) for topic, ids in self._topics.items()}
            merge(mine, topics)
            self._topics, self._frame = mine, b""
        else:
            self._topics, self._frame = topics, frame
            self._wake.set()

    async def read(self, seconds: float) -> bytes | None:
        """The next frame; b"" when so long nothing came; None when it is over, after the last frame."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return b""
        if self._over:
            if not self._reason:
                return None
            reason, self._reason = self._reason, ""
            return frames.closing(reason)
        self._wake.clear()
        frame = self._frame or frames.change(self.mark, self._topics)
        self._topics, self._frame = {}, b""
        return frame

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.leave(self)


class _Channel:
    """One project."""

    def __init__(self) -> None:
        self.number = 0  # of the last change
        self.streams: set[Stream] = set()
        self.watched: Counter[str] = Counter()  # traces that a stream is open for alone
        self.topics: Topics = {}
        self.hit: set[str] = set()  # of the watched, those that changed
        self.all_hit = False
        self.timer: asyncio.TimerHandle | None = None
        self.sent_at = 0.0


class Hub:
    """`publish` says that something changed; `open` gives a stream of what did."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)  # numbers of another process mean nothing here
        self._number = 0
        self._channels: dict[int, _Channel] = {}
        self._held: Counter[Holder] = Counter()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def mark(self) -> str:
        """How far things have come: everything published before is in a page that is made from now on."""
        return f"{self.epoch}-{self._number}"

    @property
    def streams(self) -> list[Stream]:
        """All that are open."""
        return [stream for channel in self._channels.values() for stream in channel.streams]

    @property
    def watched(self) -> set[int]:
        """Projects that somebody looks at."""
        return {project_id for project_id, channel in self._channels.items() if channel.streams}

    def apply(self, changes: Changes) -> None:
        """What a commit, here or in another process, has changed."""
        for project_id, topics in changes.by_project.items():
            for topic, ids in topics.items():
                self.publish(project_id, topic, *(ids or ()))

    def apply_all(self) -> None:
        """Anything may have changed: for a while nothing was heard of other processes."""
        for project_id in list(self._channels):
            for topic in TOPICS:
                self.publish(project_id, topic)

    def settle(self, project_id: int, trace_ids: Collection[str]) -> None:
        """These traces are finished, by nothing having come for a while: every process sees so for itself."""
        self.publish(project_id, "traces")
        self.publish(project_id, "trace", *trace_ids)

    def open(self, holder: Holder, since: str = "", traces: frozenset[str] | None = None) -> Stream:
        """A stream, to be used as a context. It begins with `ready`, and where something has changed since the mark
        `since` (of a page, or of the last event), or nobody knows, with "all".

        With `traces`, the topic `trace` names no others. Raises TooMany or Unavailable.
        """
        most = PER_SESSION if holder.session else PER_KEY
        if self._held[holder] >= most:
            who = "session" if holder.session else "API key"
            raise TooMany(
                f"This {who} has {most} streams open, which is the limit. Close some; a page in view has one.", 30
            )
        if self._closed or sum(self._held.values()) >= MAX_STREAMS:
            raise Unavailable("There are more streams than this server holds; pages work without one.", 10)
        self._loop = asyncio.get_running_loop()
        channel = self._channel(holder.project_id)
        told = self._has_all(channel, since)
        stream = Stream(self, holder, since if told else "", traces)
        channel.streams.add(stream)
        channel.watched.update(traces or ())
        self._held[holder] += 1
        if not told:
            stream.offer(dict.fromkeys(TOPICS), self.mark)
        return stream

    def _has_all(self, channel: _Channel, since: str) -> bool:
        epoch, _, number = since.partition("-")
        if epoch != self.epoch or not (number.isascii() and number.isdecimal() and len(number) < 20):
            return False
        return channel.number <= int(number) <= self._number

    def leave(self, stream: Stream) -> None:
        """The stream is read no more."""
        channel = self._channels[stream.holder.project_id]
        if stream not in channel.streams:
            return
        channel.streams.remove(stream)
        channel.watched.subtract(stream.traces or ())
        channel.watched += Counter()  # drops what is at zero
        self._held[stream.holder] -= 1
        if not self._held[stream.holder]:
            del self._held[stream.holder]

    def close(self) -> None:
        """All streams end, and no new one begins: the server is about to stop. May be called from a signal handler."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end_all)

    def _end_all(self) -> None:
        for stream in self.streams:
            stream.end()

    def _channel(self, project_id: int) -> _Channel:
        return self._channels.setdefault(project_id, _Channel())

    def publish(self, project_id: int, topic: str, *ids: str) -> None:
        """These of the project have changed; without ids, all may have. In this process: others hear of a commit by the
        store."""
        self._number += 1
        channel = self._channel(project_id)
        channel.number = self._number
        if not channel.streams:
            return
        add(channel.topics, topic, ids)
        if topic == "trace":
            channel.all_hit |= not ids
            channel.hit.update(id_ for id_ in ids if id_ in channel.watched)
        if channel.timer is None:
            loop = asyncio.get_running_loop()
            wait = max(FIRST_SECONDS, channel.sent_at + BATCH_SECONDS - loop.time())
            channel.timer = loop.call_later(wait, self._send, channel)

    def _send(self, channel: _Channel) -> None:
        """Gives every stream its batch. What is the same for many is made once."""
        channel.timer = None
        channel.sent_at = asyncio.get_running_loop().time()
        topics, channel.topics = channel.topics, {}
        hit, channel.hit = channel.hit, set()
        all_hit, channel.all_hit = channel.all_hit, False
        mark = self.mark
        rest: Topics = {topic: ids for topic, ids in topics.items() if topic != "trace"}
        whole_frame = rest_frame = b""
        for stream in channel.streams:
            if stream.traces is None:
                whole_frame = whole_frame or frames.change(mark, topics)
                stream.offer(topics, mark, whole_frame)
                continue
            mine = stream.traces if all_hit else stream.traces & hit
            if mine:
                stream.offer(rest | {"trace": set(mine)}, mark)
            elif rest:
                rest_frame = rest_frame or frames.change(mark, rest)
                stream.offer(rest, mark, rest_frame)
