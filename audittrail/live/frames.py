"""Server-sent events as bytes: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import msgspec

from audittrail.model.changes import Topics

# How long a client waits before it comes again by itself, in milliseconds.
RETRY_MS = 1_000
HEARTBEAT = b": \n\n"

_encode = msgspec.json.Encoder(order="sorted").encode


def opening(mark: str) -> bytes:
    """The first words of a stream: small, since proxies hold back what begins large. Without a mark, something was
    missed, and the next event says so."""
    told = f"id: {mark}\n" if mark else ""
    return f"retry: {RETRY_MS}\n{told}event: ready\ndata: {{}}\n\n".encode()


def change(mark: str, topics: Topics) -> bytes:
    """What has changed: `{"traces": "all", "trace": ["4bf9…"]}`."""
    said = {topic: "all" if ids is None else sorted(ids) for topic, ids in topics.items()}
    return b"id: %b\nevent: change\ndata: %b\n\n" % (mark.encode(), _encode(said))


def closing(reason: str) -> bytes:
    """The last words of a stream that shall not be opened again without another sign-in or key."""
    return b"event: over\ndata: %b\n\n" % _encode({"reason": reason})
