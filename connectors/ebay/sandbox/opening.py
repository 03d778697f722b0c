"""The first run: sellers for the accounts that say ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.ebay.sandbox import stories, topics
from connectors.ebay.sandbox.applications import SCOPE, SCOPES
from connectors.ebay.sandbox.destinations import Destination, Subscription
from connectors.ebay.sandbox.server import Sandbox
from connectors.ebay.sandbox.stage import SellerStage
from core.sandbox import people, scene
from core.sandbox.sending import is_near

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import date

    from pydantic import SecretStr

    from connectors.ebay.sandbox.market import Seller

NOBODY = "sandbox"
"""The seller's name where the settings give none."""

LANGUAGES = {
    "EBAY_DE": ("de", "en", "pl"), "EBAY_AT": ("de",), "EBAY_CH": ("de", "fr", "it"),
    "EBAY_FR": ("fr",), "EBAY_IT": ("it",), "EBAY_ES": ("es", "pt"), "EBAY_NL": ("nl", "en"),
    "EBAY_PL": ("pl",),
}  # fmt: skip
"""What buyers of a site speak; English elsewhere."""

CONSENT_AGE = timedelta(days=30)
AGAIN_AFTER = timedelta(seconds=10)
"""In the first run what was not acknowledged comes again as soon; in the wild after minutes."""

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
A_SECOND = 1000
"""So many numbers are kept for each second, so that no later scene gives one of them again."""


class AccountPush(Protocol):
    """Where an account is pushed to."""

    @property
    def endpoint(self) -> str: ...
    @property
    def verification_token(self) -> SecretStr: ...


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def seller(self) -> str: ...
    @property
    def marketplace(self) -> str: ...
    @property
    def messages_by(self) -> str: ...
    @property
    def refresh_token_made(self) -> date | None: ...
    @property
    def refresh_token_expires(self) -> date | None: ...
    @property
    def push(self) -> AccountPush | None: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its seller is reached.

    All sellers have consented to one application. Each instant begins another scene: who starts
    again meets nobody of the last one.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(begun.encode())) as sandbox:
        sandbox.market.habits.again_after = AGAIN_AFTER
        sandbox.market.numbers.leave_out(int((clock() - EPOCH).total_seconds()) * A_SECOND)
        sellers = {name: _seller(sandbox, name, one) for name, one in accounts.items()}
        scenes = [_scene(sandbox, f"{name} {begun}", one) for name, one in sellers.items()]
        for each in scenes:
            each.once(clock())
        for name, one in accounts.items():
            if one.push is not None:
                subscribe(sandbox, sellers[name], one.push)
        async with scene.playing(scenes, clock):
            yield {name: _options(sandbox, one, accounts[name]) for name, one in sellers.items()}


def subscribe(sandbox: Sandbox, seller: Seller, push: AccountPush) -> None:
    """Set up, as if long ago, that *seller*'s messages and what goes with them are pushed.

    The endpoint need not answer yet. One beyond this machine is left out.
    """
    if not is_near(push.endpoint):
        return
    subscribed, market = seller.application.subscribed, sandbox.market
    subscribed.alert_email = "shop@shop.example"
    known = (one for one in subscribed.destinations.values() if one.endpoint == push.endpoint)
    place = next(known, None)
    if place is None:
        token = push.verification_token.get_secret_value()
        name = f"destination-{market.numbers.take('destination')}"
        place = Destination(name, "replyby", push.endpoint, token)
        subscribed.destinations[name] = place
    for topic, whose in (
        (topics.NEW_MESSAGE, seller), (topics.DELETION, None), (topics.REVOCATION, None),
    ):  # fmt: skip
        if place in subscribed.places(topic, whose):
            continue
        name = f"subscription-{market.numbers.take('subscription')}"
        version = topics.TOPICS[topic].version
        subscribed.subscriptions[name] = Subscription(
            name, topic, whose, place.id, version, market.clock()
        )


def _seller(sandbox: Sandbox, account: str, options: AccountOptions) -> Seller:
    """The account's seller; without the scope of messages where it reads by the Trading API."""
    name = account if options.seller == NOBODY else options.seller
    if name in sandbox.market.sellers:
        name = f"{name}-{account}"
    lacking = {f"{SCOPE}/commerce.message"} if options.messages_by == "trading" else set()
    return sandbox.market.add_seller(
        name, scopes=[one for one in SCOPES if one not in lacking], marketplace=options.marketplace
    )


def _scene(sandbox: Sandbox, seed: str, seller: Seller) -> scene.Scene:
    languages = LANGUAGES.get(seller.marketplace, people.LANGUAGES[:1])
    return scene.Scene(
        SellerStage(sandbox, seller),
        within=stories.PROMISE,
        seed=crc32(seed.encode()),
        languages=languages,
        script=stories.SCRIPT,
    )


def _options(sandbox: Sandbox, seller: Seller, options: AccountOptions) -> dict[str, Any]:
    told = sandbox.options(seller)
    if options.refresh_token_made is None and options.refresh_token_expires is None:
        made = sandbox.market.clock() - CONSENT_AGE
        told["refresh_token_made"] = made.date().isoformat()
    return told
