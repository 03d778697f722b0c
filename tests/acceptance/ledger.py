"""What the daemon's database says, asked for by the test beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from core.store import pgcluster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.acceptance.beside import Beside

MESSAGES = "select id from message where $1::text is null or account = $1"
LAGS = """
    select extract(epoch from seen_at - sent_at)::float8 from message
    where account = $1 and party = 'buyer' and sent_at >= $2 and sent_at < $3
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The embedded database of the shop at *place*."""

    beside: Beside
    place: Path

    def _address(self) -> dict[str, Any]:
        home = pgcluster.Home((self.place / "var" / "postgres").resolve())
        return {
            "host": str(home.cluster / "s"), "user": pgcluster.ROLE,
            "password": home.password.read_text(), "database": "postgres",
        }  # fmt: skip

    def rows(self, query: str, *args: object) -> list[Sequence[Any]]:
        """What *query* finds."""

        async def fetched() -> list[Sequence[Any]]:
            db = await asyncpg.connect(**self._address(), timeout=10, command_timeout=60)
            try:
                return [tuple(row) for row in await db.fetch(query, *args)]
            finally:
                await db.close()

        return self.beside.run(fetched())

    def value(self, query: str, *args: object) -> Any:
        """The one value that *query* finds."""
        return self.rows(query, *args)[0][0]

    def stored(self, account: str | None = None) -> set[str]:
        """The ids of the messages that are stored, of one account or of all."""
        return {id_ for (id_,) in self.rows(MESSAGES, account)}

    def lags(self, account: str, since: Any, until: Any) -> list[float]:
        """Seconds from the marketplace's instant of a message to its storing, the least first."""
        return [lag for (lag,) in self.rows(LAGS, account, since, until)]
