"""docs/rules.md: its examples load, and it names every key, variable and function."""

import re

import pytest

from audittrail.constitution.condition import _FUNCTIONS
from audittrail.constitution.reading import KEYS, MATCH_KEYS
from audittrail.constitution.specimen import ACTION_KEYS, SPAN_KEYS, TRACE_KEYS
from audittrail.constitution.vocabulary import SPAN, TRACE
from tests.constitution.write import good
from tests.live import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
NAMES = {"text": "text", "int": "int", "double": "double", "bool": "bool", "texts": "list of texts", "counts": "counts"}


@pytest.mark.parametrize("text", EXAMPLES, ids=[text.split("\n", 1)[0] for text in EXAMPLES])
def test_an_example_is_a_rule_whose_tests_pass(text: str) -> None:
    assert len(good(text)) == 1


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4 and len(good(*EXAMPLES)) == len(EXAMPLES)


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(heading, 1)[1].split("\n#", 1)[0]
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line] for line in lines]


@pytest.mark.parametrize(("heading", "variables"), [("### Of a span", SPAN), ("### Of a trace", TRACE)])
def test_every_variable_is_listed_with_its_type_and_meaning(heading: str, variables: tuple) -> None:
    assert rows(heading) == [[f"`{v.name}`", NAMES[v.type], v.meaning] for v in variables]


def test_every_key_is_listed() -> None:
    assert sorted(row[0].strip("`") for row in rows("## Keys")) == sorted(KEYS)
    told = PAGE.split("### match", 1)[1].split("###", 1)[0]
    assert all(f"`{key}`" in told for key in MATCH_KEYS["span"])
    told = " ".join(PAGE.split("### tests", 1)[1].split("```", 1)[0].split())
    for keys in (SPAN_KEYS, ACTION_KEYS, TRACE_KEYS):
        assert " ".join(keys) in told


def test_every_function_is_listed() -> None:
    listed = " ".join(row[0] for row in rows("## Functions"))
    unlisted = {"has", "bool", "duration", "timestamp"}  # they work, and nothing in the vocabulary needs them
    assert [name for name in sorted(_FUNCTIONS - unlisted) if f"{name}(" not in listed] == []
