from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core import ingest, reply
from core.connector import Sent
from core.desk import answering
from core.errors import (
    BadCredentials,
    BadPayload,
    Mistaken,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.metrics import Metrics
from core.model import Draft, Message, Page, Stream, Thread
from core.reading.walk import Reader
from core.store import outgoing, readback, replies, threads, transaction
from sla.policy import Party
from tests.core import asked, seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

BUYER = frozenset({Party.BUYER})
TINY = SECOND / 1_000_000
BODY = "Your parcel left us yesterday, here is its number."


class Silent:
    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()


class Shop(Silent):
    """A marketplace that answers a reply with *outcome* and shows `page` when looked at."""

    def __init__(self, outcome, page=None):
        self.outcome, self.page, self.sent, self.looks = outcome, page or Page(), [], 0

    async def reply(self, thread, draft, now):
        self.sent.append((thread.id, draft.body, draft.to))
        self.quoted = draft.quoted
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        if callable(self.outcome):
            return await self.outcome()
        return Sent(self.outcome)

    async def look(self, threads, now):
        self.looks += 1
        return self.page


def message(name, at, party, body="?"):
    to = BUYER if party is Party.SELLER else frozenset({Party.SELLER})
    return Message(id=name, thread="T1", party=party, sent_at=at, body=body, to=to)


def page(now, *messages):
    thread = Thread(id="T1", as_of=now, reply_to={"token": "x"})
    return Page(messages=messages, threads=(thread,))


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def db(pool, rules, now):
    """A thread whose buyer has been waiting for 23 hours of 24."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        async with transaction(pool) as other:
            first = message("M1", now - 23 * HOUR, Party.BUYER)
            await ingest.page(other, rules, "mk", page(now, first), now - MINUTE, None)
        yield db


@pytest.fixture
def round_(pool, db, rules, now):
    """One round; each call, what waits has become due."""

    async def go(connector, at=None):
        await db.execute(
            "update reply set next_try_at = now()"
            " where state <> 'sending' and next_try_at < 'infinity'"
        )
        readers = {"mk": Reader(seeds.account(), connector, {"s": Stream("s", MINUTE)}, "mk")}
        return await reply.once(pool, readers, rules, Metrics(), at or now)

    return go


@pytest.fixture
def queued(pool, now):
    async def put(body=BODY, at=None):
        async with transaction(pool) as other:
            return await answering.queue(other, "mk", "T1", body, BUYER, at or now)

    return put


async def clock(db):
    return await db.fetchrow("select * from clock")


async def ours(db):
    """Our messages: (id, delivery, origin, sent_at)."""
    rows = await db.fetch(
        "select id, delivery, origin, sent_at from message where party = 'seller' order by id"
    )
    return [tuple(row) for row in rows]


async def states(db):
    return [row[0] for row in await db.fetch("select state from reply order by id")]


async def told(db):
    return [tuple(row) for row in await db.fetch("select key, kind from notice order by id")]


async def test_it_can_quote_the_newest_message_of_those_whom_it_answers(
    pool, db, rules, round_, queued, now
):
    told = [
        message("M2", now - HOUR, Party.BUYER, "Where is it?"),
        message("M3", now - MINUTE, Party.MARKETPLACE, "A notice"),
        message("M4", now - MINUTE, Party.SELLER, "An answer"),
    ]
    async with transaction(pool) as other:
        await ingest.page(other, rules, "mk", page(now, *told), now, None)
    shop = Shop("R1")
    await queued()
    await round_(shop)
    assert shop.quoted == "Where is it?"

    await db.execute("update message set body = '' where id = 'M2'")
    await queued()
    await round_(shop)
    assert shop.quoted is None


async def test_a_draft_does_not_show_what_it_quotes(now):
    draft = Draft(id=1, account="mk", thread="T1", body="x", queued_at=now, quoted="buyer's words")
    assert "buyer's words" not in repr(draft)


async def test_no_reply_is_queued_to_somebody_who_was_erased(pool, db, queued, now):
    await db.execute("update thread set erased_at = $1", now)

    with pytest.raises(Mistaken, match=r"was erased at 2026-.* write it at the marketplace"):
        await queued()

    assert await states(db) == []


async def test_a_reply_waits_for_an_erasure_that_is_under_way(pool, db, queued, now):
    """Else it would be queued into a thread that the erasure has emptied already."""
    async with transaction(pool) as erasing:
        await threads.lock(erasing, "mk", ["T1"])
        writing = asyncio.create_task(queued())
        await asyncio.wait([writing], timeout=0.2)
        assert not writing.done()
        await erasing.execute("update thread set erased_at = $1", now)

    with pytest.raises(Mistaken, match="was erased"):
        await writing
    assert await states(db) == []


# Accepted


async def test_an_accepted_reply_leaves_once_and_ends_the_clock(db, round_, queued, now):
    shop = Shop("R1")
    await queued()

    for _ in range(3):
        await round_(shop)

    assert shop.sent == [("T1", BODY, BUYER)]
    assert await states(db) == ["accepted"]
    row = await clock(db)
    assert (row["ended"], row["stopped_by"]) == ("met", "R1")
    assert now <= row["stopped_at"] < now + SECOND
    ((id_, delivery, origin, _),) = await ours(db)
    assert (id_, delivery, origin) == ("R1", "accepted", "ours")
    assert await told(db) == []


async def test_until_it_is_accepted_the_clock_runs_on(pool, db, round_, queued):
    async def slow():
        row = await clock(db)
        seen.append((row["ended"], (await ours(db))[0][1], await states(db)))
        return Sent("R1")

    seen = []
    await queued()

    await round_(Shop(slow))

    assert seen == [(None, "sending", ["sending"])]


async def test_it_counts_a_microsecond_after_the_newest_turn_stored_when_it_left(
    pool, db, rules, round_, queued, now
):
    """Another host's clock is ahead: a question is stored at an instant still to come here."""
    ahead = now + 5 * SECOND
    async with transaction(pool) as other:
        more = message("M2", ahead, Party.BUYER)
        await ingest.page(other, rules, "mk", page(now, more), ahead, None)
    await queued()

    await round_(Shop("R1"))

    row = await clock(db)
    assert (row["ended"], row["stopped_at"]) == ("met", ahead + TINY)


async def test_the_marketplaces_own_time_replaces_ours_in_the_same_row(
    pool, db, rules, round_, queued, now
):
    await queued()
    await round_(Shop("R1"))

    there = now - 30 * SECOND
    async with transaction(pool) as other:
        read = message("R1", there, Party.SELLER, BODY)
        await ingest.page(other, rules, "mk", page(now, read), now + MINUTE, None)
    await round_(Shop("R1"))

    assert await ours(db) == [("R1", "confirmed", "ours", there)]
    assert (await clock(db))["stopped_at"] == there
    assert await states(db) == ["confirmed"]


async def test_a_poll_that_reads_it_before_the_answer_comes_makes_no_second_message(
    pool, db, rules, round_, queued, now
):
    async def slow():
        async with transaction(pool) as other:
            read = message("R1", now, Party.SELLER, BODY)
            await ingest.page(other, rules, "mk", page(now, read), now, None)
        return Sent("R1")

    await queued()
    await round_(Shop(slow))

    assert await ours(db) == [("R1", "confirmed", "ours", now)]
    assert await states(db) == ["accepted"]
    await round_(Shop("R1"))
    assert await states(db) == ["confirmed"]


async def test_where_no_id_is_told_it_is_found_by_its_text(db, round_, queued, now):
    there = now + 2 * SECOND
    folded = BODY.replace(", ", ",\n") + "\n\nSent by Empik on behalf of the shop"
    shop = Shop(None, page(now, message("R1", there, Party.SELLER, folded)))
    await queued()
    await round_(shop)

    await round_(shop, now + MINUTE)

    assert await ours(db) == [("R1", "confirmed", "ours", there)]
    assert await states(db) == ["confirmed"]
    row = await clock(db)
    assert (row["ended"], row["stopped_by"], row["stopped_at"]) == ("met", "R1", there)


async def test_it_is_found_by_what_was_told_where_the_text_lost_something(db, round_, queued, now):
    """A text with a tag in it is taken for HTML when it is read back."""
    written = "Write <b>only</b> &amp; nothing else."
    read = message("R1", now, Party.SELLER, "Write only & nothing else.")
    shop = Shop(None, page(now, read.model_copy(update={"raw": written.encode()})))
    await queued(written)
    await round_(shop)
    await round_(shop)

    assert [(id_, how) for id_, how, *_ in await ours(db)] == [("R1", "confirmed")]


async def test_a_colleagues_answer_is_not_taken_for_it(db, round_, queued, now):
    shop = Shop(None, page(now, message("R9", now + SECOND, Party.SELLER, "Another answer")))
    await queued()
    await round_(shop)

    await round_(shop, now + MINUTE)

    assert await states(db) == ["accepted"]
    assert [(id_, origin) for id_, _, origin, _ in await ours(db)] == [
        ("R9", "elsewhere"), ("reply:1", "ours"),
    ]  # fmt: skip


async def test_two_replies_of_one_text_are_two_messages(db, round_, queued, now):
    first, second = (message(f"R{n}", now + n * SECOND, Party.SELLER, BODY) for n in (1, 2))
    shop = Shop(None)
    await queued()
    await round_(shop)
    await queued()
    await round_(shop)

    shop.page = page(now, first, second)
    await round_(shop, now + MINUTE)
    await round_(shop, now + MINUTE)

    assert [(id_, origin) for id_, _, origin, _ in await ours(db)] == [
        ("R1", "ours"), ("R2", "ours"),
    ]  # fmt: skip
    assert await states(db) == ["confirmed", "confirmed"]


async def test_what_polling_has_brought_is_not_looked_at_again(
    pool, db, rules, round_, queued, now
):
    shop = Shop("R1")
    await queued()
    await round_(shop)
    async with transaction(pool) as other:
        read = message("R1", now, Party.SELLER, BODY)
        await ingest.page(other, rules, "mk", page(now, read), now, None)
    looks = shop.looks

    await round_(shop)

    assert shop.looks == looks
    assert await states(db) == ["confirmed"]


# Refused


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Refused("closed"), "refused"), (BadCredentials("401"), "bad_credentials")],
)
async def test_a_refused_reply_is_told_at_once_and_the_clock_runs_on(
    db, round_, queued, now, fault, reason
):
    shop = Shop(fault)
    await queued()

    for _ in range(3):
        await round_(shop)

    assert len(shop.sent) == 1
    assert await states(db) == ["refused"]
    row = await clock(db)
    assert row["ended"] is None
    assert await told(db) == [(f"{row['id']}/refused/reply:1", "reply_refused")]
    facts = await db.fetchval("select facts from notice")
    assert facts == {"promise": "reply-24h", "reason": reason, "waits_for": "buyer"}
    assert [delivery for _, delivery, _, _ in await ours(db)] == ["refused"]


@pytest.mark.parametrize(("later", "ended"), [(HOUR / 2, "void"), (2 * HOUR, "late")])
async def test_who_can_be_answered_no_more_waits_no_longer(db, round_, queued, now, later, ended):
    """They opted out, or are gone: the marketplace will take no other answer either."""
    await queued()

    await round_(Shop(Refused("opted out", unanswerable=True)), now + later)

    row = await clock(db)
    assert (row["ended"], row["reason"]) == (ended, "unanswerable")
    assert await states(db) == ["refused"]
    assert [kind for _, kind in await told(db) if kind == "reply_refused"] == ["reply_refused"]
    written = message("M9", now + later + MINUTE, Party.BUYER)
    async with db.transaction():
        await ingest.page(db, seeds.rules(), "mk", page(now, written), now + 3 * HOUR, None)
    rows = await db.fetch("select ended from clock order by started_at")
    assert [row["ended"] for row in rows] == [ended, None], "who writes again waits again"


@pytest.mark.parametrize("party", [Party.BUYER, Party.MARKETPLACE])
async def test_a_refusal_is_about_the_party_that_was_answered(pool, db, now, party):
    """The buyer has waited for longer than the marketplace."""
    both = seeds.policy(waits_for=frozenset({Party.BUYER, Party.MARKETPLACE}))
    rules = seeds.rules(policies={"mk": (both,)})
    async with transaction(pool) as other:
        asked = message("M2", now - HOUR, Party.MARKETPLACE)
        await ingest.page(other, rules, "mk", page(now, asked), now, None)
        await answering.queue(other, "mk", "T1", BODY, frozenset({party}), now)
    streams = {"s": Stream("s", MINUTE)}
    readers = {"mk": Reader(seeds.account(), Shop(Refused("closed")), streams, "mk")}

    await reply.once(pool, readers, rules, Metrics(), now)

    told = await db.fetchrow("select clock, facts from notice")
    waits = await db.fetchval("select id from clock where waits_for = $1", party)
    assert (told["clock"], told["facts"]["waits_for"]) == (waits, party)


async def test_an_account_that_cannot_answer_refuses(db, round_, queued):
    await queued()

    await round_(Silent())

    assert await states(db) == ["refused"]
    assert (await db.fetchval("select facts from notice"))["reason"] == "cannot_reply"


async def test_a_refusal_in_a_thread_where_nothing_runs_is_told_too(db, round_, queued, now):
    await queued()
    await round_(Shop("R1"))
    await queued()

    await round_(Shop(Refused("closed")))

    assert ("0/refused/reply:2", "reply_refused") in await told(db)


async def test_a_refusal_found_later_opens_the_clock_again_and_is_told_once(
    pool, db, rules, round_, queued, now
):
    await queued()
    await round_(Shop("R1"))
    bounced = message("R1", now, Party.SELLER, BODY).model_copy(update={"delivery": "refused"})
    for _ in range(2):
        async with transaction(pool) as other:
            await ingest.page(other, rules, "mk", page(now, bounced), now + MINUTE, None)
    await round_(Shop("R1"), now + MINUTE)

    row = await clock(db)
    assert row["ended"] is None
    assert await told(db) == [(f"{row['id']}/refused/R1", "reply_refused")]
    assert await states(db) == ["refused"]


# Not sent


@pytest.mark.parametrize("fault", [RateLimited("429"), Unreachable("no route")])
async def test_what_was_certainly_not_sent_is_tried_again(db, round_, queued, fault):
    shop = Shop(fault)
    await queued()
    await round_(shop)
    assert await states(db) == ["queued"]
    assert (await clock(db))["ended"] is None

    shop.outcome = "R1"
    await round_(shop)

    assert await states(db) == ["accepted"]
    assert [id_ for id_, *_ in await ours(db)] == ["R1"]


async def test_it_waits_as_long_as_it_is_asked_to(pool, db, round_, queued):
    await queued()

    await round_(Shop(RateLimited("429", retry_after=300)))

    wait = await db.fetchval("select extract(epoch from next_try_at - now())::float8 from reply")
    assert 290 < wait <= 300


async def test_what_cannot_be_sent_is_given_up_visibly(db, round_, queued):
    shop = Shop(Unreachable("no route"))
    await queued()

    for _ in range(reply.ATTEMPTS + 2):
        await round_(shop)

    assert len(shop.sent) == reply.ATTEMPTS
    assert await states(db) == ["refused"]
    assert (await db.fetchval("select facts from notice"))["reason"] == "unreachable"


@pytest.mark.parametrize(
    ("attempts", "asked", "seconds"),
    [(1, None, 2), (4, None, 16), (9, None, 512), (99, None, 600), (1, 30, 30), (1, 9999, 600)],
)
def test_waits_double_and_are_bounded(attempts, asked, seconds):
    assert reply.wait_after(attempts, asked) == timedelta(seconds=seconds)


# Unknown


@pytest.mark.parametrize(
    "fault", [OutcomeUnknown("cut"), BadPayload("odd"), TimeoutError(), ZeroDivisionError("bug")]
)
async def test_a_reply_of_unknown_fate_is_told_and_never_sent_again(db, round_, queued, now, fault):
    shop = Shop(fault)
    await queued()

    for _ in range(4):
        await round_(shop)

    assert len(shop.sent) == 1
    assert await states(db) == ["unknown"]
    assert await told(db) == [("reply:1/unknown", "reply_unknown")]
    assert (await clock(db))["ended"] is None
    assert [delivery for _, delivery, _, _ in await ours(db)] == ["unknown"]
    assert await db.fetchval("select due_at from notice") == (await clock(db))["due_at"]


async def test_a_connectors_bug_is_logged_by_its_place_and_not_by_its_text(db, round_, queued):
    await queued()

    with capture_logs() as logs:
        await round_(Shop(ZeroDivisionError(f"cannot send {BODY}")))

    [said] = [line for line in logs if line["log_level"] == "error"]
    assert (said["error"], said["trace"][-1].split()[-1]) == ("ZeroDivisionError", "reply")
    assert BODY not in str(logs)
    assert "exc_info" not in said, "its text may hold anything"


async def test_it_is_settled_when_the_thread_shows_it(db, round_, queued, now):
    shop = Shop(OutcomeUnknown("cut"))
    await queued()
    await round_(shop)

    there = now - SECOND
    shop.page = page(now, message("R1", there, Party.SELLER, BODY))
    await round_(shop, now + MINUTE)

    assert await states(db) == ["confirmed"]
    assert await ours(db) == [("R1", "confirmed", "ours", there)]
    assert (await clock(db))["ended"] == "met"
    assert len(shop.sent) == 1


async def test_an_old_answer_of_the_same_text_does_not_settle_it(
    pool, db, rules, round_, queued, now
):
    async with transaction(pool) as other:
        old = message("R0", now - 24 * HOUR, Party.SELLER, BODY)
        await ingest.page(other, rules, "mk", page(now, old), now - HOUR, None)
    shop = Shop(OutcomeUnknown("cut"))
    await queued()

    for _ in range(3):
        await round_(shop)

    assert await states(db) == ["unknown"]


async def test_an_old_answer_that_is_first_seen_now_does_not_settle_it(db, round_, queued, now):
    shop = Shop(OutcomeUnknown("cut"), page(now, message("R0", now - HOUR, Party.SELLER, BODY)))
    await queued()

    for _ in range(3):
        await round_(shop)

    assert shop.looks
    assert await states(db) == ["unknown"]


async def test_stopping_while_a_reply_is_leaving_leaves_it_unknown(db, round_, queued):
    leaving = asyncio.Event()

    async def hangs():
        leaving.set()
        await asyncio.Event().wait()

    await queued()
    task = asyncio.create_task(round_(Shop(hangs)))
    await asyncio.wait_for(leaving.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)

    assert await states(db) == ["unknown"]
    assert await told(db) == [("reply:1/unknown", "reply_unknown")]


async def test_a_process_that_died_while_a_reply_was_leaving_leaves_it_unknown(
    pool, db, round_, queued, now
):
    shop = Shop("R1")
    await queued()
    async with transaction(pool) as other:
        assert (await replies.claim(other, ["mk"], now)) is not None
    await round_(shop)
    assert await states(db) == ["sending"], "its lease has not ended"

    await db.execute("update reply set next_try_at = now() - interval '1 s'")
    await round_(shop)

    assert shop.sent == []
    assert await states(db) == ["unknown"]
    assert await told(db) == [("reply:1/unknown", "reply_unknown")]


async def test_what_was_claimed_too_long_ago_does_not_leave_under_that_claim(
    db, round_, queued, monkeypatch
):
    """As after SIGSTOP: to another it may look lost by now, and a person was told so."""
    shop = Shop("R1")
    await queued()
    with monkeypatch.context() as shorter:
        shorter.setattr(replies, "LEASE", timedelta(seconds=reply.LIMIT))
        await round_(shop)
    assert shop.sent == []
    assert await states(db) == ["queued"]

    await round_(shop)

    assert shop.sent == [("T1", BODY, BUYER)]


async def test_a_slow_acceptance_after_the_lease_still_counts(pool, db, rules, round_, queued, now):
    async def slow():
        await db.execute("update reply set next_try_at = now() - interval '1 s'")
        await round_(Shop("other"))
        assert await states(db) == ["unknown"]
        return Sent("R1")

    await queued()
    await round_(Shop(slow))

    assert await states(db) == ["accepted"]
    assert (await clock(db))["ended"] == "met"


# Order, and who sends


async def test_replies_of_a_thread_leave_one_after_the_other(db, round_, queued):
    shop = Shop(RateLimited("429"))
    await queued("first words of ours")
    await queued("second words of ours")
    await round_(shop)
    assert [body for _, body, _ in shop.sent] == ["first words of ours"]

    shop.outcome = None
    await round_(shop)
    await round_(shop)

    assert [body for _, body, _ in shop.sent[1:]] == ["first words of ours", "second words of ours"]


async def test_two_processes_send_a_reply_once(pool, db, rules, queued, now):
    shop = Shop("R1")
    readers = {"mk": Reader(seeds.account(), shop, {}, "mk")}
    await queued()

    await asyncio.gather(*(reply.once(pool, readers, rules, Metrics(), now) for _ in range(4)))

    assert len(shop.sent) == 1


async def test_an_account_that_nobody_reads_here_waits(pool, db, rules, queued, now):
    await queued()

    await reply.once(pool, {}, rules, Metrics(), now)

    assert await states(db) == ["queued"]


async def test_what_nobody_here_reads_asks_for_no_round(pool, db, rules, queued, now):
    await queued()

    assert await reply.once(pool, {}, rules, Metrics(), now) is None


async def test_a_reply_behind_one_that_waits_asks_for_no_round_before_it(
    pool, db, rules, queued, now
):
    readers = {"mk": Reader(seeds.account(), Shop(RateLimited("429", retry_after=60)), {}, "mk")}
    await queued()
    await queued("And here is the number again.")
    await reply.once(pool, readers, rules, Metrics(), now)

    again = await reply.once(pool, readers, rules, Metrics(), now)

    assert await states(db) == ["queued", "queued"]
    assert now + 50 * SECOND < again < now + 70 * SECOND


async def test_while_nothing_is_due_a_round_is_one_statement(address, rules, now):
    async with asked.remembering(address) as (pool, said):
        assert await reply.once(pool, {}, rules, Metrics(), now) is None

    assert len(said) == 1


async def test_it_wants_to_run_again_when_something_is_due(pool, db, rules, round_, queued, now):
    assert await round_(Shop("R1")) is None
    await queued()
    again = await round_(Shop("R1"))
    assert now <= again < now + SECOND

    readers = {"mk": Reader(seeds.account(), Shop("R1"), {}, "mk")}
    await reply.once(pool, readers, rules, Metrics(), now)
    again = await reply.once(pool, readers, rules, Metrics(), now)
    assert now + SECOND < again < now + 20 * SECOND


async def test_after_days_it_is_looked_for_no_more(db, round_, queued, now):
    await queued()
    await round_(Shop(None))

    await round_(Shop(None), now + outgoing.GIVE_UP + HOUR)

    assert await db.fetchval("select next_try_at = 'infinity' from reply")
    assert await round_(Shop(None)) is None


@pytest.mark.parametrize(
    ("thread", "body", "to"),
    [("T9", "text", BUYER), ("T1", " \n", BUYER), ("T1", "text", frozenset()),
     ("T1", "text", frozenset({Party.SELLER}))],
)  # fmt: skip
async def test_a_reply_that_cannot_be_is_refused_at_once(db, now, thread, body, to):
    with pytest.raises(Mistaken):
        await answering.queue(db, "mk", thread, body, to, now)

    assert await states(db) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("a b", [("1", "a  b\n")], "1"),
        ("ok", [("1", "ok then")], None),
        (BODY, [("1", "Hello,\n" + BODY), ("2", BODY)], "2"),
        (BODY, [], None),
        ("x" * 30, [("1", "y"), ("2", "Re: " + "x" * 30)], "2"),
    ],
)
def test_which_message_is_ours(ours, theirs, found):
    assert readback.which(ours, theirs) == found


async def test_who_writes_while_it_is_refused_that_they_can_be_answered_waits(
    db, pool, rules, round_, queued, now
):
    """They opted in again meanwhile, say."""
    await queued()

    async def refuse():
        left_at = await db.fetchval("select left_at from reply")
        written = message("M9", left_at + MINUTE / 60_000, Party.BUYER)
        async with transaction(pool) as other:
            await ingest.page(other, rules, "mk", page(now, written), now + MINUTE, None)
        await asyncio.sleep(0.005)
        raise Refused("opted out", unanswerable=True)

    await round_(Shop(refuse))

    rows = await db.fetch("select ended from clock order by started_at")
    assert [row["ended"] for row in rows] == ["void", None]
