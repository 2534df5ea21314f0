"""What every function of the store is given. Named here, so that nothing outside the store imports SQLAlchemy."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

Connection: TypeAlias = AsyncConnection
