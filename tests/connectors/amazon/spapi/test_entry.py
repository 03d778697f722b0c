"""Tokens, names, regions: how the API is entered, and what is said when it is not."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime

import pytest

from connectors.amazon import offer
from connectors.amazon import options as module
from connectors.amazon.marketplaces import ALL
from connectors.amazon.spapi import entry
from connectors.amazon.spapi.calls import Calls
from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.transport.http import Http
from tests.connectors.amazon.spapi.conftest import DE, FR, ORDER, options


async def read(partner, clock):
    return (await partner.orders([ORDER], clock()))[ORDER]


async def test_a_token_is_asked_for_once_and_kept(api, partner, clock):
    for _ in range(3):
        assert await read(partner, clock)

    assert len(api.calls("token")) == 1
    assert len(api.calls("getOrder")) == 3


async def test_an_ended_token_is_renewed_once_and_the_call_succeeds(api, selling, partner, clock):
    assert await read(partner, clock)
    selling.end_tokens()

    assert await read(partner, clock)
    assert [one.status for one in api.calls("getOrder")] == [200, 403, 200]


async def test_a_token_that_ended_early_at_amazon_is_renewed(api, partner, clock):
    assert await read(partner, clock)
    clock.advance(hours=2)

    assert await read(partner, clock)
    assert len(api.calls("token")) == 2


async def test_what_is_barred_for_good_asks_for_no_token_after_token(api, selling, partner, clock):
    selling.barred.add("getOrder")
    for _ in range(3):
        with pytest.raises(BadCredentials, match="has the application the role Inventory"):
            await read(partner, clock)

    assert len(api.calls("token")) == 2


async def test_trap_21_the_wrong_region_says_so(api, selling, opened, clock):
    partner = opened(base_url=f"{api.url}/na")

    with pytest.raises(BadCredentials, match="are sp_api and marketplaces of one region"):
        await read(partner, clock)


async def test_trap_24_a_dead_secret_says_what_to_make_and_where_to_write_it(
    selling, partner, clock
):
    selling.renew_secret()

    with pytest.raises(BadCredentials) as caught:
        await read(partner, clock)
    assert "younger than 180 days? make a new one" in str(caught.value)
    assert "secret_made_on" in str(caught.value)


async def test_a_withdrawn_consent_says_who_is_to_consent(selling, partner, clock):
    selling.revoke()

    with pytest.raises(BadCredentials, match="authorise the application again"):
        await read(partner, clock)


@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimited), (503, Unreachable), (500, Unreachable)]
)
async def test_no_token_is_no_refused_key(api, partner, clock, status, error):
    api.faults.order("status", status=status, operation="token")

    with pytest.raises(error):
        await read(partner, clock)


async def test_trap_24_the_name_of_the_application_is_sent_as_amazon_wants_it(api, partner, clock):
    await read(partner, clock)  # the stand-in refuses any other name

    assert "\\/" in entry.agent()
    assert len(entry.agent()) <= 500


async def test_trap_24_a_call_without_a_name_is_refused_by_the_stand_in(api, session, selling):
    async with session.get(f"{api.url}/eu/sellers/v1/marketplaceParticipations") as answer:
        assert answer.status == 400
        assert "User-Agent" in await answer.text()


def test_trap_25_nothing_signs_and_each_region_has_its_host(selling, session):
    for place in ALL:
        found = options(selling, place.id, base_url=None)
        calls = Calls(found, found.sp_api, Http(session))
        assert calls._base == f"https://sellingpartnerapi-{place.region}.amazon.com"


async def test_a_check_says_where_the_seller_does_not_sell(opened, partner):
    await partner.check()
    with pytest.raises(BadPayload, match=f"does not sell at {FR}; is sp_api of this account"):
        await opened(DE, FR).check()


async def test_no_secret_stands_in_errors_logs_or_addresses(api, selling, partner, clock, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = [selling.client_secret, selling.refresh_token]
    await read(partner, clock)
    secrets += list(selling.tokens)
    said = []
    for fault in ("status", "html", "truncated", "drop"):
        for operation in ("token", "getOrder"):
            number = api.faults.order(fault, operation=operation)
            selling.end_tokens()
            partner._calls._entry.forget()
            with pytest.raises((BadCredentials, BadPayload, RateLimited, Unreachable)) as caught:
                await read(partner, clock)
            said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
            api.faults.lift(number)
    said += [caplog.text, *(f"{one.path} {one.query}" for one in api.received)]

    assert not [text for text in said for secret in secrets if secret in text]


def test_the_secret_ends_180_days_after_the_day_on_which_it_was_made(selling):
    (known,) = offer.credentials(options(selling, secret_made_on=date(2026, 6, 1)))

    assert known.expires_at == datetime(2026, 11, 28, tzinfo=UTC)
    assert known.made_at == datetime(2026, 6, 1, tzinfo=UTC)
    assert offer.credentials(options(selling)) == ()
    assert offer.credentials(options(selling).model_copy(update={"sp_api": None})) == ()


def test_a_secret_of_which_nobody_knows_the_day_is_not_wise(selling):
    (found,) = module.findings(options(selling), ())

    assert found.startswith("sp_api.secret_made_on: is not set")
    assert module.findings(options(selling, secret_made_on="2026-06-01"), ()) == ()
