"""A process of its own that reads, redacts and judges large bodies: frames in by stdin, frames out by stdout.

Reading a span takes some 300 µs, in which the event loop of the server would wait for the interpreter's lock; here it
has another process's to itself. What it is told and what it answers are pure data, so it may end at any time: the end
of its input ends it, whatever became of the server.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from audittrail.constitution import EMPTY, RuleSet, load
from audittrail.ingest.formats import DECODERS, Format
from audittrail.ingest.pipeline import prepare
from audittrail.model import errors
from audittrail.model.batch import Prepared, Refusal
from audittrail.model.summary import SpanRow
from audittrail.model.verdict import Verdict
from audittrail.privacy.redactor import Redactor

SIZE = struct.Struct("!I")  # leads every frame: its length in bytes


class Redaction(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The key of the marks; None turns redaction off."""

    key: bytes | None


class Rules(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The rule files of a set, all good, by name: the bodies that follow are judged by it."""

    files: dict[str, str]


class Body(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A request's body. Each is answered, in order, by Read or Failed."""

    format: Format
    data: bytes


class _Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A Prepared, with a rule that passed told by its place in the set alone."""

    row: SpanRow
    record: bytes
    verdicts: tuple[int | Verdict, ...]
    action: str


class Read(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What a body held."""

    spans: list[_Span]
    refused: list[Refusal]

    def prepared(self, rules: RuleSet) -> tuple[Prepared, ...]:
        """The spans, given the set they were judged by."""
        passed = [ready.passed for ready in rules.ready]
        return tuple(
            Prepared(
                span.row,
                span.record,
                tuple(passed[said] if isinstance(said, int) else said for said in span.verdicts),
                span.action,
            )
            for span in self.spans
        )


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Why a body was refused whole. `kind` is a class of model.errors; empty: an error of ours, without its content."""

    kind: str
    message: str

    def error(self) -> Exception:
        """What to raise."""
        kind = getattr(errors, self.kind, None) if self.kind else None
        return kind(self.message) if kind else RuntimeError(f"reading failed: {self.message}")


Asked = Redaction | Rules | Body
Answered = Read | Failed
encode = msgspec.msgpack.Encoder().encode
decode_answer = msgspec.msgpack.Decoder(Answered).decode
_decode_asked = msgspec.msgpack.Decoder(Asked).decode


def answer(body: Body, redactor: Redactor | None, rules: RuleSet) -> Answered:
    """What `prepare` makes of a body, as it is sent back. Never raises."""
    try:
        decoded = DECODERS[body.format](body.data)
        places = {id(ready.passed): place for place, ready in enumerate(rules.ready)}
        spans = [
            _Span(p.row, p.record, tuple(places.get(id(said), said) for said in p.verdicts), p.action)
            for p in prepare(decoded.records, redactor, rules)
        ]
        return Read(spans, decoded.refused)
    except errors.AuditTrailError as error:
        return Failed(type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001 - the body is answered, and the next is read
        return Failed("", errors.where(error))


def run(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answers until the input ends."""
    redactor: Redactor | None = None
    rules: RuleSet = EMPTY
    for frame in _frames(asked):
        message = _decode_asked(frame)
        if isinstance(message, Body):
            reply = encode(answer(message, redactor, rules))
            answers.write(SIZE.pack(len(reply)))
            answers.write(reply)
            answers.flush()
        elif isinstance(message, Rules):
            found: Any = load(message.files)
            if not isinstance(found, RuleSet):
                raise SystemExit("The rules that are in force could not be loaded by the reader.")
            rules = found
        else:
            redactor = Redactor(message.key) if message.key is not None else None
            # As in the server: what is there now stays.
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)


def _frames(source: BinaryIO) -> Iterator[bytes]:
    while len(head := source.read(SIZE.size)) == SIZE.size:
        (size,) = SIZE.unpack(head)
        frame = source.read(size)
        if len(frame) < size:
            return
        yield frame


def main() -> None:
    """The process. A terminal and an init system tell all processes to stop; the server has yet to drain, so this one
    stops when its input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(5)  # the server answers checks and pages while bodies wait
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # what anybody prints must not stand between two frames
    run(sys.stdin.buffer, answers)
