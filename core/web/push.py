"""Signed pushes: `/push/<connector>/<name>`, where *name* is an account's.

What was in a request is stored before the answer leaves, so that a 2xx is a promise: a marketplace
that got one does not send again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from core import crash, ingest
from core.connector import PushRequest, Receives
from core.errors import BadCredentials, BadPayload, ConnectorError, StoreUnavailable
from core.reading import observe
from core.store import streams, transaction, wake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from core.connector import Receipt
    from core.ingest import Stored
    from core.metrics import Metrics
    from core.rules import Rules
    from core.store import Pool

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Intake:
    """What a push needs: who receives it, and where its pages go."""

    pool: Callable[[], Pool | None]
    rules: Callable[[], Rules]
    receiver: Callable[[str, str], object]
    metrics: Metrics
    now: Callable[[], datetime]
    sure: Callable[[], bool]


INTAKE = web.AppKey("intake", Intake)


def application(intake: Intake, most_bytes: int) -> web.Application:
    """One path; a body over *most_bytes* is refused before it is read to the end."""
    app = web.Application(client_max_size=most_bytes)
    app[INTAKE] = intake
    app.add_routes([web.route(m, "/push/{connector}/{name}", _push) for m in ("GET", "POST")])
    return app


async def _push(request: web.Request) -> web.Response:
    intake = request.app[INTAKE]
    connector, name = request.match_info["connector"], request.match_info["name"]
    receiver = intake.receiver(connector, name)
    if not isinstance(receiver, Receives):
        raise web.HTTPNotFound(text="nothing is received here\n")
    try:
        receipt = await receiver.receive(await _request(request), intake.now())
        if receipt.erase:
            log.error("push not obeyed", connector=connector, account=name, asked="erase")
            return web.Response(status=501, text="erasing is not possible yet\n")
        await _store(intake, receipt)
    except ConnectorError as fault:
        log.warning("push refused", connector=connector, account=name, reason=fault.reason)
        return web.Response(status=_status(fault), text=f"{fault.reason}\n")
    except StoreUnavailable as fault:
        log.warning("push not stored", connector=connector, account=name, reason=fault.reason)
        return web.Response(status=503, text=f"{fault.reason}\n")
    except web.HTTPException:
        raise
    except Exception as bug:  # noqa: BLE001  # a connector's: what it says may quote a buyer
        where, error = crash.places(bug), type(bug).__name__
        log.error("push crashed", connector=connector, account=name, error=error, trace=where)  # noqa: TRY400  # likewise
        return web.Response(status=500, text="crashed\n")
    return web.Response(status=receipt.status, headers=receipt.headers, body=receipt.body)


async def _request(request: web.Request) -> PushRequest:
    """The request as it came: the signature is over the raw bytes."""
    return PushRequest(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )


async def _store(intake: Intake, receipt: Receipt) -> None:
    """Everything of one request in one transaction, accounts in order.

    Raises:
        BadPayload: it is about an account that is none of ours.
        StoreUnavailable: nothing was stored, and the marketplace is to send again.
    """
    rules, pool, now = intake.rules(), intake.pool(), intake.now()
    _known(rules, {*receipt.pages, *receipt.wake})
    if not receipt.pages and not receipt.wake:
        return
    if pool is None:
        raise StoreUnavailable("the database was not reached yet")
    stored: dict[str, Stored] = {}
    async with transaction(pool) as db:
        for account in sorted(receipt.pages):
            page, sure = receipt.pages[account], intake.sure()
            stored[account] = await ingest.page(db, rules, account, page, now, None, sure=sure)
        if receipt.wake:
            await streams.pull_forward(db, dict.fromkeys(sorted(receipt.wake), now), now)
            await wake.send(db, "poll")
    for account, told in stored.items():
        observe.page(intake.metrics, rules, rules.accounts[account], told, "push")


def _known(rules: Rules, accounts: Iterable[str]) -> None:
    if any(account not in rules.accounts for account in accounts):
        raise BadPayload("a push concerns an account that is not in the settings")


def _status(fault: ConnectorError) -> int:
    if isinstance(fault, BadCredentials):
        return 401
    return 400 if isinstance(fault, BadPayload) else 503
