"""scrubadub's frame around our detectors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from audittrail.privacy.redactor import Redactor
from audittrail.privacy.scrubber import Scrubber
from tests.live import ROOT
from tests.privacy.test_types import CASES, MARKED

REDACTOR = Redactor(b"a key of the tests")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    pytest.importorskip("scrubadub")
    return Scrubber(REDACTOR)


def test_it_says_what_the_redactor_says(scrubber: Scrubber) -> None:
    for _, marked in CASES:
        text = MARKED.sub(lambda m: m[1], marked)
        assert scrubber.clean(text) == REDACTOR.redact_text(text)


def test_too_much_is_withheld(scrubber: Scrubber) -> None:
    assert scrubber.clean("a@b.co " * 10_000) == ("<WITHHELD:70000 bytes>", {"WITHHELD": 1})


def test_others_add_their_detectors() -> None:
    scrubadub = pytest.importorskip("scrubadub")

    class Bobs(scrubadub.detectors.Detector):  # type: ignore[misc, name-defined]
        name = "bobs"

        def iter_filth(self, text: str, document_name: str | None = None) -> Any:
            at = text.find("Bob")
            yield scrubadub.filth.NameFilth(at, at + 3, "Bob", detector_name=self.name)

    text, counts = Scrubber(REDACTOR, [Bobs()]).clean("Bob is bob@example.org")
    assert counts == {"NAME": 1, "EMAIL": 1}
    assert text == f"{REDACTOR.mark('NAME', b'bob')} is {REDACTOR.redact_text('bob@example.org')[0]}"


@pytest.mark.parametrize("name", ["credential", "twitter", "phone"])
def test_the_detectors_that_hostile_text_can_stall_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Scrubber(REDACTOR, [name])


def test_the_server_does_not_pay_for_the_frame() -> None:
    code = "import sys, audittrail.privacy.redactor, audittrail.privacy.scrubber; sys.exit('scrubadub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
