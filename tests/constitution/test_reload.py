"""A broken file keeps the last good set; folders are read with care."""

from pathlib import Path

from audittrail.constitution import Constitution, RuleError, RuleSet, load_folder, read_folder
from audittrail.constitution.document import MAX_BYTES
from tests.constitution.write import GOOD


def test_a_broken_file_keeps_the_last_good_set_until_it_is_mended() -> None:
    constitution = Constitution()
    assert len(constitution.rules) == 0 and constitution.errors == ()
    assert constitution.update({"a.yaml": GOOD}) == []
    first = constitution.rules
    found = constitution.update({"a.yaml": GOOD.replace("high", "urgent")})
    assert found and constitution.rules is first
    assert constitution.errors == tuple(found) and constitution.errors[0].line == 3
    assert constitution.update({"a.yaml": GOOD.replace("high", "low")}) == []
    assert constitution.errors == () and constitution.rules.rules[0].severity == "low"


def test_a_folder_that_cannot_be_read_keeps_the_last_good_set() -> None:
    constitution = Constitution()
    constitution.update({"a.yaml": GOOD})
    constitution.failed(RuleError("rules", 0, 0, "cannot be read: No such file or directory"))
    assert len(constitution.rules) == 1 and str(constitution.errors[0]).startswith("rules  cannot be read")


def test_a_folder_is_read_by_name_and_only_its_yaml(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "a.yml").write_text(GOOD.replace("one-rule", "another"))
    (tmp_path / "README.md").write_text("# not a rule")
    (tmp_path / ".hidden.yaml").write_text("not: [valid")
    (tmp_path / "folder.yaml").mkdir()
    found = load_folder(tmp_path)
    assert isinstance(found, RuleSet)
    assert [(rule.file, rule.id) for rule in found.rules] == [("a.yml", "another"), ("b.yaml", "one-rule")]


def test_of_a_large_file_only_so_much_is_read_as_tells(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(10_000_000)
    assert len(read_folder(tmp_path)["big.yaml"]) == MAX_BYTES + 1
    found = load_folder(tmp_path)
    assert isinstance(found, list) and "larger than 64 KB" in str(found[0])


def test_a_folder_that_is_not_there_is_an_error_and_no_exception(tmp_path: Path) -> None:
    found = load_folder(tmp_path / "nowhere")
    assert isinstance(found, list) and "cannot be read" in str(found[0])
