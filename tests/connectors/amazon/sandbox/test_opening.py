"""The first run: mailboxes that work at once, people who write on, and what the board shows."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import NamedTuple

import aiohttp
import pytest

from connectors.amazon import mapping, policies, spec, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from connectors.amazon.options import AmazonOptions
from connectors.amazon.sandbox import opening, stories
from connectors.amazon.sandbox.seller import order_number
from connectors.amazon.sandbox.stage import SellerStage
from core.connector import Transport
from core.sandbox import people, scene
from core.sandbox.people import Buyer, Letter
from core.transport import mime
from core.transport.http import Http
from core.transport.login import Login
from core.transport.mailbox import Limits, Mailboxes
from core.transport.smtp import Smtp
from sla.clock import clocks
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.sandbox.conftest import NOON, SINCE

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Account(NamedTuple):
    marketplaces: tuple[str, ...] = ("A1PA6795UKMFR9",)
    sender: str = "support@shop.example"


def account(told):
    return AmazonOptions.model_validate({**spec.sandbox.options, **told})


def login(told, which):
    return Login(user=told["user"], password=told["password"], **told[which])


async def read(told, folders=("INBOX", "Junk", "Sent")):
    """What the connector's pure half makes of an account's mailbox."""
    options, arrivals = account(told), []
    async with Mailboxes(Limits(command=20, answer=20, opening=20)) as mailboxes:
        mailbox = mailboxes.open(login(told, "imap"))
        for folder in folders:
            page = await mailbox.read(folder, None, SINCE, 500)
            for one in page.letters:
                mail = mime.read(one.raw)
                proven = trust.of(mail, options.authserv_ids)
                arrivals.append(Arrival(mail, one.arrived_at, proven, is_sent=folder == "Sent"))
    arrivals.sort(key=lambda one: one.at)
    return mapping.pieces(arrivals, options, Memory(), NOON + DAY)


def due(pieces, now):
    """In how many hours each running contract and dossier is due."""
    found = []
    for thread in {one.thread for one in pieces.messages}:
        turns = [
            SimpleNamespace(id=m.id, party=m.party, kind=m.kind, sent_at=m.sent_at, seen_at=now,
                            to=m.to, delivery=m.delivery, level=m.level)
            for m in pieces.messages if m.thread == thread
        ]  # fmt: skip
        given = [one for name, one in pieces.given if name == thread]
        kind = next((t.kind for t in pieces.threads if t.id == thread), ThreadKind.MESSAGE)
        fitting = [one for one in policies.known() if kind in one.applies_to]
        found += clocks(turns, fitting, given, kind=kind)
    return sorted((one.due_at - now) / timedelta(hours=1) for one in found if one.ended is None)


@pytest.fixture
async def opened(clock):
    async with opening.open_sandbox({"shop-de": Account()}, clock) as found:
        yield found["shop-de"]


async def test_placeholders_become_a_mailbox_that_can_be_read_and_written_at_once(opened):
    account(opened)
    pieces = await read(opened)
    await Smtp().check(login(opened, "smtp"))

    assert len([one for one in pieces.messages if one.party is Party.BUYER]) >= 6


@pytest.fixture
async def connected(clock):
    """The connector that the spec opens for an account of the shipped settings."""
    placeholders = dict(spec.sandbox.options)
    accounts = {"one": spec.options.model_validate({**placeholders, "poll_every": "2s"})}
    async with (
        aiohttp.ClientSession() as session,
        spec.sandbox.open(accounts, clock) as found,
        Mailboxes(Limits(command=20, answer=20, opening=20)) as mailboxes,
    ):
        options = spec.options.model_validate({**placeholders, **found["one"]})
        yield spec.open(options, Transport(Http(session), mailboxes, Smtp()))


async def test_the_specs_placeholders_become_an_account_that_reads_and_answers(connected, clock):
    await connected.check()
    page = await connected.fetch("mail", None, None, clock.now)

    assert [one for one in page.messages if one.party is Party.BUYER]


async def test_sp_api_knows_the_orders_that_letters_are_about(connected, clock):
    page = await connected.fetch("mail", None, None, clock.now)
    number = next(one.order_id for one in page.messages if one.order_id)
    found = await connected.orders([number, "302-0000001-0000001"], clock.now)
    allowed = await connected.allowed(number, clock.now)

    assert found[number].id == number
    assert found["302-0000001-0000001"] is None
    assert allowed.actions


async def test_trap_48_sp_api_tells_amazons_own_figures_of_the_same_answers(connected, clock):
    asked = await connected.fetch("performance", None, None, clock.now)
    clock.advance(minutes=1)
    page = await connected.fetch("performance", asked.cursor, None, clock.now)
    told = {one.name: one.value for one in page.published}

    assert len(told) >= 3
    assert any(value > 0 for value in told.values())


async def test_each_account_has_its_own_mailbox_and_keeps_its_sender(clock):
    accounts = {
        "de": Account(sender="help@shop.example"),
        "jp": Account(("A1VC38T7YXB528",)),
        "za": Account(("AE08WJ6YKNBMC", "A1F83G8C2ARO7P")),
    }
    async with opening.open_sandbox(accounts, clock) as found:
        kept = {name: await read(told) for name, told in found.items()}

    assert found["de"]["sender"] == "help@shop.example"
    assert len({told["user"] for told in found.values()}) == 3
    assert all(one.messages for one in kept.values())
    named = {one.buyer for one in kept["jp"].threads if one.id.startswith("case:")}
    assert named <= set(people.phrases()["ja"]["names"])


async def test_the_board_has_clocks_at_various_distances_from_the_start_on(opened, clock):
    hours = due(await read(opened), clock.now)

    assert [one for one in hours if 0 < one < 1], "soon"
    assert [one for one in hours if 4 < one < 6], "some hours"
    assert [one for one in hours if 13 < one < 15], "half a day"
    assert [one for one in hours if 23 < one <= 24], "a day"
    assert min(hours) > 0


def run(played, begin, until):
    now = begin
    while now < until:
        now = max(played.once(now), now + timedelta(milliseconds=50))
        yield now


@pytest.mark.parametrize("seed", range(12))
async def test_a_minute_shows_clocks_met_broken_and_about_to_break(seller, clock, seed):
    """Whatever the seed: with a goal of a minute, as Amazon itself counts."""
    seller.random.seed(seed)
    played = scene.Scene(
        SellerStage(seller), MINUTE, seed, ("de",), script=stories.SCRIPT, number=order_number
    )
    for clock.now in run(played, NOON, NOON + MINUTE):
        pass
    took = [one.answered_at - one.asked_at for one in seller.contacts()
            if one.answered_at and one.answered_at > NOON]  # fmt: skip
    waiting = [one.asked_at + MINUTE for one in seller.contacts()
               if not one.answered_at and not one.is_marked]  # fmt: skip

    assert [one for one in took if one <= MINUTE], "met"
    assert [one for one in took if one > MINUTE], "late"
    assert [at for at in waiting if NOON < at <= NOON + MINUTE], "broken and still open"
    assert [at for at in waiting if at < NOON], "history that still waits"


async def test_hours_show_everything_and_nothing_grows(sandbox, seller, clock):
    played = scene.Scene(
        SellerStage(seller), MINUTE, 2, ("de", "en"), threads=12, script=stories.SCRIPT,
        number=order_number,
    )  # fmt: skip
    kinds, most = Counter(), 0
    put = seller.post.put

    def counted(letter, *more, **how):
        kinds[letter.kind] += 1
        put(letter, *more, **how)

    seller.post = SimpleNamespace(put=counted, drop=seller.post.drop, twice=0)
    for clock.now in run(played, NOON, NOON + timedelta(hours=6)):
        most = max(most, len(seller.cases))
    await sandbox.post.deliver()

    # cases that answers without a case opened live until the next round; they are few
    assert most <= 12 + kinds["sent"]
    assert {"message", "form", "copy", "opt_out", "claim", "return", "decision", "refund", "sent",
            "bounce", "forged", "foreign", "chargeback", "cancellation"} <= set(kinds)  # fmt: skip


async def changed(told, first):
    """What the mailbox holds as soon as it is more than at *first*."""
    while True:
        later = await read(told)
        if len(later.messages) > len(first.messages):
            return later
        await asyncio.sleep(0.1)


async def test_people_go_on_while_it_runs_and_stop_when_it_ends(clock):
    before = asyncio.all_tasks()
    async with opening.open_sandbox({"de": Account()}, clock) as found:
        first = await read(found["de"])
        clock.advance(seconds=70)
        async with asyncio.timeout(20):
            later = await changed(found["de"], first)

    assert len(later.messages) > len(first.messages)
    assert asyncio.all_tasks() == before


async def test_whoever_starts_again_meets_nobody_of_the_last_scene(clock):
    seen = []
    for _ in range(2):
        async with opening.open_sandbox({"de": Account()}, clock) as found:
            seen.append({one.id for one in (await read(found["de"])).messages})
        clock.advance(seconds=5)

    assert seen[0].isdisjoint(seen[1])
    assert min(map(len, seen)) >= 6


async def test_a_fault_of_the_program_passes_through_the_sandbox_as_it_is(clock):
    with pytest.raises(ZeroDivisionError):
        async with opening.open_sandbox({"de": Account()}, clock):
            raise ZeroDivisionError


async def test_a_stage_does_what_the_scene_asks(seller, clock):
    stage, at = SellerStage(seller), clock.now
    buyer = Buyer("C-9", "Eva Ejemplo", "es", "es_ES", "es@buyers.example")
    thread = stage.open(buyer, "302-1234567-1234567", Letter("Hola", "¿Dónde?"), at)
    case = seller.cases[thread]
    waiting = [stage.is_waiting(thread)]
    stage.agent_asks_marketplace(thread, "in vain", clock.advance(seconds=1))
    waiting.append(stage.is_waiting(thread))
    stage.marketplace_writes(thread, "please", clock.advance(seconds=1))
    stage.agent_sees_no_need(thread, clock.advance(seconds=1))
    waiting.append(stage.is_waiting(thread))
    stage.buyer_writes(thread, "hello??", clock.advance(seconds=1))
    waiting.append(stage.is_waiting(thread))
    case.buyer.is_opted_out = False
    stage.agent_answers(thread, "here", clock.advance(seconds=1))
    waiting.append(stage.is_waiting(thread))
    stage.open_case(thread, clock.now)
    stage.close_case(thread, clock.now)
    stage.forget(thread)

    assert waiting == [True, True, False, True, False]
    assert case.buyer.name == "Eva Ejemplo"
    assert thread not in seller.cases


async def test_a_pretend_agent_answers_in_vain_also_where_the_alias_carries_no_case(seller, clock):
    stage = SellerStage(seller)
    case = seller.open_case(seller.add_buyer(), None, "nowhere")
    seller.buyer_writes(case, "Hallo?")
    stage.agent_asks_marketplace(case.id, "in vain", clock.advance(seconds=1))

    assert seller.outcomes[-1].fate == "unapproved"
    assert case.is_waiting(clock.now)


async def test_a_buyer_writes_once_more_upon_an_answer_of_ours(seller, case, clock):
    stage = SellerStage(seller)
    seller.answers_at_amazon(case, "Montag.", clock.advance(seconds=5))
    stage.writes_again(case, clock.now)

    assert not case.is_waiting(clock.now)
    clock.advance(minutes=1)
    assert case.is_waiting(clock.now)


def test_an_orders_number_has_its_form_and_each_is_another():
    random = Random(1)
    numbers = [order_number(random) for _ in range(1000)]

    assert len(set(numbers)) == 1000
    assert {tuple(map(len, one.split("-"))) for one in numbers} == {(3, 7, 7)}


def test_every_story_of_the_script_is_told():
    told = {name for _, name in stories.OPENING} | set(stories.LATER)

    assert told == set(stories.STORIES)
