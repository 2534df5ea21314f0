"""The same detectors inside scrubadub's frame, for free text and for whoever adds detectors of their own to it.

The hot path does not go through it (docs/decisions/0030): its import costs 1.7 s and 140 MB, so it happens late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from audittrail.privacy.finding import TooMany
from audittrail.privacy.placeholder import WITHHELD, withheld
from audittrail.privacy.redactor import Counts, Redactor

# scrubadub's own detectors that are never run: `credential` takes 8 s for "login" and 2,000 spaces (cubic), `twitter`
# takes @property for a person, `phone` any ten digits; the others are found by ours, in JSON as well.
REPLACED = frozenset({"credential", "twitter", "phone", "email", "url", "credit_card", "social_security_number"})


class Scrubber:
    """scrubadub's Scrubber with our detectors, and `more` of its own or of others: names, postal addresses."""

    def __init__(self, redactor: Redactor, more: Sequence[Any] = ()) -> None:
        """Raises ValueError where `more` names a detector of scrubadub that must not see hostile text."""
        refused = sorted(REPLACED & {getattr(d, "name", d) for d in more})
        if refused:
            raise ValueError(
                f"scrubadub's detector {refused[0]!r} is not safe on untrusted text; AuditTrail has its own"
            )
        self._counts: Counter[str] = Counter()
        self._scrubber = _build(redactor, more, self._counts)

    def clean(self, text: str) -> tuple[str, Counts]:
        """The text with placeholders, and how much of each type that was: what `redact_text` says of it."""
        self._counts.clear()
        try:
            return str(self._scrubber.clean(text)), dict(self._counts)
        except TooMany:
            return withheld(len(_bytes(text))), {WITHHELD: 1}


def _build(redactor: Redactor, more: Sequence[Any], counts: Counter[str]) -> Any:
    import scrubadub  # type: ignore[import-untyped]
    from scrubadub.detectors import Detector  # type: ignore[import-untyped]
    from scrubadub.filth import Filth  # type: ignore[import-untyped]
    from scrubadub.post_processors import PostProcessor  # type: ignore[import-untyped]

    class Found(Filth):  # type: ignore[misc]
        type = "audittrail"

    class Ours(Detector):  # type: ignore[misc]
        name = "audittrail"
        filth_cls = Found

        def iter_filth(self, text: str, document_name: str | None = None) -> Iterator[Any]:
            for start, end, _, mark in redactor.finds(text):
                yield Found(start, end, text[start:end], replacement_string=mark, detector_name=self.name)

    class Placeholders(PostProcessor):  # type: ignore[misc]
        name = "audittrail"

        def process_filth(self, filth_list: Sequence[Any]) -> Sequence[Any]:
            counts.clear()  # scrubadub comes here twice for each text
            for filth in filth_list:
                # Where filths were merged, the first of ours names them; what is not ours is named by its own type.
                own = [f for f in getattr(filth, "filths", [filth]) if isinstance(f, Found)]
                if own and filth.text == own[0].text:
                    filth.replacement_string = own[0].replacement_string
                else:
                    kind = own[0].replacement_string.strip('\\"')[1:].partition(":")[0] if own else _type(filth.type)
                    filth.replacement_string = redactor.mark(kind, _bytes(filth.text.strip().lower()))
                counts[filth.replacement_string.strip('\\"')[1:].partition(":")[0]] += 1
            return filth_list

    return scrubadub.Scrubber(detector_list=[Ours(), *more], post_processor_list=[Placeholders()])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _type(name: str) -> str:
    return "".join(c if c.isalpha() else "_" for c in name.upper())[:16]
