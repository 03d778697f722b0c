"""What the seller bought with the same account: no dossier of his, whenever that is learned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.ebay import identity
from core.errors import Unreachable
from tests.connectors.ebay.dossiers.test_walks import DETAILS, KINDS, OPENED, due, streams


@pytest.fixture
def shop(market, sandbox, monkeypatch):
    """A seller whose name eBay tells nobody but him, and cannot tell him either as yet."""
    monkeypatch.setattr(identity, "SOON", 0.0)
    sandbox.faults.order("status", status=503, operation="getUser")
    seller = market.add_seller("shop-us")
    seller.member.is_opaque = True
    return seller


@pytest.fixture
def connector(opened, shop):
    """By its settings the name alone is known; eBay writes the id."""
    return opened(shop, seller_ids=[])


@pytest.fixture
def walk(connector, files, clock):
    """Walk a stream from where the last walk ended; pages are stored, the cursor is told."""
    cursors = {}

    async def walk(stream):
        now, position = clock(), None
        while True:
            page = await connector.fetch(stream, cursors.get(stream), position, now)
            files.take(page, clock())
            if not page.more:
                break
            position = page.position
        cursors[stream] = page.cursor
        clock.advance(minutes=5)
        return page.cursor

    return walk


@pytest.fixture
async def told_late(shop, walk, sandbox, clock):
    """A dossier in which the seller is the buyer: `told_late(stream)` reads it as sold.

    From then on eBay can say who the seller is.
    """

    async def told_late(stream):
        opened_at = clock() - timedelta(hours=1)
        one = getattr(shop.desk, OPENED[stream])(buyer=shop.member, at=opened_at)
        assert one.id in await walk(stream)
        sandbox.faults.lift()
        return one

    return told_late


def is_ended(files):
    """Whether the one thread is over, and no clock of it runs or ever counted."""
    [thread] = files.threads.values()
    assert due(files) != []
    return thread.closed_at is not None and {c.ended for c in files.clocks(thread.id)} == {"void"}


@streams
async def test_a_false_date_ends_once_ebay_tells_who_the_seller_is(told_late, walk, files, stream):
    one = await told_late(stream)
    assert [c.ended for c in due(files)] == [None]

    cursor = await walk(stream)

    assert one.id not in cursor
    assert is_ended(files)


@streams
async def test_the_list_alone_is_enough(told_late, walk, files, sandbox, stream):
    one = await told_late(stream)
    sandbox.faults.order("status", status=503, operation=DETAILS[stream])

    assert one.id not in await walk(stream)
    assert is_ended(files)


@streams
async def test_the_detail_alone_is_enough(told_late, walk, files, shop, stream):
    one = await told_late(stream)
    shop.desk.slip(KINDS[stream], "empty", 20)

    assert one.id not in await walk(stream)
    assert is_ended(files)


@streams
async def test_a_look_ends_it_too(told_late, connector, files, clock, stream):
    await told_late(stream)

    files.take(await connector.look(list(files.threads), clock()), clock())

    assert is_ended(files)


async def test_the_end_is_told_once(told_late, walk, files, asked):
    await told_late("returns")
    await walk("returns")
    [thread] = files.threads.values()
    asked()

    await walk("returns")

    assert "getReturn" not in asked()
    assert files.threads == {thread.id: thread}


async def test_what_was_sold_beside_it_goes_on(told_late, walk, files, shop, buyer):
    sold = shop.desk.open_return("It is broken", buyer=buyer)
    bought = await told_late("returns")

    cursor = await walk("returns")

    assert (sold.id in cursor, bought.id in cursor) == (True, False)
    [clock] = files.given_clocks(f"return:{sold.id}").values()
    assert (clock.due_at, clock.ended) == (sold.due_at, None)


async def test_it_shows_no_answer_of_ebay_where_no_detail_can_be_had(
    told_late, walk, shop, buyer, sandbox
):
    """That it ends without a detail is no proof that details can be asked for."""
    shop.desk.open_return("It is broken", buyer=buyer)
    await told_late("returns")
    shop.desk.open_return("So is this", buyer=buyer)
    sandbox.faults.order("status", status=503, operation="getReturn")

    with pytest.raises(Unreachable):
        await walk("returns")
