"""A client of GET /events in a thread of its own."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

WAIT = 20.0


class Event(msgspec.Struct):
    """One server-sent event."""

    name: str
    id: str | None
    data: dict[str, Any]


class Listening:
    """`with Listening(client) as heard:` `heard.until(lambda e: …)` waits for an event; `heard.over()` for the end."""

    def __init__(self, client: httpx.Client, headers: dict[str, str] | None = None, **params: str) -> None:
        self._client, self._params, self._headers = client, params, headers or {}
        self._events: queue.Queue[Event | None] = queue.Queue()
        self.answer: httpx.Response | None = None
        self.ready = Event("", None, {})
        self.missed: Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            timeout = httpx.Timeout(30, read=60)
            headers = {"Accept": "text/event-stream"} | self._headers
            with self._client.stream("GET", "/events", params=self._params, headers=headers, timeout=timeout) as answer:
                self.answer = answer
                fields: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if line:
                        fields[name] = value
                    elif "event" in fields:
                        self._events.put(Event(fields["event"], fields.get("id"), json.loads(fields["data"])))
                        fields = {}
        except (httpx.HTTPError, OSError):
            pass  # the server was killed, or the test is over
        finally:
            self._events.put(None)

    def next(self) -> Event:
        """The next event."""
        event = self._events.get(timeout=WAIT)
        assert event is not None, f"the stream is over: {self.answer}"
        return event

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is so."""
        while not wanted(event := self.next()):
            pass
        return event

    def told(self, topic: str, id_: str = "") -> Event:
        """The first event that says that something of the topic (or this of it) has changed."""
        return self.until(lambda e: topic in e.data and (not id_ or e.data[topic] == "all" or id_ in e.data[topic]))

    def over(self) -> Event | None:
        """Waits for the end; the last event before it."""
        last = None
        while (event := self._events.get(timeout=WAIT)) is not None:
            last = event
        return last

    def __enter__(self) -> Listening:
        self._thread.start()
        self.ready = self.next()
        assert self.ready.name == "ready"
        if self.ready.id is None:  # something was missed, or who knows
            self.missed = self.next()
        return self

    def __exit__(self, *_: object) -> None:
        if self.answer is not None:
            # Closing the client would leave its thread reading until the next heartbeat.
            with contextlib.suppress(OSError):
                self.answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._client.close()
