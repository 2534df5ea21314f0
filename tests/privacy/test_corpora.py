"""Measured on what others made: what is found in labelled texts, and what wrongly in an agent's tool traffic."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from audittrail.privacy.redactor import Redactor
from tests.live import ROOT

DATA = ROOT.parent / "shared" / "data"
REDACTOR = Redactor(b"a key of the tests")
BIRTH = re.compile(r"(?i)\b(?:dob\W{1,6}|date of birth(?:: | is )|born on )$")
LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_SSN": "SSN",
    "IP_ADDRESS": "IP",
}
AT_LEAST = {"EMAIL": 1.0, "PHONE": 0.88, "CARD": 0.98, "IBAN": 1.0, "SSN": 1.0, "IP": 1.0}


def load(path: Path) -> Any:
    if not path.exists():
        pytest.skip(f"{path.parent.name}/{path.name} is not here: the labelled data is handed out beside the checkout")
    return json.loads(path.read_text())


def test_recall_and_precision_on_labelled_texts() -> None:
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    wrong: list[str] = []
    for item in load(DATA / "pii" / "synth_dataset_v2.json"):
        text, finds = item["full_text"], REDACTOR.finds(item["full_text"])
        right = set()
        for span in item["spans"]:
            start, end = span["start_position"], span["end_position"]
            right |= {f for f in finds if f[0] < end and start < f[1] and span["entity_type"] not in NO_FIND}
            kind = LABELS.get(span["entity_type"])
            if kind:
                there[kind] += 1
                found[kind] += any(f[0] <= start and f[1] >= end and f[2] == kind for f in finds)
        hits.update(f[2] for f in finds)
        wrong += [f"{f[2]} {text[f[0] : f[1]]}" for f in finds if f not in right]
    for kind, number in there.items():
        print(f"{kind}: {found[kind]} of {number} found ({found[kind] / number:.1%}), {hits[kind]} hits")
        assert found[kind] >= AT_LEAST[kind] * number, kind
    print(f"all: {sum(found.values()) / sum(there.values()):.1%}; false alarms: {len(wrong)} of {sum(hits.values())}")
    assert sum(found.values()) >= 0.95 * sum(there.values())
    assert len(wrong) <= 0.01 * sum(hits.values()), wrong


NO_FIND = {"PERSON", "ORGANIZATION", "GPE", "TITLE", "AGE", "NRP", "STREET_ADDRESS"}


def test_tool_traffic_has_no_false_alarms() -> None:
    counts: Counter[str] = Counter()
    wrong = []
    size = 0
    for run in load(DATA / "tau" / "gpt-4o-airline-first-100.json"):
        for message in run["traj"]:
            text = json.dumps(message)
            size += len(text)
            for start, end, kind, _ in REDACTOR.finds(text):
                counts[kind] += 1
                # All that is personal in it: the customers' addresses, and birth dates that are called so: "dob": "…"
                # in a tool's result, "Date of Birth: …" and "born on …" where the agent says it again.
                birth = kind == "BIRTHDATE" and BIRTH.search(text[start - 20 : start])
                if kind != "EMAIL" and not birth:
                    wrong.append(text[start - 20 : end + 5])
            json.loads(REDACTOR.redact_text(text)[0])
    print(f"{size} characters: {dict(counts)}; false alarms: {len(wrong)}")
    assert counts == {"EMAIL": 61, "BIRTHDATE": 655}
    assert wrong == []
