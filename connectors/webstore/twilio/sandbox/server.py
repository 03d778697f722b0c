"""`Sandbox`: Twilio on loopback, with as many accounts, numbers and bad days as one likes.

async with Sandbox(clock) as sandbox:
    account = sandbox.desk.add_account()
    number = account.add_number("+48221230001")
    messaging.buyer_writes(account, number, "+48600100200", "Where is my order?")
    ...  # talk to sandbox.url as account.sid with account.token
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connectors.webstore.twilio.sandbox import access, acts, rest
from connectors.webstore.twilio.sandbox.callbacks import Callbacks
from connectors.webstore.twilio.sandbox.desk import Desk
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Number
    from connectors.webstore.twilio.sandbox.rest import Reply

BASE = "/2010-04-01/Accounts/{account}"


def _routes() -> list[web.RouteDef]:
    return [
        web.get(f"{BASE}/Messages.json", rest.messages, name="messages"),
        web.post(f"{BASE}/Messages.json", rest.send, name="send"),
        web.get(f"{BASE}/Messages/{{sid}}/Media.json", rest.media, name="media"),
        web.get(f"{BASE}/Calls.json", rest.calls, name="calls"),
        web.get(f"{BASE}/Calls/{{sid}}/Recordings.json", rest.recordings, name="call_recordings"),
        web.get(f"{BASE}/Calls/{{sid}}.json", rest.call, name="call"),
        web.get(f"{BASE}/Recordings.json", rest.recordings, name="recordings"),
        web.get(f"{BASE}/Transcriptions.json", rest.transcriptions, name="transcriptions"),
        web.get(f"{BASE}/IncomingPhoneNumbers.json", rest.numbers, name="numbers"),
        web.post(
            f"{BASE}/IncomingPhoneNumbers/{{sid}}.json", rest.change_number, name="change_number"
        ),
        *acts.routes(),
    ]


class Sandbox(Served):
    """Serves while it is entered; accounts and numbers may be added at any time.

    *clock* is the true time; the server's own is `now`, which a skew moves. The same *seed*
    gives the same ids and the same chance. The fault ``duplicate`` doubles items alone.
    """

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.faults = Faults(
            clock, seed, continues=("none",), onward="next_page_uri", error=access.error
        )
        self.desk = Desk(self.now, Random(seed))
        self.callbacks = Callbacks()
        self.desk.on_push = self.callbacks.tell
        self.replies: list[Reply] = []
        shared: dict[web.AppKey[Any], Any] = {
            access.DESK: self.desk, rest.REPLIES: self.replies, acts.CALLBACKS: self.callbacks,
        }  # fmt: skip
        server = Loopback(_routes(), self.faults, clock, forms=access.forms, shared=shared)
        super().__init__(server)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.callbacks.__aenter__()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.callbacks.__aexit__(*fault)
        await super().__aexit__(*fault)

    def options(self, account: Account, number: Number) -> dict[str, Any]:
        """How an account of ours reaches *number*."""
        return {
            "account_sid": account.sid,
            "auth_token": account.token,
            "number": number.address,
            "base_url": self.url,
        }
