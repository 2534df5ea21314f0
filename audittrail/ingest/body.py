"""Reads a request's body under two limits: what travels, and what it unpacks to."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import msgspec

from audittrail.model.errors import Invalid, TooLarge, UnsupportedMedia

# What one step of decompression may give: a bomb is noticed after this much beyond the limit, not after its whole size.
STEP = 256 * 1024


class BodyLimits(msgspec.Struct, frozen=True):
    """How large a body may be as it is sent, and how large once it is unpacked."""

    max_bytes: int = 16 * 1024 * 1024
    max_decoded_bytes: int = 64 * 1024 * 1024


DEFAULT_LIMITS = BodyLimits()


async def read_body(stream: AsyncIterator[bytes], *, encoding: str = "", limits: BodyLimits = DEFAULT_LIMITS) -> bytes:
    """The whole body, unpacked as `Content-Encoding` says (gzip, deflate, identity or nothing).

    Never holds more than the limits allow and stops reading as soon as one is passed. Raises TooLarge, UnsupportedMedia
    or, for packed data that is broken or ends early, Invalid.
    """
    unpack = _unpacker(encoding, limits)
    received = 0
    parts: list[bytes] = []
    async for chunk in stream:
        received += len(chunk)
        if received > limits.max_bytes:
            raise TooLarge(
                f"The body is over the limit of {_size(limits.max_bytes)} per request; send smaller batches."
            )
        if unpack is None:
            if received > limits.max_decoded_bytes:
                raise _too_large_unpacked(limits)
            parts.append(chunk)
        else:
            unpack.feed(chunk)
    if unpack is None:
        return b"".join(parts)
    return unpack.finish()


def _unpacker(encoding: str, limits: BodyLimits) -> _Unpacker | None:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return _Unpacker("deflate" if name == "deflate" else "gzip", limits)
    shown = "".join(c for c in name[:40] if c.isalnum() or c in "-,. ")
    raise UnsupportedMedia(f"Content-Encoding {shown!r} is not supported; use gzip, deflate or none.")


class _Unpacker:
    def __init__(self, name: str, limits: BodyLimits) -> None:
        self._name = name
        self._limits = limits
        self._out = bytearray()
        self._first = b""
        self._engine: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> None:
        if self._engine is None:
            # Two bytes tell a zlib header from raw deflate; a gzip stream must start with its own.
            self._first += chunk
            if len(self._first) < 2:
                return
            chunk, self._first = self._first, b""
            self._engine = zlib.decompressobj(self._window(chunk))
        while chunk:
            if self._engine.eof:
                chunk = self._next_member(chunk)
                if not chunk:
                    return
            chunk = self._step(chunk)

    def finish(self) -> bytes:
        if self._engine is None:
            if self._first:
                raise self._broken()
            return b""
        if not self._engine.eof:
            raise Invalid(f"The {self._name} body ends early; the request was cut off.")
        return bytes(self._out)

    def _window(self, head: bytes) -> int:
        if self._name == "gzip":
            return 16 + zlib.MAX_WBITS
        # RFC 1950: the low half of the first byte is 8, and the first two are a multiple of 31.
        is_zlib = head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0
        return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS

    def _step(self, chunk: bytes) -> bytes:
        assert self._engine is not None  # noqa: S101
        room = self._limits.max_decoded_bytes - len(self._out)
        try:
            # One byte more than there is room for, so that being over is seen at once.
            self._out += self._engine.decompress(chunk, min(STEP, room + 1))
        except zlib.error:
            raise self._broken() from None
        if len(self._out) > self._limits.max_decoded_bytes:
            raise _too_large_unpacked(self._limits)
        return self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail

    def _next_member(self, rest: bytes) -> bytes:
        # A gzip file is one or more members end to end (RFC 1952), and padding with zeros is customary.
        rest = rest.lstrip(b"\0") if self._name == "gzip" else rest
        if not rest:
            return b""
        if self._name != "gzip":
            raise self._broken()
        self._engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return rest

    def _broken(self) -> Invalid:
        return Invalid(f"The body is not valid {self._name} data, as its Content-Encoding says it is.")


def _too_large_unpacked(limits: BodyLimits) -> TooLarge:
    return TooLarge(
        f"The body unpacks to more than the limit of {_size(limits.max_decoded_bytes)}; send smaller batches."
    )


def _size(count: int) -> str:
    return f"{count // 1048576} MiB" if count >= 1048576 and count % 1048576 == 0 else f"{count} bytes"
