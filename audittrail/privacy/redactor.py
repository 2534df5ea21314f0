"""Takes personal data and secrets out of whatever a client sent: the one entrance to this package."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from audittrail.model.record import SpanRecord
from audittrail.privacy import account, address, contact, credential, escapes, keyformats, named, personal
from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import BARRIER, KEY, MAX_CANDIDATES, Find, Text, TooMany, resolve
from audittrail.privacy.gate import Gate
from audittrail.privacy.jsonnumber import Strings
from audittrail.privacy.leaves import Leaves, Rebuilt
from audittrail.privacy.placeholder import WITHHELD, masked, placeholder, withheld

# Texts of one record, in bytes: what a request may be at the most. A gate pass over this takes 0.1 s, and holds up
# nobody; what is larger is withheld, the largest text first.
MAX_BYTES = 64 * 2**20
# Taking something out can bring two ends together that make a new find. Nobody's text needs a third pass.
MAX_PASSES = 4

DETECTORS: tuple[Detector, ...] = (
    *contact.DETECTORS,
    *account.DETECTORS,
    *address.DETECTORS,
    *keyformats.DETECTORS,
    *credential.DETECTORS,
    *named.DETECTORS,
    *personal.DETECTORS,
)

Counts = dict[str, int]


class Redactor:
    """Replaces each find by a placeholder that is equal for equal values under the same key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._gate = Gate((n, door, d.cased) for n, d in enumerate(DETECTORS) for door in d.doors)

    def redact(self, record: SpanRecord) -> tuple[SpanRecord, Counts]:
        """The record without what must not be kept, and how much of each type that was. The same object if nothing."""
        leaves = Leaves()
        _walk(record, leaves)
        changed, counts = self._clean(leaves.parts)
        if leaves.too_deep:
            counts[WITHHELD] = counts.get(WITHHELD, 0) + leaves.too_deep
        elif not changed:
            return record, counts
        return _rebuild(record, Rebuilt(changed)), counts

    def redact_text(self, text: str, *, field: str = "") -> tuple[str, Counts]:
        """The same for one text. The field's name may say what the text is."""
        return self.redact_value(text, (field,) if field else ())

    def redact_value(self, value: Any, key_path: Sequence[str] = ()) -> tuple[Any, Counts]:
        """The same for a JSON value found under the keys, outermost first."""
        key = key_path[-1] if key_path else ""
        leaves = Leaves()
        leaves.value(value, key)
        changed, counts = self._clean(leaves.parts)
        if leaves.too_deep:
            counts[WITHHELD] = counts.get(WITHHELD, 0) + leaves.too_deep
        elif not changed:
            return value, counts
        return Rebuilt(changed).value(value, key), counts

    def finds(self, text: str) -> list[tuple[int, int, str, str]]:
        """Start, end, type and placeholder of what is found in the text, in characters. Raises TooMany."""
        data = _bytes(text)
        if len(data) > MAX_BYTES:
            raise TooMany
        found = self._scan([data], _allowance([data]))[0].get(0, [])
        result, at, position, strings = [], 0, 0, Strings(data)
        for find in found:  # in order, so each byte is decoded once
            position += len(_text(data[at : find.start]))
            length = len(_text(data[find.start : find.end]))
            result.append((position, position + length, find.type, self._mark_at(strings, find)))
            position, at = position + length, find.end
        return result

    def mark(self, kind: str, value: bytes) -> str:
        """The placeholder of a value that was found some other way."""
        return placeholder(self._key, kind, value).decode()

    def _clean(self, parts: list[str]) -> tuple[dict[int, str], Counts]:
        """The parts that must change, by number."""
        data = _bytes("\0".join(parts))
        doors = None
        if len(data) <= MAX_BYTES and data.count(BARRIER) < len(parts):
            with suppress(TooMany):
                doors = self._doors(data, escapes.read(data)[0])
                if not doors:
                    return {}, {}
        return self._cleaned([_bytes(part) for part in parts], doors)

    def _cleaned(self, parts: list[bytes], doors: set[int] | None) -> tuple[dict[int, str], Counts]:
        counts: Counter[str] = Counter()
        changed: set[int] = set()
        size = sum(map(len, parts)) + len(parts)
        todo = list(range(len(parts)))
        if size > MAX_BYTES:
            for number in sorted(todo, key=lambda n: -len(parts[n])):
                if size <= MAX_BYTES:
                    break
                size -= len(parts[number])
                parts[number] = _withhold(parts[number], counts)
                changed.add(number)
        for _ in range(MAX_PASSES):
            finds, unread = self._finds([parts[n] for n in todo], doors)
            doors = None
            for at in unread:
                parts[todo[at]] = _withhold(parts[todo[at]], counts)
                changed.add(todo[at])
            again = []
            for at, of_part in finds.items():
                number = todo[at]
                parts[number] = self._replaced(parts[number], of_part)
                counts.update(find.type for find in of_part)
                again.append(number)
            changed.update(again)
            todo = again
            if not todo:
                break
        for number in todo:  # it would go on changing
            parts[number] = _withhold(parts[number], counts)
        return {number: _text(parts[number]) for number in changed}, dict(counts)

    def _finds(self, parts: list[bytes], doors: set[int] | None) -> tuple[dict[int, list[Find]], list[int]]:
        """The finds by part, positions within it, and the parts that could not be looked through."""
        left = _allowance(parts)
        try:
            return self._scan(parts, left, doors)[0], []
        except TooMany:
            if len(parts) == 1:
                return {}, [0]
        # One part may be to blame for it: the shortest first, as long as the same allowance lasts.
        found, unread = dict[int, list[Find]](), list[int]()
        for number in sorted(range(len(parts)), key=lambda n: len(parts[n])):
            try:
                of_part, left = self._scan([parts[number]], left)
            except TooMany:
                unread.append(number)
                left = left // 2
                continue
            if of_part:
                found[number] = of_part[0]
        return found, unread

    def _scan(
        self, parts: list[bytes], allowance: int, doors: set[int] | None = None
    ) -> tuple[dict[int, list[Find]], int]:
        data = BARRIER.join(parts)
        if data.count(BARRIER) >= len(parts):  # a NUL inside a part would look like its end
            data = BARRIER.join(part.replace(BARRIER, b"\x02") for part in parts)
        data = masked(data)
        view, back = escapes.read(data)
        text = Text(view, data, allowance)
        finds = []
        for number in sorted(self._doors(data, view) if doors is None else doors):
            detector = DETECTORS[number]
            for find in detector.search(text):
                if back and not detector.sent:
                    find = find._replace(start=back(find.start, False), end=back(find.end, True))  # noqa: PLW2901
                finds.append(find)
        return _by_part(resolve(finds), parts), text.left

    def _doors(self, sent: bytes, view: bytes) -> set[int]:
        """The detectors worth running. Some read what was sent and some the view, so both are looked at; in one pass,
        since each gives the interpreter's lock away and may wait 5 ms to have it back."""
        return self._gate.open(sent if view is sent else sent + BARRIER + view)

    def _mark_at(self, strings: Strings, find: Find) -> str:
        quote = strings.quotes(find.start, find.end).decode()
        return quote + self.mark(find.type, find.value) + quote

    def _replaced(self, part: bytes, finds: list[Find]) -> bytes:
        pieces: list[bytes] = []
        last, strings = 0, Strings(part)
        for find in finds:
            pieces += (part[last : find.start], self._mark_at(strings, find).encode())
            last = find.end
        return b"".join((*pieces, part[last:]))


def _allowance(parts: list[bytes]) -> int:
    """Of candidates: for each megabyte what one is worth, so that the time is in proportion to the text."""
    return MAX_CANDIDATES * max(1, sum(map(len, parts)) >> 20)


def _by_part(finds: list[Find], parts: list[bytes]) -> dict[int, list[Find]]:
    found: dict[int, list[Find]] = {}
    if not finds:
        return found
    starts, at = [], 0
    for part in parts:
        starts.append(at)
        at += len(part) + 1
    for find in finds:
        number = bisect_right(starts, find.start) - 1
        base, part = starts[number], parts[number]
        start, end = find.start - base, min(find.end - base, len(part))
        # A key and its value stay apart.
        key = part.find(KEY)
        pieces = ((start, key), (key + 1, end)) if start <= key < end else ((start, end),)
        found.setdefault(number, []).extend(find._replace(start=a, end=b) for a, b in pieces if a < b)
    return found


def _withhold(part: bytes, counts: Counter[str]) -> bytes:
    counts[WITHHELD] += 1
    key, _, value = part.partition(KEY)
    key = key if len(key) < 256 else withheld(len(key)).encode()
    return key + KEY + withheld(len(value)).encode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _walk(record: SpanRecord, leaves: Leaves) -> None:
    scope = record.scope
    for text in (record.name, record.status_message, record.trace_state, scope.name, scope.version):
        leaves.value(text)
    leaves.items(record.attributes)
    leaves.items(record.resource)
    leaves.items(scope.attributes)
    for event in record.events:
        leaves.value(event.name)
        leaves.items(event.attributes)
    for link in record.links:
        leaves.items(link.attributes)


def _rebuild(record: SpanRecord, new: Rebuilt) -> SpanRecord:
    """Field by field in the order of `_walk`."""
    name, status_message, trace_state = (
        new.value(record.name),
        new.value(record.status_message),
        new.value(record.trace_state),
    )
    scope_name, scope_version = new.value(record.scope.name), new.value(record.scope.version)
    attributes, resource = new.items(record.attributes), new.items(record.resource)
    scope = replace(record.scope, name=scope_name, version=scope_version, attributes=new.items(record.scope.attributes))
    events = tuple(replace(e, name=new.value(e.name), attributes=new.items(e.attributes)) for e in record.events)
    links = tuple(replace(link, attributes=new.items(link.attributes)) for link in record.links)
    return replace(
        record,
        name=name,
        status_message=status_message,
        trace_state=trace_state,
        attributes=attributes,
        resource=resource,
        scope=scope,
        events=events,
        links=links,
    )
