"""The one door to CEL: conditions are compiled against the typed vocabulary, and evaluated.

Variables are declared with dotted names, so what a condition may say is a closed list: a misspelt name is an error when
the rule is loaded, with its line and column. Each rule's parameters are declared under the rule's own container
(`r3.params.max_rows`, which the rule reads as `params.max_rows`), so that all rules of a span share one activation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from audittrail.constitution.affected import word_set
from audittrail.constitution.faults import nearest
from audittrail.constitution.vocabulary import BY_SCOPE, Type

MAX_SOURCE = 4_000
Activation = cel.Activation
_TYPES: dict[Type, cel.Type] = {
    "text": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "texts": cel.Type.List(cel.Type.STRING),
    "counts": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}
_AT = re.compile(r"ERROR: <input>:(\d{1,6}):(\d{1,6}): ([^\n]*)")
# Texts, raw ones first, and comments: whichever begins first counts, so they are one pattern.
_TEXT = (
    r"\b[rR](?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\")"
    r"|'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
)
_TEXTS = re.compile(_TEXT, re.DOTALL)
_INERT = re.compile(_TEXT + r"|//[^\n]*", re.DOTALL)
_MATCHES = re.compile(r"(\.\s*)?\bmatches\s*\(\s*([^()]*)\)?")


class ConditionError(Exception):
    """A condition that cannot be compiled; line and column count from 1 within its source."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = line, column, message


class Condition:
    """A compiled condition, and the names it reads."""

    def __init__(self, expression: cel.Expression, names: tuple[str, ...]) -> None:
        self.expression = expression
        self.names = names

    def holds(self, activation: cel.Activation) -> bool | str:
        """Whether it holds; a text says why that cannot be told."""
        try:
            found: Any = self.expression.eval(activation).value()
        except RuntimeError as error:
            found = str(error)
        return found if isinstance(found, bool | str) else "it is not true or false"


class Language:
    """Compiles the conditions of one scope. `index` keeps the parameters of its rules apart."""

    def __init__(self, scope: str) -> None:
        self.known = BY_SCOPE[scope]
        self.types = {name: _TYPES[variable.type] for name, variable in self.known.items()}

    def compile(self, source: str, params: Mapping[str, Any], index: int) -> Condition:
        """Raises ConditionError, and nothing else."""
        if len(source) > MAX_SOURCE:
            raise ConditionError(1, 1, f"the condition is longer than {MAX_SOURCE} characters; make it two rules")
        declared = self.types | {full_name(index, name): _TYPES[type_of(value)] for name, value in params.items()}
        known = {*self.known, *(f"params.{name}" for name in params)}
        environment = cel.NewEnv(variables=declared, container=f"r{index}", functions=[_COUNT])
        _check_patterns(source, environment, {full_name(index, name): value for name, value in params.items()})
        try:
            expression = environment.compile(source)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _explained(str(error), source, known) from None
        if expression.return_type() != cel.Type.BOOL:
            raise ConditionError(1, 1, f"the condition is {_said(expression.return_type())}; it must be true or false")
        own = {full_name(index, name): f"params.{name}" for name in params}
        return Condition(expression, tuple(own.get(name, name) for name in _names(expression, declared)))

    def environment(self, params: Mapping[str, Any]) -> cel.Env:
        """Where activations for all rules of a set are made; `params` by their full names."""
        declared = self.types | {name: _TYPES[type_of(value)] for name, value in params.items()}
        return cel.NewEnv(variables=declared, functions=[_COUNT])


def full_name(index: int, name: str) -> str:
    """A parameter's name where those of all rules of a set stand side by side."""
    return f"r{index}.params.{name}"


def type_of(value: Any) -> Type:
    """The type of a parameter's value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "double"
    return "text" if isinstance(value, str) else "texts"


def _names(expression: cel.Expression, known: Iterable[str]) -> tuple[str, ...]:
    """The variables that a compiled condition reads.

    They stand in its serialised form as the compiler resolved them: a field of one byte and a length (protobuf), then
    the name. Looking for names in the source instead would need a second parser of CEL's texts and comments.
    """
    compiled: bytes = expression.serialize()
    return tuple(name for name in known if b"\n" + bytes([len(name)]) + name.encode() in compiled)


def _bare(source: str) -> str:
    """The source with texts and comments blanked; every character keeps its place."""

    def blank(match: re.Match[str]) -> str:
        return " " * len(match[0]) if match[0].startswith("//") else "'" + " " * (len(match[0]) - 2) + "'"

    return _INERT.sub(blank, source)


def _check_patterns(source: str, environment: cel.Env, values: Mapping[str, Any]) -> None:
    """A pattern is written in the rule and is valid. What a span says is never a pattern."""
    bare = _bare(source)
    for match in _MATCHES.finditer(bare):
        line, column = _place(source, match.start())
        given = source[match.start(2) : match.end(2)].strip()
        if match[1] is None or not (_TEXTS.fullmatch(given) or re.fullmatch(r"params\.\w+", given)):
            raise ConditionError(
                line, column, "a pattern is written out, or a text of params: x.matches('…') or x.matches(params.name)"
            )
        try:
            probe = environment.compile(f"''.matches({given})")
            problem = probe.eval(environment.Activation(values)).value()
        except RuntimeError as error:
            problem = str(error)
        if isinstance(problem, str):
            raise ConditionError(line, column, f"the pattern cannot be read: {_plain(problem)}")


def _place(source: str, at: int) -> tuple[int, int]:
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _explained(problem: str, source: str, known: set[str]) -> ConditionError:
    """CEL's first complaint in our words, with what to do."""
    found = _AT.search(problem)
    if not found:
        return ConditionError(1, 1, _plain(problem))
    line, column, said = int(found[1]), max(int(found[2]), 1), found[3]
    if unknown := re.match(r"undeclared reference to '([^']*)'", said):
        name = unknown[1]
        if source.split("\n")[line - 1][column - 1 : column] == ".":  # CEL points at the last dot of a dotted name
            column = max(column - len(name.rpartition(".")[0]), 1)
        if name in _FUNCTIONS or not re.search(rf"{re.escape(name.rpartition('.')[2])}\s*\(", source):
            message = f'unknown variable "{name}"{nearest(name, known) or "; docs/rules.md lists what there is"}'
        else:
            message = f'unknown function "{name}"{nearest(name, _FUNCTIONS)}'
        return ConditionError(line, column, message)
    message = _plain(said)
    if "(double, int)" in said or "(int, double)" in said:
        message += "; a fraction is compared with a fraction: write 1.0 for 1, in params as well"
    return ConditionError(line, column, message)


_FUNCTIONS = word_set(
    "size contains startsWith endsWith matches count exists all exists_one filter map has int double string bool "
    "duration timestamp"
)


def _plain(problem: str) -> str:
    text = re.sub(r"\s*\(in container '[^']*'\)|\[[A-Z_]+\]\s*$|^[A-Z_]+: ", "", problem.strip())
    return " ".join(text.split())[:300]


def _said(kind: cel.Type) -> str:
    return f"of type {kind.name().lower()}"


def _count(counts: Mapping[str, int], wanted: Any) -> int:
    if isinstance(wanted, str):
        return int(counts.get(wanted.lower(), 0))
    return min(sum(int(counts.get(name.lower(), 0)) for name in wanted), 2**63 - 1)


_COUNT = cel.FunctionDecl(
    "count",
    [
        cel.Overload("count_of_one", cel.Type.INT, [_TYPES["counts"], cel.Type.STRING], True, _count),
        cel.Overload("count_of_some", cel.Type.INT, [_TYPES["counts"], _TYPES["texts"]], True, _count),
    ],
)
