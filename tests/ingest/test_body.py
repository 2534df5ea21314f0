import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from audittrail.ingest.body import DEFAULT_LIMITS, BodyLimits, read_body
from audittrail.model.errors import Invalid, TooLarge, UnsupportedMedia

TEXT = b"the audit trail is complete " * 4000
SMALL = BodyLimits(max_bytes=1000, max_decoded_bytes=5000)


async def chunks(data: bytes, size: int = 777) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def read(data: bytes, encoding: str = "", limits: BodyLimits = DEFAULT_LIMITS, size: int = 777) -> bytes:
    return asyncio.run(read_body(chunks(data, size), encoding=encoding, limits=limits))


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 777, 10**6])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        (" GZip ", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
def test_every_encoding_comes_out_as_it_went_in(encoding, pack, size):
    assert read(pack(TEXT), encoding, size=size) == TEXT
    assert read(pack(b""), encoding, size=size) == b""


def test_a_body_without_a_byte_is_empty_whatever_its_encoding():
    assert read(b"", "gzip") == read(b"", "deflate") == read(b"") == b""


def test_gzip_members_follow_one_another():
    assert read(gzip.compress(b"one ", mtime=0) + gzip.compress(b"two") + bytes(5), "gzip", size=1) == b"one two"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "\n\0<script>"])
def test_other_encodings_are_refused_with_what_to_do(encoding):
    with pytest.raises(UnsupportedMedia, match="use gzip, deflate or none") as caught:
        read(b"x", encoding)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-4]),
        ("gzip", gzip.compress(TEXT, mtime=0)[:20]),
        ("gzip", b"\x1f"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8)),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"rest"),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", zlib.compress(TEXT) + b"rest"),
        ("deflate", raw_deflate(TEXT)[:-1]),
        ("deflate", b"\xff\xff\xff"),
    ],
)
def test_broken_or_cut_off_data_is_invalid(encoding, data):
    for size in (1, 777):
        with pytest.raises(Invalid):
            read(data, encoding, size=size)


def test_what_travels_is_bounded_while_it_comes():
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(100)

    with pytest.raises(TooLarge, match="1000 bytes"):
        asyncio.run(read_body(endless(), limits=SMALL))
    assert len(taken) == 11


def test_exactly_the_limit_is_allowed():
    assert read(bytes(1000), limits=SMALL) == bytes(1000)
    assert read(gzip.compress(bytes(5000), mtime=0), "gzip", SMALL) == bytes(5000)
    with pytest.raises(TooLarge, match="unpacks to more than the limit of 5000 bytes"):
        read(gzip.compress(bytes(5001), mtime=0), "gzip", SMALL)
    with pytest.raises(TooLarge, match="unpacks to more"):
        read(bytes(6), limits=BodyLimits(max_bytes=10, max_decoded_bytes=5))


def test_the_default_limits_are_named_in_mebibytes():
    with pytest.raises(TooLarge, match="16 MiB"):
        read(bytes(16 * 1024 * 1024 + 1), size=1024 * 1024)


def test_a_bomb_stops_at_the_limit_and_not_at_its_size():
    bomb = gzip.compress(bytes(200_000_000), 9, mtime=0)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="unpacks to more than the limit of 2 MiB"):
            read(bomb, "gzip", BodyLimits(max_decoded_bytes=2 * 1024 * 1024), size=65536)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 1024 * 1024
