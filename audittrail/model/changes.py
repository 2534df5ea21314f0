"""What has changed, for whoever looks at it: topics and ids by project, never content."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

import msgspec

Topic = Literal["traces", "trace", "violations", "approvals", "counts", "ablations", "reports"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
# Of one topic in one event; more are "all of them". A commit may name more, so that a page of one trace learns whether
# that is among them.
MAX_IDS = 100
MAX_COMMIT_IDS = 10_000

# By topic the ids that changed; None: all of them, or it is not said which.
Topics = dict[str, set[str] | None]

_Wire = dict[int, dict[str, list[str] | None]]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Wire).decode


def add(topics: Topics, topic: str, ids: Collection[str] = (), most: int = MAX_IDS) -> None:
    """Notes that these have changed; without ids, or where they are more than `most`, that all may have."""
    known = topics.setdefault(topic, set())
    if known is None:
        return
    known.update(ids)
    if not ids or len(known) > most:
        topics[topic] = None


def merge(into: Topics, more: Topics) -> None:
    """Notes in the first what the second says too."""
    for topic, ids in more.items():
        add(into, topic, ids or ())


class Changes:
    """Of several projects."""

    def __init__(self, by_project: dict[int, Topics] | None = None) -> None:
        self.by_project: dict[int, Topics] = by_project or {}

    def add(self, project_id: int, topic: Topic, ids: Collection[str] = ()) -> None:
        """Notes that these have changed; without ids, that all may have."""
        add(self.by_project.setdefault(project_id, {}), topic, ids, MAX_COMMIT_IDS)

    def __bool__(self) -> bool:
        return bool(self.by_project)

    def encode(self, limit: int) -> list[bytes]:
        """As texts of at most `limit` bytes each. Where a project's ids are too long for that, they become "all"."""
        made = []
        for project_id, topics in self.by_project.items():
            text = _encode({project_id: {topic: ids and sorted(ids) for topic, ids in topics.items()}})
            made.append(text if len(text) <= limit else _encode({project_id: dict.fromkeys(topics)}))
        return made

    @classmethod
    def decode(cls, text: bytes | str) -> Changes:
        """What `encode` made. Raises ValueError for anything else."""
        return cls(
            {
                project_id: {topic: None if ids is None else set(ids) for topic, ids in topics.items()}
                for project_id, topics in _decode(text).items()
            }
        )
