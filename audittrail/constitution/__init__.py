"""The constitution: rule files, the conditions in them, and the judging of spans, traces and actions by them.

Pure: text and structs in, structs out. Only `loading.read_folder` touches the disk.
"""

from audittrail.constitution.binding import action_hash, kept_hash
from audittrail.constitution.constitution import Constitution
from audittrail.constitution.engine import decide, judge_span, judge_trace
from audittrail.constitution.faults import RuleError
from audittrail.constitution.loading import load, load_folder, read_folder
from audittrail.constitution.rule import Rule
from audittrail.constitution.ruleset import EMPTY, RuleSet

__all__ = [
    "EMPTY",
    "Constitution",
    "Rule",
    "RuleError",
    "RuleSet",
    "action_hash",
    "decide",
    "judge_span",
    "judge_trace",
    "kept_hash",
    "load",
    "load_folder",
    "read_folder",
]
