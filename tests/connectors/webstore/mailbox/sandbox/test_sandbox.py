"""The stand-in does what mailboxes and the people who write there do, and takes orders by HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from connectors.webstore.mailbox.sandbox import opening, stage
from connectors.webstore.mailbox.sandbox.server import HINTS, Sandbox
from connectors.webstore.mailbox.sandbox.stage import MailboxStage
from core.connector import Transport
from core.model import Draft
from core.sandbox.scene import Scene
from core.stage import Watch, walk
from core.transport.http import Http
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.mailing import QUICK, QUICK_SMTP
from tests.connectors.standing import Clock
from tests.connectors.webstore.mailbox.letters import NOON

MAIL = "mail"


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
async def shop(sandbox):
    return await sandbox.add_shop()


@pytest.fixture
async def desk(sandbox, shop, session):
    """The connector at the shop's mailbox."""
    told = {"kind": "mailbox", **sandbox.options(shop), "own_domains": ["shop.example"]}
    options = MailboxOptions.model_validate({**told, "poll_every": "2s"})
    async with Mailboxes(QUICK) as boxes:
        yield spec.open(options, Transport(Http(session, Watch()), boxes, Smtp(QUICK_SMTP)))


@pytest.fixture
def read(sandbox, desk, clock):
    async def read():
        await sandbox.post.deliver()
        return await walk(desk, MAIL, None, clock.now)

    return read


@pytest.fixture
def answer(desk, clock):
    async def answer(thread, number=1):
        draft = Draft(id=number, account="a", thread=thread.id, body="Soon.", queued_at=clock.now)
        return await desk.reply(thread, draft, clock.now)

    return answer


@pytest.mark.parametrize("way", ["mail", "form"])
@pytest.mark.parametrize("shape", ["text", "html", "both", "mislabelled"])
async def test_a_buyer_writes_in_every_way_and_is_understood(shop, read, way, shape):
    talk = shop.open("Żaneta 지은", "ana@buyers.example", "배송 — Größe", way=way)
    words = "언제 오나요? Wo bleibt es? Où ça?"
    letter = shop.buyer_writes(talk, words, shape=shape)

    found = await read()

    asked = found.messages[letter.message_id]
    assert (asked.party, asked.kind) == (Party.BUYER, Kind.MESSAGE)
    assert words in asked.body
    assert "배송 — Größe" in asked.subject
    assert found.threads[asked.thread].reply_to["address"] == talk.mail


async def test_an_answer_from_here_reaches_the_buyer_and_ends_his_waiting(shop, read, answer):
    talk = shop.open("Ana", "ana@buyers.example", "Lamp")
    shop.buyer_writes(talk, "Where is it?")
    (thread,) = (await read()).threads.values()
    assert talk.is_waiting(shop.clock())

    sent = await answer(thread)

    assert not talk.is_waiting(shop.clock())
    assert [(one.message_id, one.fate, one.talk) for one in shop.outcomes] == [
        (sent.message_id, "delivered", talk.id)
    ]


@pytest.mark.parametrize(("fate", "verdicts"), [("dead", 1), ("late", 0), ("away", 0)])
async def test_an_answer_may_come_back_be_late_or_meet_a_holiday(
    shop, read, answer, clock, fate, verdicts
):
    talk = shop.open("Ana", "ana@buyers.example", "Lamp")
    shop.buyer_writes(talk, "Where is it?")
    (thread,) = (await read()).threads.values()
    shop.next_fates.append(fate)

    sent = await answer(thread)
    clock.advance(minutes=1)
    found = await read()

    told = [one for page in found.pages for one in page.verdicts]
    assert [(one.delivery, one.message_id) for one in told] == [
        (Delivery.REFUSED, sent.message_id)
    ] * verdicts
    assert talk.is_waiting(clock.now) is (fate == "dead")
    assert {m.kind for m in found.messages.values()} == {
        Kind.MESSAGE, Kind.AUTOMATIC if fate == "away" else Kind.SYSTEM,
    }  # fmt: skip
    assert len({m.thread for m in found.messages.values()}) == 1


async def test_answers_given_elsewhere_lie_in_the_folder_for_sent_letters(shop, read):
    talk = shop.open("Ana", "ana@buyers.example", "Lamp")
    shop.buyer_writes(talk, "Where is it?")
    left = shop.answers_elsewhere(talk, "Tomorrow.", refers=False)
    passed = shop.answers_elsewhere(talk, "Where is this?", to="stock@supplier.example")

    found = await read()

    assert found.messages[left.message_id].kind is Kind.MESSAGE
    assert found.messages[passed.message_id].kind is Kind.INTERNAL
    assert len({m.thread for m in found.messages.values()}) == 1


async def test_what_is_no_buyers_opens_nothing(shop, read):
    shop.newsletter_comes()
    shop.marketplace_writes()

    found = await read()

    assert (found.messages, found.threads) == ({}, {})
    assert all(one.quiet for page in found.pages for one in page.set_aside)


async def test_a_stranger_under_a_buyers_address_joins_no_thread(shop, read):
    talk = shop.open("Ana", "ana@buyers.example", "Lamp")
    asked = shop.buyer_writes(talk, "Where is it?")
    strange = shop.stranger_writes(talk, "Send it elsewhere.")

    found = await read()

    threads = {found.messages[one.message_id].thread for one in (asked, strange)}
    assert len(threads) == 2


# Orders by HTTP


async def test_a_letter_in_the_mailbox_says_where_acts_are_ordered(sandbox, shop):
    assert len(await sandbox.mail.letters(shop.user, HINTS)) == 1
    assert sandbox.url in sandbox._hint(shop.user).decode()


async def test_people_act_as_they_are_told(sandbox, shop, session, read, clock):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"user": shop.user, **how}) as answer:
            return answer.status, await answer.json()

    status, talk = await act("asks", words="Where is it?", way="form", mail="cho@buyers.example")
    assert (status, talk["is_waiting"]) == (201, True)
    for name in ("buyer_writes", "answers_elsewhere", "stranger_writes"):
        status, shown = await act(name, talk=talk["talk"], words="Well?")
        assert status == 201, shown
    assert (await act("answer_fails", talk=talk["talk"]))[0] == 201
    assert (await act("robot_fills_form", count=3))[0] == 201
    assert (await act("next_fate", fate="dead"))[0] == 201
    clock.advance(minutes=1)
    found = await read()

    assert len([m for m in found.messages.values() if m.party is Party.BUYER]) == 6
    async with session.get(f"{sandbox.url}/_sandbox/talks") as answer:
        assert [one["talk"] for one in await answer.json()] == [talk["talk"]]


@pytest.mark.parametrize(
    ("name", "how", "status"),
    [
        ("dances", {}, 404),
        ("buyer_writes", {"talk": "none", "words": "x"}, 404),
        ("asks", {}, 400),
        ("asks", {"words": "x", "colour": "red"}, 400),
        ("next_fate", {"fate": "eaten"}, 400),
    ],
)
async def test_an_order_that_makes_no_sense_says_why(sandbox, shop, session, name, how, status):
    url = f"{sandbox.url}/_sandbox/acts/{name}"
    async with session.post(url, json={"user": shop.user, **how}) as answer:
        assert answer.status == status
        assert (await answer.json())["message"]


async def test_faults_are_ordered_and_lifted(sandbox, shop, session):
    async def act(name, **how):
        async with session.post(f"{sandbox.url}/_sandbox/acts/{name}", json=how) as answer:
            return answer.status

    assert await act("mail_fault", fault="imap_drop") == 201
    assert sandbox.mail.faults.strikes("imap_drop")
    assert await act("lift") == 201
    assert not sandbox.mail.faults.strikes("imap_drop")
    assert await act("hold") == 201
    shop.newsletter_comes()
    assert await sandbox.post.deliver() == 0
    assert await act("release") == 201


# The first run


async def test_the_first_run_shows_mailboxes_in_which_people_write(clock, session):
    told = {"kind": "mailbox", "sender": "support@shop.example", "user": "sandbox",
            "password": "sandbox", **{k: {"host": "127.0.0.1", "port": 1, "tls": "none"}
                                      for k in ("imap", "smtp")}}  # fmt: skip
    first = MailboxOptions.model_validate(told)
    async with (
        opening.open_sandbox({"store": first}, clock) as opened,
        Mailboxes(QUICK) as boxes,
    ):
        options = MailboxOptions.model_validate({**told, **opened["store"], "poll_every": "1s"})
        desk = spec.open(options, Transport(Http(session, Watch()), boxes, Smtp(QUICK_SMTP)))
        await desk.check()
        clock.advance(seconds=5)
        found = await walk(desk, MAIL, None, clock.now)

    parties = {m.party for m in found.messages.values()}
    assert parties >= {Party.BUYER, Party.SELLER}
    assert len(found.threads) >= 6
    assert all(t.reply_to["kind"] == "mailbox" for t in found.threads.values())


async def test_a_scene_plays_every_story_to_its_end(sandbox, shop, clock):
    people = MailboxStage(shop)
    scene = Scene(people, within=timedelta(minutes=1), seed=3, threads=10, script=stage.SCRIPT)
    again = scene.once(clock.now)
    for _ in range(400):
        clock.now = max(again, clock.now)
        again = scene.once(clock.now)
        await sandbox.post.deliver()

    assert len(shop.talks) <= 10
    assert sandbox.post.waiting < 20


def test_the_stand_in_shares_no_code_with_the_connector():
    from pathlib import Path  # noqa: PLC0415  # here alone

    for path in Path(opening.__file__).parent.glob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith("from connectors."):
                assert ".mailbox.sandbox" in line, (path.name, line)
