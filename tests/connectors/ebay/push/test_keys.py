"""eBay's keys are asked for rarely, whatever strangers send: trap 39."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import pytest

from connectors.ebay.push import keys, signature
from connectors.ebay.push.keys import Keys
from connectors.ebay.push.payload import PublicKey
from connectors.ebay.sandbox import signing
from core.errors import Unreachable


class Ticking:
    """Monotonic seconds that stand until they are moved."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def ticking():
    return Ticking()


@pytest.fixture
def known(access, ticking):
    return Keys(access, ticking)


@pytest.fixture
def asked(sandbox):
    return lambda: len(sandbox.calls("getPublicKey"))


async def test_trap_39_a_key_is_asked_for_once_an_hour(known, sandbox, ticking, asked):
    kid = sandbox.market.keys.current.id
    for seconds in (0, 1, keys.KEPT - 2):
        ticking.seconds += seconds
        assert await known.key(kid) is not None
    assert asked() == 1

    ticking.seconds += 2
    assert await known.key(kid) is not None
    assert asked() == 2


async def test_many_pushes_at_once_ask_for_their_key_once(known, sandbox, asked):
    kid = sandbox.market.keys.current.id

    found = await asyncio.gather(*(known.key(kid) for _ in range(50)))

    assert None not in found
    assert asked() == 1


async def test_a_new_key_is_asked_for_when_it_first_signs(known, sandbox, asked):
    old, new = sandbox.market.keys.current.id, sandbox.market.keys.rotate().id

    assert None not in [await known.key(old), await known.key(new), await known.key(old)]
    assert asked() == 2


async def test_an_invented_id_is_not_asked_for_again_soon(known, ticking, asked):
    assert [await known.key("invented") for _ in range(5)] == [None] * 5
    assert asked() == 1

    ticking.seconds += keys.UNKNOWN
    assert await known.key("invented") is None
    assert asked() == 2


async def test_a_flood_of_invented_ids_costs_few_calls_and_no_known_key(
    known, sandbox, ticking, asked
):
    kid = sandbox.market.keys.current.id
    assert await known.key(kid) is not None
    refused = 0
    for number in range(3 * keys.MOST):
        try:
            await known.key(f"invented{number}")
        except Unreachable:
            refused += 1

    assert asked() <= keys.BURST + 1
    assert refused >= 3 * keys.MOST - keys.BURST
    assert await known.key(kid) is not None
    assert asked() <= keys.BURST + 1


async def test_after_a_flood_a_new_key_of_ebays_is_found_in_time(known, sandbox, ticking):
    for number in range(keys.BURST):
        await known.key(f"invented{number}")
    new = sandbox.market.keys.rotate().id
    with pytest.raises(Unreachable):
        await known.key(new)

    ticking.seconds += keys.EVERY

    assert await known.key(new) is not None


async def test_a_new_key_is_found_within_seconds_in_a_flood_of_invented_ids(
    known, sandbox, ticking, asked
):
    """A thousand invented ids a second, and each second a push of eBay's with its new key."""
    new, found = sandbox.market.keys.rotate().id, None
    for second in range(2 * int(keys.EVERY)):
        ticking.seconds += 1
        for number in range(1_000):
            with suppress(Unreachable):
                await known.key(f"invented{second}-{number}")
        with suppress(Unreachable):
            found = await known.key(new)
        if found is not None:
            break

    assert found is not None
    assert second <= keys.EVERY + 1
    assert asked() <= keys.BURST + 3


def test_the_accounts_of_an_application_share_its_keys(opened):
    push = {"endpoint": "https://shop.example/push/ebay/b", "verification_token": "x" * 32}
    one, other = opened(push=push), opened(push=push)

    assert one._pushes._keys is other._pushes._keys


async def test_what_is_remembered_has_a_bound(known, sandbox, ticking):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    for number in range(keys.MOST + 50):
        ticking.seconds += keys.EVERY
        await known.key(f"invented{number}")

    assert len(known._known) == keys.MOST
    assert kid in known._known


async def test_while_ebay_cannot_be_asked_a_known_key_goes_on_for_a_day(known, sandbox, ticking):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    sandbox.faults.order("status", operation="getPublicKey", status=503)

    ticking.seconds += keys.USABLE - 1
    assert await known.key(kid) is not None
    ticking.seconds += 2
    with pytest.raises(Unreachable):
        await known.key(kid)


FAULTS = [("status", {"status": 429}), ("status", {"status": 403}), ("status", {"status": 401}),
          ("status", {"status": 500}), ("html", {}), ("truncated", {})]  # fmt: skip


@pytest.mark.parametrize(("fault", "how"), [*FAULTS, ("status", {"status": 404})])
async def test_no_fault_of_asking_anew_refuses_a_push_of_a_known_key(
    known, sandbox, ticking, fault, how
):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    ticking.seconds += keys.KEPT
    sandbox.faults.order(fault, operation="getPublicKey", **how)

    assert await known.key(kid) is not None


async def test_one_push_at_most_waits_while_a_known_key_is_asked_for_anew(
    known, sandbox, ticking, asked
):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    ticking.seconds += keys.KEPT
    sandbox.faults.order("slow", operation="getPublicKey", delay=1)

    waiting = [asyncio.create_task(known.key(kid)) for _ in range(20)]
    done, _ = await asyncio.wait(waiting, timeout=0.5)

    assert len(done) == 19
    assert None not in await asyncio.gather(*waiting)
    assert asked() == 2


async def test_while_asking_fails_a_known_key_is_asked_for_once_a_minute(
    known, sandbox, ticking, asked
):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    ticking.seconds += keys.KEPT
    sandbox.faults.order("status", operation="getPublicKey", status=403)
    before = asked()
    for _ in range(10):
        await known.key(kid)
    once = asked() - before

    ticking.seconds += keys.AGAIN
    await known.key(kid)

    assert asked() - before == 2 * once


async def test_a_key_that_ebay_goes_on_not_knowing_is_good_no_more(known, sandbox, ticking):
    kid = sandbox.market.keys.current.id
    await known.key(kid)
    sandbox.faults.order("status", operation="getPublicKey", status=404)
    ticking.seconds += keys.KEPT
    assert await known.key(kid) is not None

    ticking.seconds += keys.DOUBTED

    assert await known.key(kid) is None


@pytest.mark.parametrize(("fault", "how"), FAULTS)
async def test_without_any_key_a_push_is_to_send_again(known, sandbox, fault, how):
    sandbox.faults.order(fault, operation="getPublicKey", **how)

    with pytest.raises(Unreachable):
        await known.key(sandbox.market.keys.current.id)


async def test_the_key_is_asked_for_with_the_applications_own_token(known, sandbox, seller):
    await known.key(sandbox.market.keys.current.id)

    [call] = [one for one in sandbox.heard if one.operation == "getPublicKey"]
    token = call.headers["Authorization"].removeprefix("Bearer ")
    assert seller.application.tokens[token].seller is None


@pytest.fixture
def public():
    return PublicKey.model_validate(signing.Keys(Random(1)).current.public())


def test_trap_39_a_pem_on_one_line_is_read(public):
    assert "\n" not in public.key
    assert signature.key(public) is not None


def test_a_pem_with_line_breaks_is_read_too(public):
    broken = public.key.replace("KEY-----", "KEY-----\n").replace("-----END", "\n-----END")

    assert signature.key(public.model_copy(update={"key": broken})) is not None


@pytest.mark.parametrize(
    "changes",
    [{"key": ""}, {"key": "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"},
     {"key": "no key"}, {"digest": None}, {"digest": "MD5"}],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_none(public, changes):
    assert signature.key(public.model_copy(update=changes)) is None
