"""The shape of an answer."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list; `next` goes back as `?after=`, and is null at the end."""

    data: list[T]
    next: str | None = None


class One(msgspec.Struct, Generic[T], frozen=True):
    """A single thing."""

    data: T
