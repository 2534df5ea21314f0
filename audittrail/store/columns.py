"""What the tables are made of: how names are given, and the types of columns that more than one table has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Integer, MetaData, Text, TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only in columns declared INTEGER, which there holds 64 bits as well.
Id = BigInteger().with_variant(Integer(), "sqlite")
Us = BigInteger


def picodollars(value: Decimal | None) -> int | None:
    """US dollars as whole picodollars, half to even below one."""
    return None if value is None else int(value.scaleb(12).to_integral_value())


class Dollars(TypeDecorator[Decimal]):
    """US dollars as whole picodollars, which both databases sum exactly; SQLite has no decimals.

    One token at $0.01875 per million is 18,750 of them, and 64 bits hold nine million dollars.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        """As `picodollars`."""
        return picodollars(value)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        """Exact."""
        return None if value is None else Decimal(value).scaleb(-12).normalize()


class Counts(TypeDecorator[dict[str, int]]):
    """Numbers by name, as JSON text; NULL where there are none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, int] | None, dialect: Any) -> str | None:
        """As `counts_text`."""
        return counts_text(value)

    def process_result_value(self, value: str | None, dialect: Any) -> dict[str, int]:
        """Never None."""
        return msgspec.json.decode(value, type=dict[str, int]) if value else {}


def counts_text(value: dict[str, int] | None) -> str | None:
    """As the column Counts keeps it."""
    return msgspec.json.encode(value).decode() if value else None
