"""The page of an error."""

from __future__ import annotations

import msgspec


class ProblemView(msgspec.Struct, frozen=True):
    """Template: pages/problem.html."""

    status: int
    title: str  # "Not found"
    detail: str  # what, where, what to do
    reference: str = ""  # of an unexpected error: the id under which the server's log has it
