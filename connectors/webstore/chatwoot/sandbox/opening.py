"""The first run: inboxes for the accounts that say ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.webstore.chatwoot.sandbox.server import Sandbox
from connectors.webstore.chatwoot.sandbox.stage import InboxStage
from core.sandbox import people, scene
from core.sandbox.sending import is_near

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from connectors.webstore.chatwoot.sandbox.desk import Inbox

PROMISE = timedelta(minutes=1)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
A_SECOND = 100
"""So many numbers are kept for each second, so that no later scene gives one of them again."""

LANGUAGES = ("en", "de", "fr", "es", "pl")
TOLD = ["conversation_created", "conversation_status_changed", "message_created", "message_updated"]


class AccountPush(Protocol):
    """Where an account is pushed to."""

    @property
    def endpoint(self) -> str: ...
    @property
    def unsigned(self) -> bool: ...


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def inbox_id(self) -> int | None: ...
    @property
    def push(self) -> AccountPush | None: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its inbox is reached.

    Each instant begins another scene: who starts again meets nobody of the last one. All that was
    said before the beginning is pushed nowhere.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(begun.encode())) as sandbox:
        sandbox.desk.begin = int((clock() - EPOCH).total_seconds()) * A_SECOND
        inboxes = {name: _inbox(sandbox, name, one) for name, one in accounts.items()}
        scenes = [_scene(sandbox, f"{name} {begun}", one) for name, one in inboxes.items()]
        for each in scenes:
            each.once(clock())
        opened = {name: _options(sandbox, one, accounts[name]) for name, one in inboxes.items()}
        async with scene.playing(scenes, clock):
            yield opened


def subscribe(inbox: Inbox, push: AccountPush) -> str | None:
    """Set up, as if long ago, that what happens is pushed; the secret by which it is signed.

    The endpoint need not answer yet. One beyond this machine is told nothing.
    """
    account = inbox.account
    hook = next((one for one in account.webhooks.values() if one.url == push.endpoint), None)
    if hook is None and is_near(push.endpoint):
        hook = account.add_webhook(push.endpoint, list(TOLD), "replyby")
        hook.secret = None if push.unsigned else hook.secret
    return None if hook is None else hook.secret


def _inbox(sandbox: Sandbox, account: str, options: AccountOptions) -> Inbox:
    """An inbox of its own, in an account of its own."""
    made = sandbox.desk.add_account(name=account)
    return made.add_inbox(options.inbox_id, f"{account} widget")


def _scene(sandbox: Sandbox, seed: str, inbox: Inbox) -> scene.Scene:
    return scene.Scene(
        InboxStage(sandbox, inbox),
        within=PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        languages=LANGUAGES,
    )


def _options(sandbox: Sandbox, inbox: Inbox, options: AccountOptions) -> dict[str, Any]:
    told = sandbox.options(inbox)
    push = options.push
    if push is not None:
        secret = subscribe(inbox, push)
        told["push"] = {"endpoint": push.endpoint, "unsigned": push.unsigned}
        told["push"] |= {} if secret is None else {"secret": secret}
    return told
