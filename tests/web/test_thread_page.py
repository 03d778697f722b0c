"""A thread's page: what stands there, for whom, and that each look is written down."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest

from core import ingest
from core.access import Role
from core.desk import escalating
from core.model import Message, Page, Thread
from core.store import audit, languages, transaction
from sla.policy import Party
from tests.core import climbing, seeds
from tests.web import board
from tests.web.hostile import HTML, LINES

NOW = board.NOW
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PAGE = "/thread/mk/T1"


@pytest.fixture
async def stage(pool):
    made = board.Stage(pool)
    async with transaction(pool) as db:
        await seeds.put_account(db, NOW)
        await seeds.put_stream(db, NOW, seen_through=NOW)
        await seeds.put_account(db, NOW, "other")
        await seeds.put_thread(db, NOW - 5 * HOUR)
        await seeds.put_message(db, NOW - 5 * HOUR)
    return made


@pytest.fixture
async def anna(stage, site):
    async with board.signed_in(stage, site) as browser:
        yield browser


@pytest.fixture
async def lead(stage, site):
    async with board.signed_in(stage, site, Role.LEAD, name="lena") as browser:
        yield browser


async def put(pool, act):
    async with transaction(pool) as db:
        return await act(db)


async def run(pool, statement, *args):
    async with transaction(pool) as db:
        await db.execute(statement, *args)


def words(html):
    """What a person reads of a page, in one line."""
    main = html[html.index("<main") : html.index("</main>")]
    spaced = re.sub(
        r"</?(?:article|details|dd|dt|div|h\d|li|p|section|span|summary|ul)\b[^>]*>", " ", main
    )
    return " ".join(unescape(re.sub(r"<[^>]+>", "", spaced)).split())


async def looks(pool):
    async with transaction(pool) as db:
        found = await audit.lines(db, audit.Asked(act="read"), None, "x", 100)
    return [(line.who, line.account, line.thread, dict(line.detail)) for line in found]


async def test_a_page_shows_what_was_written_and_what_is_known(anna, pool):
    await run(pool, "update thread set order_ids = '{1-23,4-56}' where id = 'T1'")
    seen = await anna.get(PAGE)

    assert seen.status == 200
    text = words(seen.text)
    for said in ("Where is my Quillon?", "Empik PL", "Zenobia Quill", "1-23", "4-56",
                 "my parcel, please", "Open at the marketplace", "1 message, the newest first",
                 "No clock: nobody waits"):  # fmt: skip
        assert said in text
    assert 'href="https://shop.example/threads/T1"' in seen.text


async def test_each_look_is_a_line_of_the_audit_trail(anna, lead, pool):
    await anna.get(PAGE)
    await anna.get(PAGE)
    await lead.get(PAGE)

    line = ("mk", "T1", {"messages": 1, "live": 0})
    assert await looks(pool) == [("lena", *line), ("anna", *line), ("anna", *line)]


async def test_an_open_page_is_one_look_until_a_message_comes_or_a_while_has_passed(
    anna, stage, pool
):
    async def shown_anew(query=""):
        await anna.get(f"{PAGE}?part=live{query}")
        return len(await looks(pool))

    await anna.get(PAGE)
    stage.clock.now += MINUTE
    assert await shown_anew() == 1
    await put(pool, lambda db: seeds.put_message(db, stage.clock.now, "M2"))
    stage.clock.now += MINUTE
    assert [await shown_anew(), await shown_anew()] == [2, 2]
    stage.clock.now += HOUR
    assert [await shown_anew(), await shown_anew()] == [3, 3]
    assert [await shown_anew("&whole=M2"), await shown_anew("&before=M2")] == [4, 5]


async def test_where_the_look_cannot_be_written_down_no_text_leaves(anna, pool):
    await run(pool, "alter table audit add constraint none check (act <> 'read') not valid")

    seen = await anna.get(PAGE)

    assert seen.status >= 500
    assert "Quillon" not in seen.text
    assert "parcel" not in seen.text


async def test_what_is_not_there_and_what_is_not_theirs_look_the_same(stage, site, pool):
    await put(pool, lambda db: seeds.put_thread(db, NOW, "T2", "other"))
    async with board.signed_in(stage, site, accounts=["mk"], name="bo") as bo:
        answers = [
            await bo.get(path)
            for path in ("/thread/mk/T9", "/thread/other/T2", "/thread/other/T9", "/thread/no/T2")
        ]

    assert {seen.status for seen in answers} == {404}
    assert len({words(seen.text) for seen in answers}) == 1
    assert await looks(pool) == []


@pytest.mark.parametrize("name", ["a/b?c#d", "한국 <b>", "%2F..%2F", "\u202ex", "a\\b;c&d"])
async def test_a_thread_may_be_called_anything(anna, pool, name):
    await put(pool, lambda db: seeds.put_thread(db, NOW, name))

    assert (await anna.get(f"/thread/mk/{quote(name, safe='')}")).status == 200


@pytest.mark.parametrize("name", ["a%00b", "%ED%A0%80", "%FF", "x" * 3000])
async def test_a_name_that_no_database_holds_is_not_there(anna, name):
    for path in (f"/thread/mk/{name}", f"/thread/{name}/T1", f"/file/mk/{name}?reply=1&number=0"):
        assert (await anna.get(path)).status == 404


@pytest.mark.parametrize("name", ["gone", "%FF", "x" * 3000])
async def test_pages_before_or_of_what_is_not_there_are_the_newest(anna, name):
    for key in ("before", "whole", "raw", "clocks", "part"):
        seen = await anna.get(f"{PAGE}?{key}={name}")
        assert seen.status == 200
        assert "my parcel, please" in seen.text


async def test_a_clock_stands_on_top_with_its_reasons(anna, stage, pool):
    stage.rules.policies["mk"] = (seeds.policy(),)
    number = await put(pool, lambda db: seeds.put_clock(db, NOW + 2 * HOUR + 5 * MINUTE))
    await run(
        pool,
        "insert into clock_entry (clock, at, what, before, after)"
        " values ($1, $2, 'changed', $3, $4)",
        number, NOW - HOUR, {"due_at": "2026-11-21T15:00:00+00:00"},
        {"due_at": "2026-11-21T14:05:00+00:00"},
    )  # fmt: skip

    text = words((await anna.get(PAGE)).text)

    assert "On time in 2 h 05 min" in text
    assert "Why this deadline The buyer waits for a first reply" in text or (
        "Why this deadline" in text and "Not ended yet: 2 h 5 min left" in text
    )
    assert "What happened to this clock" in text
    assert re.search(r"due .*14:05 \(was .*15:00\)", text)
    assert text.index("Deadlines") < text.index("Conversation")


async def test_a_deadline_stands_in_the_zone_of_the_reader_and_of_the_marketplace(
    stage, site, pool
):
    policy = seeds.policy(calendar=seeds.Calendar.always("Europe/Warsaw"))
    stage.rules.policies["mk"] = (policy,)
    stage.board = stage.board.model_copy(update={"zone": "Asia/Seoul"})
    await put(pool, lambda db: seeds.put_clock(db, NOW + 2 * HOUR))
    async with board.signed_in(stage, site) as anna:
        text = words((await anna.get(PAGE)).text)

    assert "Sat 21 Nov 23:00 Asia/Seoul" in text
    assert "Sat 21 Nov 15:00 Europe/Warsaw" in text


@pytest.mark.parametrize(
    ("delivery", "said"),
    [
        ("sending", "nobody knows yet whether it arrived"),
        ("unknown", "look at the marketplace before you write again"),
        ("accepted", "The marketplace took it; it was not seen there yet."),
        ("confirmed", "Seen at the marketplace."),
        ("refused", "Refused: the buyer did not get it."),
    ],
)
async def test_how_far_a_reply_got_is_told_as_it_is(anna, pool, delivery, said):
    await put(
        pool,
        lambda db: seeds.put_message(
            db, NOW - HOUR, "M2", party="seller", delivery=delivery, to=["buyer"]
        ),
    )

    assert said in words((await anna.get(PAGE)).text)


async def test_a_judged_reply_is_what_was_judged_and_a_corrected_kind_is_told(anna, pool):
    await put(
        pool,
        lambda db: seeds.put_message(db, NOW - HOUR, "M2", party="seller", delivery="accepted"),
    )
    await run(
        pool, "update message set judged = 'refused', kind_corrected = 'internal' where id = 'M2'"
    )

    text = words((await anna.get(PAGE)).text)

    assert "Refused: the buyer did not get it." in text
    assert "internal: not for the buyer" in text
    assert "kind corrected" in text


async def test_a_reply_that_waits_is_shown_with_files_that_can_be_kept(anna, pool):
    reply = await put(
        pool,
        lambda db: db.fetchval(
            "insert into reply (account, thread, body, addressed_to, next_try_at, queued_at,"
            " written_by) values ('mk', 'T1', 'It left <b>today</b>', '{buyer}', now(), $1, 'bo')"
            " returning id", NOW,
        ),
    )  # fmt: skip
    await run(
        pool,
        "insert into reply_file (reply, number, name, media_type, content)"
        " values ($1, 0, $2, 'text/html', '<script>alert(1)</script>')",
        reply, 'in\u202evoice".html',
    )  # fmt: skip

    page = await anna.get(PAGE)
    [href] = re.findall(r'href="(/file/[^"]+)"', page.text)
    file = await anna.get(href.replace("&amp;", "&"))

    assert "Has not left yet." in words(page.text)
    assert "It left &lt;b&gt;today&lt;/b&gt;" in page.text
    assert file.status == 200
    assert file.text == "<script>alert(1)</script>"
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    for asked in ("T1", f"T1?reply={reply}&number=1", "T1?reply=x&number=0",
                  "T1?reply=1&number=9999999999", f"T2?reply={reply}&number=0"):  # fmt: skip
        assert (await anna.get(f"/file/mk/{asked}")).status == 404


async def test_who_sees_late_is_told_how_late_and_what_held_it_back(anna, pool):
    await run(
        pool,
        "insert into message (account, id, thread, party, kind, addressed_to, origin, sent_at,"
        " visible_at, seen_at, body, hash) values ('mk', 'M2', 'T1', 'buyer', 'message', '{}',"
        " 'elsewhere', $1, $2, $3, 'hm', 'x'), ('mk', 'M3', 'T1', 'buyer', 'message', '{}',"
        " 'elsewhere', null, null, $3, 'hm', 'x')",
        NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR,
    )  # fmt: skip

    text = words((await anna.get(PAGE)).text)

    assert "The marketplace held it back for 1 h 00 min." in text
    assert "We saw it 1 h 00 min after it could be read." in text
    assert "Its own stamp cannot be" in text


@pytest.mark.parametrize(
    ("delivery", "kind", "read_first"),
    [
        ("confirmed", "message", ["M3"]),
        ("refused", "message", ["M3", "M2", "M1"]),
        ("unknown", "message", ["M3", "M2", "M1"]),
        ("confirmed", "internal", ["M3", "M2", "M1"]),
    ],
)
async def test_what_waits_is_read_before_the_box_and_the_rest_after_it(
    anna, pool, delivery, kind, read_first
):
    async with transaction(pool) as db:
        for number, party in ((2, "seller"), (3, "buyer")):
            how = delivery if party == "seller" else None
            await seeds.put_message(
                db, NOW - (4 - number) * HOUR, f"M{number}", party=party, delivery=how
            )
        await db.execute("update message set kind = $1 where id = 'M2'", kind)
        await db.execute("update message set body = 'said-' || id || '.'")

    page = (await anna.get(PAGE)).text
    before, after = page.split('id="earlier"')

    assert re.findall(r"said-(M\d)", before) == read_first
    assert len(re.findall(r"said-(M\d)", after)) == 3 - len(read_first)


async def test_many_messages_are_several_pages_the_newest_first(anna, pool):
    async with transaction(pool) as db:
        for number in range(2, 123):
            at = NOW - 4 * HOUR + (number // 2) * MINUTE
            await seeds.put_message(db, at, f"M{number}", body=f"said-{number}.")
    path, found = PAGE, []
    while path:
        page = (await anna.get(path)).text
        found.append([int(n) for n in re.findall(r"said-(\d+)\.", page)])
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older and older[1].replace("&amp;", "&")

    assert [len(some) for some in found] == [50, 50, 21]
    assert sorted(n for some in found for n in some) == list(range(2, 123))
    assert found[0][0] in {121, 122}
    assert found[2][-1] in {2, 3}


async def test_a_long_message_is_shown_whole_on_request(anna, pool):
    await run(pool, "update message set body = $1", "x" * 200_000)

    first = await anna.get(PAGE)
    [href] = re.findall(r'href="([^"]+)">Show all of it', first.text)
    whole = await anna.get(href.replace("&amp;", "&"))

    assert len(first.text) < 20_000
    assert "200,000 characters" in words(first.text) or "200000 characters" in words(first.text)
    assert "x" * 200_000 in whole.text
    assert "Show all of it" not in whole.text


async def test_of_one_without_end_the_rest_is_a_file(anna, pool):
    body = "a\n" * 600_000
    await run(pool, "update message set body = $1", body)

    for way in ("whole", "raw"):
        page = await anna.get(f"{PAGE}?{way}=M1")
        [href] = re.findall(r'href="(/file/[^"]+)"', page.text)
        assert len(page.text) < 200_000
        assert "Show all of it" not in page.text
    file = await anna.get(href.replace("&amp;", "&"))

    assert file.text == body
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert (await looks(pool))[0] == ("anna", "mk", "T1", {"text": 1})
    assert (await anna.get("/file/mk/T1?message=nope")).status == 404


async def test_html_is_shown_as_it_came_on_request(anna, pool):
    await run(pool, "update message set body = '<p onclick=x>my <b>parcel</b><script>y</script>'")

    first = await anna.get(PAGE)
    [href] = re.findall(r'href="([^"]+)">Show it as it came', first.text)
    came = await anna.get(href.replace("&amp;", "&"))

    assert "my <b>parcel</b></div>" in first.text
    assert "&lt;script&gt;y&lt;/script&gt;" in came.text


async def test_what_anybody_may_write_anywhere_is_shown_harmless(anna, pool):
    async with transaction(pool) as db:
        for number, name in enumerate(LINES):
            told = name.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
            await seeds.put_thread(db, NOW, f"H{number}", buyer=told)
            await db.execute(
                "update thread set subject = $2, order_ids = array[$2], url = $2 where id = $1",
                f"H{number}", told,
            )  # fmt: skip
            await db.execute(
                "insert into message (account, id, thread, party, kind, addressed_to, origin,"
                " sent_at, seen_at, language, subject, body, order_id, attachments, hash) values"
                " ('mk', $1, $2, 'buyer', 'message', '{}', 'elsewhere', $3, $3, $4, $4 || '!', $5,"
                " $4, $6, 'x')",
                f"{told[:900]}{number}", f"H{number}", NOW, told,
                "\n".join(HTML).replace("\0", "\ufffd"),
                [{"id": "1", "name": told, "size": 5, "media_type": told}],
            )  # fmt: skip
    for number in range(len(LINES)):
        seen = await anna.get(f"/thread/mk/H{number}")
        main = seen.text[seen.text.index("<main") :]
        assert seen.status == 200
        assert not re.findall(r"<(?:script|style|img|iframe|object|svg|form action)\b", main)
        assert not re.findall(r"<[^>]*\son\w+\s*=", main)
        assert not re.findall(r"[\u200b\u202a-\u202e\u2066-\u2069\x00-\x08]", seen.text)
        assert set(re.findall(r'href="(\w+):', main)) <= {"https", "http"}


async def test_an_erased_buyer_is_said_so(anna, pool):
    await run(pool, "update thread set erased_at = $1, subject = null, buyer = '', url = null", NOW)
    await run(pool, "update message set body = ''")

    text = words((await anna.get(PAGE)).text)

    assert "The buyer was erased Sat 21 Nov 12:00" in text
    assert "No text." in text


async def test_what_is_wrong_with_the_thread_or_its_account_is_said(anna, pool):
    await run(
        pool, "update thread set absent_since = $1, incomplete = true, closed_at = $1", NOW - HOUR
    )
    await run(pool, "update account set retired_at = $1 where name = 'mk'", NOW - HOUR)

    text = words((await anna.get(PAGE)).text)

    assert "the marketplace shows no such thread" in text
    assert "This account is read no more" in text
    assert "holds more of this thread" in text
    assert "That is not an answer." in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("set seen_through = '2026-11-21 11:55Z'", "Last read: 5 min 00 s ago"),
        ("set seen_through = null", "has not been read completely yet"),
        ("set blind_since = '2026-11-21 10:00Z'", "cannot be read since Sat 21 Nov 10:00"),
    ],
)
async def test_while_a_clock_runs_it_is_said_how_far_the_account_was_read(anna, pool, change, said):
    await run(pool, f"update stream {change} where account = 'mk'")
    assert said not in words((await anna.get(PAGE)).text)

    await put(pool, lambda db: seeds.put_clock(db, NOW + HOUR))

    assert said in words((await anna.get(PAGE)).text)


async def sibling(db, account="other", *, answered=False, **changes):
    await seeds.put_thread(db, NOW - 4 * HOUR, "T2", account)
    await db.execute("update thread set keys = array['\\x01'::bytea] where id in ('T1', 'T2')")
    ended = {"ended": "met", "stopped_at": NOW - HOUR, "stopped_by": "M9"} if answered else {}
    await seeds.put_clock(db, NOW + 2 * HOUR, thread="T2", account=account, **ended, **changes)


async def test_a_clock_that_still_runs_elsewhere_is_told_where_this_one_was_answered(anna, pool):
    async with transaction(pool) as db:
        await seeds.put_clock(db, NOW, ended="met", stopped_at=NOW - HOUR, stopped_by="M2")
        await sibling(db)

    text = words((await anna.get(PAGE)).text)

    assert "Answered here; the same buyer's clock in another thread still runs: in 2 h" in text


async def test_an_answer_elsewhere_is_told_while_the_clock_here_runs(anna, pool):
    async with transaction(pool) as db:
        await seeds.put_clock(db, NOW + HOUR)
        await sibling(db, answered=True)

    text = words((await anna.get(PAGE)).text)

    assert "was answered in another thread 11:00; the clock here still runs" in text


async def test_threads_of_accounts_that_somebody_does_not_see_are_not_named(stage, site, pool):
    await put(pool, sibling)
    async with board.signed_in(stage, site, accounts=["mk"], name="bo") as bo:
        page = (await bo.get(PAGE)).text

    assert "/thread/other/T2" not in page
    assert "None that is known" in words(page)


async def test_an_order_stands_beside(anna, pool):
    await run(pool, "update thread set order_ids = '{1-23}'")
    await run(
        pool,
        "insert into market_order (account, id, asked_at, as_of, facts) values"
        " ('mk', '1-23', $1, $1, $2)", NOW,
        {"status": "shipped", "total": "12.50", "currency": "EUR", "cancel_asked": True,
         "items": [{"title": "A <b>lamp</b>", "sku": "L-1", "quantity": 2}],
         "shipped_at": NOW.isoformat(), "parcels": ["delivered"]},
    )  # fmt: skip

    text = words((await anna.get(PAGE)).text)

    for said in ("shipped", "2 \u00d7 A <b>lamp</b>", "L-1", "12.50 EUR", "delivered",
                 "The buyer asks to cancel."):  # fmt: skip
        assert said in text


async def test_who_looked_is_shown_to_leads_alone(anna, lead):
    await anna.get(PAGE)

    assert "anna read" in words((await lead.get(PAGE)).text)
    assert "Who looked and acted" not in words((await anna.get(PAGE)).text)


async def test_the_marketplaces_own_mark_is_offered_to_who_may_answer(stage, site, anna, pool):
    await run(
        pool,
        "insert into link (account, message, url, seen_at) values"
        " ('mk', 'M1', 'https://market.example/mark?t=1', $1)", NOW,
    )  # fmt: skip
    async with board.signed_in(stage, site, Role.VIEWER, name="vi") as viewer:
        assert "market.example" not in (await viewer.get(PAGE)).text

    assert (
        'href="https://market.example/mark?t=1" rel="noopener noreferrer nofollow"'
        in (await anna.get(PAGE)).text
    )


async def test_a_claim_is_told_and_can_be_given_back(anna, lead, pool):
    await put(pool, lambda db: seeds.put_clock(db, NOW + HOUR))
    assert 'action="/claim/mk/T1"' in (await anna.get(PAGE)).text
    await run(
        pool,
        "insert into claim (account, thread, by, since, until) values ('mk', 'T1', 'anna', $1, $2)",
        NOW, NOW + HOUR,
    )  # fmt: skip

    own, others = (await anna.get(PAGE)).text, (await lead.get(PAGE)).text

    assert "You work on this, until 13:00." in words(own)
    assert words(others).count("Anna works on this, until 13:00.") == 1
    assert "anna works" not in others
    assert 'action="/release/mk/T1"' in own
    assert "Take it over" not in own
    taken = {"back": PAGE, "over": "yes"}
    assert "Take it over" in others
    assert (await lead.post("/claim/mk/T1", taken, form=PAGE)).status == 303
    assert "You work on this" in words((await lead.get(PAGE)).text)
    assert "Take it over" not in (await anna.get(PAGE)).text


async def test_a_ladder_is_told_with_who_was_told_and_who_is_next(anna, pool):
    rules = climbing.rules()
    await run(pool, "update account set first_walk_at = monitored_since")
    at = NOW - 20 * MINUTE
    await put(pool, lambda db: seeds.put_clock(db, NOW + HOUR, steps=[at - MINUTE, NOW + HOUR]))
    await seeds.watched(pool, rules, at)
    begun = words((await anna.get(PAGE)).text)
    assert "Ladder late: if nobody acts, rung 1 of 2 is told 11:55: lea." in begun
    assert "Who was told" not in begun

    await escalating.once(pool, rules, climbing.KNOWN, NOW - 4 * MINUTE)

    assert "Ladder late:" in (await anna.get(f"{PAGE}?part=live")).text
    said = words((await anna.get(PAGE)).text)
    assert "if nobody acts, rung 2 of 2 is told 12:26: boss." in said
    assert "11:56: rung 1, by mail-lea (has not left yet)" in said
    await run(pool, "update escalation set ended = 'exhausted', ended_at = now()")
    await run(pool, "update dispatch set sent_at = now()")
    said = words((await anna.get(PAGE)).text)
    assert "Ladder late: its last rung was told, nobody further will be." in said
    assert "rung 1, by mail-lea (has left)" in said


async def test_a_repeat_of_the_last_rung_is_no_further_rung(anna, pool):
    rules = climbing.rules(replace(climbing.LADDER, repeat=10 * MINUTE))
    await run(pool, "update account set first_walk_at = monitored_since")
    at = NOW - HOUR
    await put(pool, lambda db: seeds.put_clock(db, NOW + HOUR, steps=[at - MINUTE, NOW + HOUR]))
    await seeds.watched(pool, rules, at)
    for after in (16, 47, 58):
        await escalating.once(pool, rules, climbing.KNOWN, at + after * MINUTE)

    said = words((await anna.get(PAGE)).text)

    assert "if nobody acts, rung 2 of 2 is told again (repeat 2) 12:18: boss." in said
    assert "11:58: rung 2 again (repeat 1), by mail-boss (has not left yet)" in said
    assert "rung 3" not in said


async def test_a_person_overrules_the_language_and_no_reading_changes_that(anna, lead, stage, pool):
    stage.rules = seeds.rules(policies={"mk": (seeds.policy("goal", role="goal"),)})
    said = Message(id="M2", thread="T1", party=Party.BUYER, sent_at=NOW - 5 * HOUR,
                   to=frozenset({Party.SELLER}), body="Where is it?", language="de")  # fmt: skip
    known = Thread(id="T1", as_of=NOW, subject="Where is my Quillon?")

    async def read_again(db):
        at = stage.clock()
        later = Page(messages=(said,), threads=(known.model_copy(update={"as_of": at}),))
        await ingest.page(db, stage.rules, "mk", later, at, None)

    async def tongues(db):
        told = await languages.of(db, [("mk", "T1")])
        return told.get(("mk", "T1")), await db.fetchval("select max(language) from clock")

    await put(pool, read_again)
    assert await put(pool, tongues) == ("de", "de")
    page = await anna.get(PAGE)
    assert "Language German" in words(page.text)
    fields = {"csrf": page.csrf, "stands": "", "language": "pt-BR"}
    assert (await anna.post("/language/mk/T1", fields)).status == 303
    stage.clock.now += HOUR
    await put(pool, read_again)

    assert await put(pool, tongues) == ("pt-BR", "pt-BR")
    shown = await lead.get(PAGE)
    assert "Language Portuguese (Brazil) set by Anna" in words(shown.text)
    late = await lead.post("/language/mk/T1", fields | {"csrf": shown.csrf, "language": "fr"})
    assert late.status == 422
    assert "somebody else has set the language meanwhile" in late.text
    assert await put(pool, tongues) == ("pt-BR", "pt-BR")
    back = {"csrf": shown.csrf, "stands": "pt-BR", "language": ""}
    assert (await lead.post("/language/mk/T1", back)).status == 303
    assert await put(pool, tongues) == ("de", "de")
    for wrong in ("/language/mk/T9", "/language/other/T1"):
        assert (await lead.post(wrong, back)).status == 422
    assert (await lead.post("/language/mk/T1", back | {"language": "klingon"})).status == 422
    async with transaction(pool) as db:
        found = await audit.lines(db, audit.Asked(act="language"), None, "x", 9)
    assert [(one.who, dict(one.detail)) for one in found] == [
        ("lena", {"language": "-", "before": "pt-BR"}),
        ("anna", {"language": "pt-BR", "before": "-"}),
    ]


async def test_the_live_part_holds_no_box_and_the_rest_of_it(anna, pool):
    await put(pool, lambda db: seeds.put_clock(db, NOW + HOUR))

    part = (await anna.get(f"{PAGE}?part=live")).text

    assert [name for name in ("clocks", "conversation", "context") if f'id="{name}"' in part] == [
        "clocks", "conversation", "context",
    ]  # fmt: skip
    assert "<textarea" not in part
    assert 'id="thread"' not in part


async def test_the_page_is_in_the_readers_language(stage, site):
    async with board.signed_in(stage, site) as anna:
        anna.session.headers["Accept-Language"] = "ko"
        text = words((await anna.get(PAGE)).text)

    assert "구매자" in text
    assert "Conversation" not in text
