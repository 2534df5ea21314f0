"""Protobuf's wire format by hand, for the bodies that the library refuses whole.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

# upb itself gives up at 100 nested messages, so nothing deeper could be parsed after mending.
MAX_DEPTH = 100
# Mending takes 8 µs a field, and a body of 64 MiB can hold 32 million of them: what is over is refused, not mended.
MAX_FIELDS = 100_000
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


class Broken(Exception):
    """The bytes do not follow the wire format, or are beyond mending."""


def submessages(data: bytes, number: int) -> Iterator[bytes]:
    """The contents of each length-delimited field of that number. Raises Broken where the format does not hold."""
    for _, field, wire_type, start, end in _fields(data, 0, len(data)):
        if field == number and wire_type == _LEN:
            yield data[start:end]


def joined(data: bytes, number: int) -> bytes:
    """The contents of a message field that should stand once; where it stands often they merge, as protobuf says."""
    return b"".join(submessages(data, number))


class Mender:
    """Mends the messages of one body, up to MAX_FIELDS of them all."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def mend(self, data: bytes, descriptor: Descriptor) -> bytes:
        """The message with U+FFFD for the bytes of its texts that are not UTF-8. Raises Broken."""
        out: list[bytes] = []
        self._write(data, (0, len(data)), descriptor, out, 0)
        return b"".join(out)

    def _write(self, data: bytes, span: tuple[int, int], descriptor: Descriptor, out: list[bytes], depth: int) -> int:
        """Appends a message's pieces and returns their size. A length is filled in after what it is the length of."""
        if depth > MAX_DEPTH:
            raise Broken
        size = 0
        for at, number, wire_type, inner, after in _fields(data, *span):
            self._left -= 1
            if self._left < 0:
                raise Broken
            known = descriptor.fields_by_number.get(number) if wire_type == _LEN else None
            if known is not None and known.type == FieldDescriptor.TYPE_STRING:
                text = data[inner:after].decode("utf-8", "replace").encode()
                out.append(_varint(number << 3 | _LEN) + _varint(len(text)) + text)
                size += len(out[-1])
            elif known is not None and known.message_type is not None:
                head = len(out)
                out.append(b"")
                written = self._write(data, (inner, after), known.message_type, out, depth + 1)
                out[head] = _varint(number << 3 | _LEN) + _varint(written)
                size += len(out[head]) + written
            else:
                out.append(data[at:after])
                size += after - at
        return size


def _fields(data: bytes, at: int, size: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Where each field begins, its number and wire type, and where its contents begin and end."""
    while at < size:
        begin = at
        tag, at = _read_varint(data, at, size)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise Broken
        start = at
        if wire_type == _VARINT:
            _, at = _read_varint(data, at, size)
        elif wire_type == _I64:
            at += 8
        elif wire_type == _I32:
            at += 4
        elif wire_type == _LEN:
            length, start = _read_varint(data, at, size)
            at = start + length
        else:  # groups, which proto3 does not have
            raise Broken
        if at > size:
            raise Broken
        yield begin, number, wire_type, start, at


def _read_varint(data: bytes, at: int, size: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= size:
            raise Broken
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise Broken


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
