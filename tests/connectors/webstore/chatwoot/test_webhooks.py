"""Our webhook: set up by a command, and looked after every hour (trap 14)."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.chatwoot import offer
from core.connector import Receives, Subscribes
from core.errors import BadCredentials, OutcomeUnknown, Refused
from tests.connectors.webstore.chatwoot.conftest import ENDPOINT, SECRET

ALL = sorted(offer.WANTED)


@pytest.fixture
def pushed(opened):
    return opened(push={"endpoint": ENDPOINT, "secret": SECRET})


@pytest.fixture
def troubles(pushed, clock):
    async def troubles():
        return (await pushed.fetch("webhooks", None, None, clock.now)).pushes

    return troubles


async def lines(connector, clock):
    return [line async for line in connector.subscribe(None, clock.now)]


def hook(account, url=ENDPOINT, topics=ALL):
    made = account.add_webhook(url, list(topics))
    made.secret = SECRET
    return made


async def test_trap_14_all_is_well(troubles, account):
    hook(account)

    assert await troubles() == ()


async def test_trap_14_a_webhook_that_somebody_removed_is_told(troubles, account):
    hook(account, url=f"{ENDPOINT}/")

    assert await troubles() == ("destination_missing",)


async def test_trap_14_a_webhook_that_tells_less_than_it_should_is_told(troubles, account):
    hook(account, topics=["message_created"])

    assert await troubles() == ("subscription_missing",)


async def test_trap_14_a_secret_that_was_changed_there_is_told(troubles, account, sandbox):
    made = hook(account)
    made.secret = "another"
    assert await troubles() == ("secret_differs",)

    made.secret = None
    assert await troubles() == (), "it may sign all the same"


@pytest.mark.parametrize("enveloped", [True, False])
async def test_webhooks_come_in_an_envelope_and_plain_as_documented(
    pushed, troubles, account, sandbox, clock, enveloped
):
    sandbox.desk.habits.enveloped = enveloped

    said = await lines(pushed, clock)

    assert said[0].endswith("registered now")
    assert await troubles() == ("secret_differs",), "the settings do not have the new one yet"
    account.webhooks.clear()
    assert await troubles() == ("destination_missing",)


async def test_an_agents_token_may_not_ask_and_stays_good_for_the_rest(
    account, inbox, opened, clock, read
):
    agent = account.add_agent(role="agent", inboxes=frozenset({inbox.id}))
    account.open_chat("Hello")
    connector = opened(api_token=agent.token, push={"endpoint": ENDPOINT, "secret": SECRET})

    with pytest.raises(BadCredentials, match="administrator") as refused:
        await connector.fetch("webhooks", None, None, clock.now)

    assert refused.value.alone
    assert len((await read(by=connector)).messages) == 1
    with pytest.raises(BadCredentials, match="administrator"):
        await lines(connector, clock)


async def test_a_dead_token_is_dead_everywhere(pushed, sandbox, clock):
    sandbox.desk.tokens.clear()

    with pytest.raises(BadCredentials) as refused:
        await pushed.fetch("webhooks", None, None, clock.now)
    assert not refused.value.alone


async def test_a_webhook_is_set_up_with_all_that_is_wanted(pushed, account, clock):
    said = await lines(pushed, clock)

    (made,) = account.webhooks.values()
    assert (made.url, sorted(made.subscriptions), made.name) == (ENDPOINT, ALL, "replyby")
    assert said[0] == f"webhook {ENDPOINT}: registered now"
    assert said[1].startswith(f"secret: {made.secret} - put it where push.secret")


async def test_what_is_there_is_left_as_it_is(pushed, account, clock, sandbox):
    hook(account)

    assert await lines(pushed, clock) == [
        f"webhook {ENDPOINT}: registered", "secret: as in the settings",
    ]  # fmt: skip
    assert [one.operation for one in sandbox.received] == ["webhooks"]


async def test_what_lacks_topics_is_mended_and_keeps_those_of_others(pushed, account, clock):
    made = hook(account, topics=["contact_created", "message_created"])

    said = await lines(pushed, clock)

    assert said[0].endswith("mended")
    assert sorted(made.subscriptions) == sorted({"contact_created", *ALL})
    assert said[1] == "secret: as in the settings"


async def test_a_secret_is_never_told_twice(pushed, account, clock):
    (_, first), (_, second) = [await lines(pushed, clock) for _ in range(2)]
    (made,) = account.webhooks.values()
    assert made.secret in first
    assert made.secret in second, "the settings still have another"
    made.secret = SECRET

    assert SECRET not in " ".join(await lines(pushed, clock))


async def test_a_server_that_does_not_sign_is_said_to_be_one(opened, sandbox, clock):
    sandbox.desk.habits.signs = False

    said = await lines(opened(push={"endpoint": ENDPOINT}), clock)
    assert "push.unsigned = true" in said[1]
    chosen = opened(push={"endpoint": ENDPOINT, "unsigned": True})
    assert (await lines(chosen, clock))[1] == "secret: this server does not sign"


async def test_who_chose_unsigned_and_has_a_server_that_signs_is_told(opened, clock):
    said = await lines(opened(push={"endpoint": ENDPOINT, "unsigned": True}), clock)

    assert "leave out push.unsigned" in said[1]


async def test_a_refusal_is_told_in_chatwoots_words(pushed, sandbox, clock):
    sandbox.faults.error = lambda _: {"message": "Url is invalid"}
    sandbox.faults.order("status", status=422, operation="webhook_made")

    with pytest.raises(Refused, match="Url is invalid"):
        await lines(pushed, clock)


async def test_what_was_taken_and_not_shown_is_not_known(pushed, sandbox, clock):
    sandbox.faults.order("missing", field="payload.webhook.id", operation="webhook_made")

    with pytest.raises(OutcomeUnknown):
        await lines(pushed, clock)


def test_only_who_has_an_address_receives(opened):
    assert not isinstance(opened(), Receives | Subscribes)
    assert isinstance(opened(push={"endpoint": ENDPOINT}), Receives)


def test_the_stream_of_webhooks_is_rare_and_has_no_clocks(optioned):
    far = optioned(
        base_url="https://chat.shop.example", push={"endpoint": ENDPOINT, "secret": SECRET}
    )
    hooks = spec.streams(far)[1]

    assert (hooks.name, hooks.every.total_seconds(), hooks.carries_clocks) == (
        "webhooks", 3600, False,
    )  # fmt: skip
    assert spec.streams(far)[0].pushed
    assert len(spec.streams(optioned())) == 1
