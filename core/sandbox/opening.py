"""The first run of a stand-in of shops: one for each account, and people who use it.

Made for promises of one minute. Each instant begins another scene: who starts again meets
nobody of the last one.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from core.sandbox import scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from core.sandbox.people import Regular
    from core.sandbox.scene import Stage

PROMISE = timedelta(minutes=1)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
LANGUAGES = ("en", "de", "fr", "es")
"""What people speak who buy of a small shop."""


class AccountPush(Protocol):
    """Where an account is pushed to."""

    @property
    def endpoint(self) -> str: ...


class AccountOptions(Protocol):
    """What a stand-in needs to know of an account that may be pushed to."""

    @property
    def push(self) -> AccountPush | None: ...


def seed(begun: datetime) -> int:
    """The chance of a stand-in that was opened at this instant."""
    return crc32(begun.isoformat().encode())


def first_number(begun: datetime, a_second: int) -> int:
    """Where the numbers of a shop go on, where no earlier scene has been.

    *a_second*: so many are kept for each second, so that no later scene gives one of them again.
    """
    return max(0, int((begun - EPOCH).total_seconds())) * a_second


@asynccontextmanager
async def played(
    stages: Mapping[str, Stage],
    begun: datetime,
    clock: Callable[[], datetime],
    *,
    regular: Regular | None = None,
    languages: Sequence[str] = LANGUAGES,
) -> AsyncIterator[None]:
    """Play on the *stages*, by account, while entered: what was before the beginning is done."""
    scenes = [
        scene.Scene(
            stage,
            within=PROMISE,
            seed=crc32(f"{name} {begun}".encode()),
            regular=regular,
            languages=languages,
        )
        for name, stage in stages.items()
    ]
    for each in scenes:
        each.once(clock())
    async with scene.playing(scenes, clock):
        yield
