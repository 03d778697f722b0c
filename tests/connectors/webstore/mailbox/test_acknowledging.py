"""A shop that is closed acknowledges once, by a letter that says that nobody wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox import answering, mapping
from connectors.webstore.mailbox.memory import Memory
from core import ingest, reply, settings
from core.configuration import accounthours
from core.errors import SettingsError
from core.labels import QUEUED
from core.metrics import Metrics
from core.model import Draft
from core.reading.walk import Reader
from core.running import takeover
from core.stage import walk
from core.store import buyers, clocks, transaction
from core.transport import mime, outgoing
from sla.clock import Kind
from sla.explain import explain
from sla.policy import Party
from tests.acceptance import premises
from tests.connectors.webstore.mailbox import letters
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    HOUR,
    MINUTE,
    SUPPORT,
    arrival,
    bounce,
    letter,
    report,
    vacation,
)  # fmt: skip
from tests.connectors.webstore.mailbox.post import opened_shop

TEXT = "Thank you. Your message has arrived; we answer on the next working day."
SUBJECT = "Your message has arrived"
ACCOUNT = f"""
[accounts.shop-mail]
connector = "webstore"
calendar = "shop-hours"

[accounts.shop-mail.acknowledge]
text = "{TEXT}"
subject = "{SUBJECT}"

[accounts.shop-mail.options]
kind = "mailbox"
user = "{SUPPORT}"
password = "env:SHOP_PASSWORD"
imap = {{ host = "127.0.0.1", port = 1, tls = "none" }}
smtp = {{ host = "127.0.0.1", port = 1, tls = "none" }}
sender = "{SUPPORT}"
own_domains = ["shop.example"]

[calendars.shop-hours]
zone = "Europe/Berlin"
hours = {{ mon-fri = ["09:00-17:00"] }}
holidays = "DE"
"""
EVE = datetime(2026, 12, 24, 20, tzinfo=UTC)
"""A Thursday, 21:00 in Berlin; the two days after it are public holidays, and then it is Sunday."""
DUE = datetime(2026, 12, 30, 16, tzinfo=UTC)
"""Wednesday, 17:00 in Berlin: 24 hours of three days on which the shop is open."""
MONDAY = datetime(2026, 12, 28, 9, tzinfo=UTC)
EVENING = datetime(2026, 12, 28, 20, tzinfo=UTC)


def configured(place, text=ACCOUNT):
    path = place / "settings.toml"
    path.write_text(premises.settings(text, "1d"))
    specs, environ = {"webstore": spec}, {"SHOP_PASSWORD": "x"}
    return settings.load(path, specs, environ, sandbox=False, now=EVE)


class Closed:
    """A shop with its daemon's rounds, as they are at instants that the test names."""

    def __init__(self, shop, pool, rules):
        self.shop, self.pool, self.rules = shop, pool, rules
        self.metrics, self.cursor, self.connector = Metrics(), None, shop.opened()

    async def round(self, now):
        """Read what is new, store it, and let what is due leave."""
        read = await walk(self.connector, "mail", self.cursor, now)
        self.cursor, became = read.cursor, ()
        for page in read.pages:
            async with transaction(self.pool) as db:
                stored = await ingest.page(db, self.rules, "shop-mail", page, now, None)
            became += stored.acknowledged
        account = self.rules.accounts["shop-mail"]
        readers = {"shop-mail": Reader(account, self.connector, {}, "b")}
        await self.pool.execute("update reply set next_try_at = now() where state <> 'queued'")
        await reply.once(self.pool, readers, self.rules, self.metrics, now)
        return became

    async def comes(self, raw, at, folder="INBOX"):
        """A letter lies there; what became of it a minute later."""
        await self.shop.put(raw, at, folder)
        return await self.round(at + MINUTE)

    async def inbox(self, user):
        """The letters of somebody else at the same server."""
        return [each for each in self.shop.server.taken if user in each.recipients]

    async def rows(self):
        async with transaction(self.pool) as db:
            threads = await db.fetch("select id from thread order by as_of")
            return [
                row for each in threads for row in await clocks.of_thread(db, "shop-mail", *each)
            ]

    async def fates(self):
        rows = await self.pool.fetch("select state, reason from reply order by id")
        return [tuple(row) for row in rows]


@pytest.fixture
async def closed(pool, tmp_path):
    found = configured(tmp_path)
    async with transaction(pool) as db:
        await buyers.make_secret(db)
    rules = await takeover.take_over(pool, found, EVE - 8 * HOUR)
    async with opened_shop() as shop:
        yield Closed(shop, pool, rules)


def read(raw):
    return message_from_bytes(raw, policy=default)


async def test_a_shop_is_closed_for_the_holidays_and_the_journey_of_its_letters(closed):
    question = letter(id_="q1@mail.example", subject="Where is my lamp?")
    assert await closed.comes(question, EVE) == (QUEUED,)

    (left,) = await closed.inbox(ANA)
    told = read(left.raw)
    assert told["Auto-Submitted"] == "auto-replied"
    assert told["X-Auto-Response-Suppress"] == "All"
    assert told["Precedence"] == "bulk"
    assert told["Subject"] == SUBJECT
    assert told["In-Reply-To"] == "<q1@mail.example>"
    assert told.get_content().strip() == TEXT
    assert "lamp" not in left.raw.decode()
    first = told["Message-ID"].strip("<>")

    more = letter("And order 100124?", id_="q2@mail.example", In_Reply_To=f"<{first}>")
    assert await closed.comes(more, EVE + HOUR) == ()
    assert len(await closed.inbox(ANA)) == 1
    await the_copy_was_read_back_as_automatic(closed, first)
    await the_first_clock_runs_over_the_holidays(closed)

    answered = letters.answer(id_="a1@shop.example", In_Reply_To="<q2@mail.example>")
    assert await closed.comes(answered, MONDAY, "Sent") == ()
    assert [row.clock.ended for row in await closed.rows()] == ["met"]

    again = letter("Thanks. Which parcel service?", In_Reply_To="<a1@shop.example>")
    assert await closed.comes(again, EVENING) == (QUEUED,)
    second = read((await closed.inbox(ANA))[1].raw)["Message-ID"].strip("<>")

    for raw in (bounce(second), vacation(second)):
        assert await closed.comes(raw, EVENING + HOUR) == ()
    assert len(closed.shop.server.taken) == 2
    assert await closed.fates() == [("accepted", None), ("refused", "refused_later")]
    running = [row.clock for row in await closed.rows() if row.clock.ended is None]
    assert [clock.started_at for clock in running] == [EVENING]
    assert await closed.pool.fetchval("select count(*) from notice") == 0


async def the_copy_was_read_back_as_automatic(closed, first):
    rows = await closed.pool.fetch("select id, kind, origin from message where party = 'seller'")
    assert [tuple(row) for row in rows] == [(first, "automatic", "ours")]


async def the_first_clock_runs_over_the_holidays(closed):
    (row,) = await closed.rows()
    clock = row.clock
    assert (clock.promise, clock.started_by) == (
        "webstore-mailbox-message@shop-mail",
        "q1@mail.example",
    )
    assert (clock.started_at, clock.due_at, clock.ended) == (EVE, DUE, None)
    told = [line.text for line in explain(clock, (), closed.rules.policies["shop-mail"], now=EVE)]
    assert any("2026-12-25" in line and "a holiday" in line for line in told)


@pytest.mark.parametrize(
    "raw",
    [
        vacation("a1@shop.example"),
        bounce("a1@shop.example"),
        bounce("a1@shop.example", action="delayed", status="4.4.1"),
        report("disposition-notification"),
        report("feedback-report"),
        letter(Auto_Submitted="auto-generated"),
        letter(List_Id="<news.example>"),
        letter(List_Unsubscribe="<https://news.example>"),
        letter(Precedence="bulk"),
        letter(Return_Path="<>"),
        letter(sender="MAILER-DAEMON@mx.example"),
        letter(sender="noreply@parcels.example"),
        letter(X_Auto_Response_Suppress="All"),
        letter(X_Loop="helpdesk@mail.example"),
        letter(subject="Automatic reply: Re: Your order"),
        letter(dmarc="fail"),
        letter(Reply_To="no-reply@mail.example"),
        *((Path(__file__).parent / "recorded" / f"{name}.eml").read_bytes()
          for name in ("vacation", "bounce", "delayed", "marketplace")),
    ],
)  # fmt: skip
async def test_what_no_person_wrote_for_certain_is_never_acknowledged(closed, raw):
    became = await closed.comes(raw, EVE)

    assert set(became) <= {"doubtful"}
    assert closed.shop.server.taken == []


async def test_what_lies_in_junk_is_never_acknowledged(closed):
    assert await closed.comes(letter(), EVE, "Junk") in {(), ("doubtful",)}
    assert closed.shop.server.taken == []


async def test_a_forms_buyer_is_acknowledged_though_the_form_is_a_machine(closed):
    assert await closed.comes(letters.form(who=ANA), EVE) == (QUEUED,)
    assert [each.recipients for each in closed.shop.server.taken] == [(ANA,)]


async def test_a_machine_that_says_nothing_of_itself_gets_one_letter_and_no_second(closed):
    """A badly made responder answers each letter by a new one, in a new conversation, at once."""
    await closed.comes(letter("Ticket 0"), EVE)
    for number in range(1, 6):
        ticket = letter(f"Ticket {number} is open.", subject=f"[#{number}] Your request")
        await closed.comes(ticket, EVE + number * MINUTE)

    assert len(closed.shop.server.taken) == 1
    assert len(await closed.rows()) == 6


def test_two_shops_that_are_closed_fall_silent_at_the_first_letter():
    """What one sends by itself is to the other an answer that nobody wrote."""
    page, _ = mapping.read([arrival(letter(id_="q1@mail.example"))], letters.options(), Memory())
    draft = Draft(id=7, account="a", thread=page.threads[0].id, body=TEXT, queued_at=EVE,
                  automatic=True, subject="Hello")  # fmt: skip
    left = outgoing.composed(answering.letter(page.threads[0], draft, letters.options(), EVE))
    other = letters.options(sender="desk@other.example", own_domains=["other.example"])

    memory = Memory()
    memory.note_letter("q1@mail.example", "0123456789abcdef", EVE, "m")
    found, _ = mapping.read([arrival(left)], other, memory)

    assert mime.read(left).automatic == "reply"
    assert [(one.party, one.kind) for one in found.messages] == [(Party.BUYER, Kind.AUTOMATIC)]


async def test_a_connection_that_breaks_after_the_letter_sends_no_second(closed):
    closed.shop.server.faults.order("smtp_drop_after_data", 1)

    await closed.comes(letter(id_="q1@mail.example"), EVE)
    assert await closed.fates() == [("unknown", None)]
    for minute in range(2, 6):
        await closed.round(EVE + minute * MINUTE)

    assert len(closed.shop.server.taken) == 1


async def test_what_left_is_found_in_the_folder_of_sent_letters(closed):
    """The provider keeps what it takes, and our connection broke before it said so."""
    closed.shop.server.faults.order("smtp_drop_after_data", 1)
    await closed.comes(letter(id_="q1@mail.example"), EVE)
    await closed.shop.put(closed.shop.server.taken[0].raw, EVE + MINUTE, "Sent")

    await closed.round(EVE + 2 * MINUTE)
    await closed.round(EVE + 3 * MINUTE)

    assert [state for state, _ in await closed.fates()] == ["accepted"]
    rows = await closed.pool.fetch("select kind, origin from message where party = 'seller'")
    assert [tuple(row) for row in rows] == [("automatic", "ours")]
    assert [row.clock.ended for row in await closed.rows()] == [None]


async def test_a_letter_of_ours_without_an_id_to_answer_belongs_to_its_thread(closed):
    """A question without an id is answered upon nothing; our own id says where it belongs."""
    await closed.comes(letter(id_=""), EVE)

    await closed.round(EVE + 2 * MINUTE)

    rows = await closed.pool.fetch("select kind, origin from message where party = 'seller'")
    assert [tuple(row) for row in rows] == [("automatic", "ours")]


PUSHED = {"endpoint": "https://push.example/push/webstore/a"}


@pytest.mark.parametrize("kind", sorted(spec.kinds.keys() - {"mailbox"}))
def test_no_other_kind_takes_it(kind):
    """None of them has a mark by which everybody sees that nobody wrote a reply."""
    model, filling = spec.kinds[kind], spec.sandbox.kinds[kind].options
    needed = {name: at for name, at in PUSHED.items() if name in model.model_fields}
    options = model.model_validate({"kind": kind, **needed, **filling})

    assert not spec.can(options).labels_automatic


def test_a_chat_refuses_it_in_words(tmp_path):
    filling = spec.sandbox.kinds["chatwoot"].options
    said = "".join(f"{key} = {value!r}\n" for key, value in filling.items() if key != "api_token")
    options = f"[accounts.shop-mail.options]\nkind = 'chatwoot'\n{said}"
    token = "api_token = 'env:SHOP_PASSWORD'\n"
    text = ACCOUNT.partition("[accounts.shop-mail.options]")[0] + options + token
    text += "\n[calendars.shop-hours]" + ACCOUNT.partition("[calendars.shop-hours]")[2]

    with pytest.raises(SettingsError) as found:
        configured(tmp_path, text)

    assert f"accounts.shop-mail.acknowledge: {accounthours.UNLABELLED}" in found.value.complaints
