"""Where it is said, again and again, that all turns: the table `[heartbeat]`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from core.configuration.sections import Section
from core.durations import PositiveDuration, write
from core.errors import Unfit
from core.transport.proxy import is_web_address

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(hours=1)


def _page(url: SecretStr) -> SecretStr:
    if not is_web_address(url.get_secret_value()):
        raise Unfit("is no address of a page; write https://host/path, as the service shows it")
    return url


def _often(every: timedelta) -> timedelta:
    if not SHORTEST <= every <= LONGEST:
        raise Unfit(f"is too often or too seldom; write {write(SHORTEST)} to {write(LONGEST)}")
    return every


class Heartbeat(Section):
    """A service that calls somebody when it is not asked any more; *url* holds a token there."""

    url: Annotated[SecretStr, AfterValidator(_page)]
    every: Annotated[PositiveDuration, AfterValidator(_often)] = timedelta(minutes=1)
