"""Asks again, within seconds, where a first answer failed in a way that may pass."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from core.errors import ConnectorError, RateLimited, Unreachable
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.transport.http import Limits

T = TypeVar("T")


async def asked(
    ask: Callable[[], Awaitable[T]], limits: Limits, retried: Callable[[str], None]
) -> T:
    """What *ask* comes to, tried as often and as long as *limits* allow.

    The first try, which nearly always does, costs nothing of the machinery; its time counts.
    *retried* is told the reason of each further one.
    """
    began = monotonic()
    try:
        return await ask()
    except ConnectorError as fault:
        if not _may_help(fault, limits):
            raise
        first: ConnectorError | None = fault

    async def answered() -> T:
        nonlocal first
        told, first = first, None
        if told is not None:
            raise told
        return await ask()

    return await _retrying(limits, retried, monotonic() - began)(answered)


def _retrying(limits: Limits, retried: Callable[[str], None], spent: float) -> AsyncRetrying:
    """The tries that are left when *spent* seconds are gone."""
    left = max(0.0, limits.total - spent)
    return AsyncRetrying(
        stop=stop_after_attempt(limits.attempts) | stop_before_delay(left),
        retry=retry_if_exception(lambda fault: _may_help(fault, limits)),
        wait=lambda state: _wait(state, limits),
        before_sleep=lambda state: retried(getattr(_fault(state), "reason", "unreachable")),
        reraise=True,
    )


def _may_help(fault: BaseException, limits: Limits) -> bool:
    wait = fault.retry_after if isinstance(fault, RateLimited | Unreachable) else None
    return answers.is_passing(fault) if wait is None else wait <= limits.patience


def _wait(state: RetryCallState, limits: Limits) -> float:
    fault = _fault(state)
    if isinstance(fault, RateLimited | Unreachable) and fault.retry_after is not None:
        return fault.retry_after
    first, longest = limits.first_wait, limits.longest_wait
    return wait_exponential_jitter(max=longest, multiplier=first, jitter=first)(state)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
