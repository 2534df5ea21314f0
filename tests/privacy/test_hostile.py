"""Text made to keep a detector busy costs time in proportion to its length; `tests.privacy.speed` says how much."""

from __future__ import annotations

import time

import pytest

from audittrail.privacy.redactor import Redactor
from tests.privacy.hostile import TEXTS

REDACTOR = Redactor(b"a key of the tests")


def cost(text: str) -> float:
    best = 9e9
    for _ in range(2):
        started = time.thread_time()
        REDACTOR.redact_text(text)
        best = min(best, time.thread_time() - started)
    return best


@pytest.mark.parametrize("name", TEXTS)
def test_time_grows_with_the_text_and_no_faster(name: str) -> None:
    text = TEXTS[name]
    # From where everything fits the allowance: an eighth of what is withheld costs as much as all of it. Eight times
    # the text costs eight times as much; quadratic, it would be 64.
    small, large = cost(text[: len(text) // 64]), cost(text[: len(text) // 8])
    assert large < 8 * 3 * max(small, 0.002)


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_redacted_or_withheld_and_stays_so(name: str) -> None:
    kept, _ = REDACTOR.redact_text(TEXTS[name])
    assert REDACTOR.redact_text(kept) == (kept, {})
