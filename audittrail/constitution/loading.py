"""Rule files into a set of rules, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audittrail.constitution.document import MAX_BYTES
from audittrail.constitution.faults import RuleError
from audittrail.constitution.reading import read_rule
from audittrail.constitution.ruleset import Ready, RuleSet

MAX_FILES = 300


def load(files: Mapping[str, str | bytes]) -> RuleSet | list[RuleError]:
    """A set of the rules in all files, in the order of their names; or every mistake in every file.

    Takes some milliseconds for each file, tests included: do not call it on an event loop.
    """
    if len(files) > MAX_FILES:
        return [RuleError("rules", 0, 0, f"there are {len(files)} rule files; {MAX_FILES} are the most")]
    ready: list[Ready] = []
    errors: list[RuleError] = []
    first: dict[str, str] = {}
    for index, file in enumerate(sorted(files)):
        text = _decoded(file, files[file])
        found = [text] if isinstance(text, RuleError) else read_rule(file, text, index)
        if isinstance(found, list):
            errors += found
            continue
        rule_id = found.rule.id
        if rule_id in first:
            errors.append(RuleError(file, 1, 1, f"the id is taken by {first[rule_id]}; give it another", rule_id))
        first.setdefault(rule_id, file)
        ready.append(found)
    return errors or RuleSet(ready)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The YAML files of a folder, by name; of each no more than tells that it is too large. Raises OSError."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".") and path.is_file():
            with path.open("rb") as file:
                found[path.name] = file.read(MAX_BYTES + 1)
    return found


def load_folder(folder: Path) -> RuleSet | list[RuleError]:
    """The rules of a folder. One that cannot be read is an error like a broken file."""
    try:
        return load(read_folder(folder))
    except OSError as error:
        return [RuleError(str(error.filename or folder.name), 0, 0, f"cannot be read: {error.strerror}")]


def _decoded(file: str, content: str | bytes) -> str | RuleError:
    if isinstance(content, str):
        return content
    try:
        # Of what is too large only the size matters, and its last character may be cut in two.
        return content.decode("utf-8", "strict" if len(content) <= MAX_BYTES else "replace")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return RuleError(file, line, 1, "the file is not UTF-8 text; save it as UTF-8")
