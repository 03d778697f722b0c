"""Signed pushes: `/push/<connector>/<name>`, where *name* is an account's.

What was in a request is stored before the answer leaves, so that a 2xx is a promise: a marketplace
that got one does not send again. What is refused is stored nowhere; either way it is counted by
what became of it. Who knows an address may send to it as often as they like: the log says of a
fault now and then how often it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from core import crash, spans
from core.connector import PushRequest, Receives
from core.errors import BadCredentials, BadPayload, ConnectorError, StoreUnavailable
from core.labels import OTHER
from core.web.seldom import Seldom
from core.web.storing import KEPT, Means, Storing, Taken
from core.web.talk import COUNTED, SPOILT, TooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from core.connector import Options, PushOutcome, Receipt
    from core.rules import Rules

log = structlog.get_logger()

TOO_SLOW, STALE, TOO_LARGE = 408, 412, 413
REFUSED = 400
"""What is answered from here on is refused."""


@dataclass(frozen=True, slots=True)
class Intake(Means):
    """What a push needs: who receives it, by which options, and where its pages go.

    *options* are those of a connector's accounts by name.
    """

    receiver: Callable[[str, str], object]
    options: Callable[[str], Mapping[str, Options]]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of a push, and what is answered."""

    outcome: PushOutcome
    response: web.Response
    topic: str = OTHER


INTAKE = web.AppKey("intake", Intake)
STORING = web.AppKey("storing", Storing)
SELDOM = web.AppKey("seldom", Seldom)


def application(intake: Intake, most_bytes: int) -> web.Application:
    """One path; a body over *most_bytes* is refused before it is read to the end."""
    app = web.Application(client_max_size=most_bytes)
    app[INTAKE], app[STORING], app[SELDOM] = intake, Storing(intake), Seldom()
    app[COUNTED] = lambda reason: intake.metrics.pushes.labels(OTHER, OTHER, reason).inc()
    path = "/push/{connector}/{name}"
    app.add_routes([web.get(path, _push, allow_head=False), web.post(path, _push)])
    return app


async def _push(request: web.Request) -> web.Response:
    intake, began = request.app[INTAKE], monotonic()
    connector, name = request.match_info["connector"], request.match_info["name"]
    receiver = intake.receiver(connector, name)
    if not isinstance(receiver, Receives):
        return _unreceived(intake)
    with spans.of("push", connector=connector, account=name) as span:
        answer = await _received(request, receiver, connector, name)
        span.put(outcome=answer.outcome, topic=answer.topic)
    account = intake.rules().accounts.get(name)
    marketplace = OTHER if account is None else account.marketplace
    seconds = monotonic() - began
    intake.metrics.pushed(marketplace, answer.topic, answer.outcome, seconds)
    return answer.response


def _unreceived(intake: Intake) -> web.Response:
    """The answer where nobody receives: while the settings are not taken over, nobody does yet."""
    is_ready = intake.pool() is not None
    outcome = "unknown_account" if is_ready else "not_ready"
    intake.metrics.pushes.labels(OTHER, OTHER, outcome).inc()
    if is_ready:
        return web.Response(status=404, text="nothing is received here\n")
    return web.Response(status=503, text="not ready yet\n")


async def _received(request: web.Request, receiver: Receives, connector: str, name: str) -> _Answer:
    """Read the request, and let it be received; one that is too large is not read to the end.

    Raises:
        ConnectionError: who sent it has gone.
    """
    app, place = request.app, {"connector": connector, "account": name}
    try:
        told = await _request(request, app[INTAKE].options(connector))
    except web.HTTPRequestEntityTooLarge:
        _say(app, "push refused", **place, reason="too_large")
        return _Answer("too_large", web.Response(status=TOO_LARGE, text="too large\n"))
    except TooSlow:
        _say(app, "push refused", **place, reason="too_slow")
        return _Answer("too_slow", web.Response(status=TOO_SLOW, text="too slow\n"))
    except SPOILT:
        _say(app, "push refused", **place, reason="unreadable")
        return _Answer("unreadable", web.Response(status=REFUSED, text="unreadable\n"))
    return await _answer(app, receiver, told, connector, name)


async def _answer(
    app: web.Application, receiver: Receives, request: PushRequest, connector: str, name: str
) -> _Answer:
    """Receive and store; the answer where that cannot be done says so in a closed word."""
    place = {"connector": connector, "account": name}
    try:
        receipt = await receiver.receive(request, app[INTAKE].now())
        answer = await _stored(app, receipt, connector, name)
    except ConnectorError as fault:
        outcome, status = _refusal(fault)
        _say(app, "push refused", **place, reason=outcome)
        return _Answer(outcome, web.Response(status=status, text=f"{fault.reason}\n"))
    except StoreUnavailable as fault:
        _say(app, "push not stored", **place, reason=fault.reason)
        return _Answer("failed", web.Response(status=503, text=f"{fault.reason}\n"))
    except Exception as bug:  # noqa: BLE001  # a connector's: what it says may quote a buyer
        error, where = type(bug).__name__, crash.places(bug)
        if times := app[SELDOM].times(("push crashed", connector, name, error)):
            log.error("push crashed", **place, error=error, trace=where, times=times)  # noqa: TRY400  # likewise
        return _Answer("failed", web.Response(status=500, text="crashed\n"))
    if answer.response.status >= REFUSED and answer.outcome != "no_challenge":
        _say(app, "push refused", **place, reason=answer.outcome)
    return answer


def _say(app: web.Application, what: str, *, connector: str, account: str, reason: str) -> None:
    """Log it now and then, however often it happens: each reason of an address by itself."""
    if times := app[SELDOM].times((what, connector, account, reason)):
        log.warning(what, connector=connector, account=account, reason=reason, times=times)


async def _stored(app: web.Application, receipt: Receipt, connector: str, name: str) -> _Answer:
    """Store what is to be stored of *receipt*; what to answer.

    Raises:
        BadPayload: it is about an account that is none of ours.
        StoreUnavailable: nothing was stored, and the marketplace is to send again.
    """
    intake, outcome = app[INTAKE], receipt.outcome
    topic = OTHER if receipt.pushed is None else receipt.pushed.topic
    _known(intake.rules(), {*receipt.pages, *receipt.wake})
    if _is_stale(receipt, intake.now()):
        return _Answer("stale", web.Response(status=STALE, text="stale\n"), topic)
    if receipt.pages or receipt.wake or receipt.erase:
        is_new = await app[STORING].put(Taken(connector, name, receipt))
        outcome = outcome if is_new else "duplicate"
    response = web.Response(status=receipt.status, headers=receipt.headers, body=receipt.body)
    return _Answer(outcome, response, topic)


def _is_stale(receipt: Receipt, now: datetime) -> bool:
    """Whether it is older than our memory of what was pushed: nobody knows if it was stored.

    Nor of one that does not say how old it is: it might be sent again for ever. A request to erase
    is obeyed whenever it comes.
    """
    pushed = receipt.pushed
    if pushed is None or receipt.erase:
        return False
    if pushed.published_at is None:
        return bool(receipt.pages or receipt.wake)
    return now - pushed.published_at > KEPT


async def _request(request: web.Request, options: Mapping[str, Options]) -> PushRequest:
    """The request as it came: the signature is over the raw bytes.

    Raises:
        HTTPRequestEntityTooLarge: it is larger than is taken; where its head says so, at once.
        TooSlow: its body did not come in time.
    """
    if (length := request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size, length)
    return PushRequest(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        accounts=options,
    )


def _known(rules: Rules, accounts: Iterable[str]) -> None:
    if any(account not in rules.accounts for account in accounts):
        raise BadPayload("a push concerns an account that is not in the settings")


def _refusal(fault: ConnectorError) -> tuple[PushOutcome, int]:
    """What a push is that was not received; who has sent it is not known where nobody can be asked.

    That comes again, if a marketplace sent it.
    """
    if isinstance(fault, BadCredentials):
        return "bad_signature", 401
    return ("unreadable", 400) if isinstance(fault, BadPayload) else ("unverified", 503)
