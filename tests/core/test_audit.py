from __future__ import annotations

from datetime import timedelta

from core.access import Role, Who
from core.store import audit, transaction

ANNA = Who("anna", Role.AGENT, address="192.0.2.7")
LENA = Who("lena", Role.LEAD)


async def written(pool, now):
    async with transaction(pool) as db:
        await audit.write(db, ANNA, "read", account="mk", thread="t1", now=now)
        await audit.write(db, LENA, "look", detail={"filter": "band=late", "shown": 50}, now=now)
        await audit.write(
            db, None, "sign-in", detail={"outcome": "refused"}, address="::1", now=now
        )
        await audit.write(db, LENA, "answer", account="other", thread="t2", now=now)


async def shown(pool, *, visible=None, reader="root", limit=10, **asked):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(**asked), visible, reader, limit)


async def test_a_line_says_who_did_what_from_where(pool, now):
    await written(pool, now)

    *_, look, read = await shown(pool)

    assert (read.who, read.act, read.account, read.thread) == ("anna", "read", "mk", "t1")
    assert (read.address, read.at, read.means) == ("192.0.2.7", now, "session")
    assert look.detail == {"filter": "band=late", "shown": 50}


async def test_lines_are_found_by_who_what_and_where_page_by_page(pool, now):
    await written(pool, now)

    assert [one.act for one in await shown(pool, who="lena")] == ["answer", "look"]
    assert [one.who for one in await shown(pool, act="read")] == ["anna"]
    assert [one.who for one in await shown(pool, account="mk", thread="t1")] == ["anna"]
    first = await shown(pool, limit=3)
    rest = await shown(pool, limit=3, before=first[-1].id)
    assert [one.act for one in (*first, *rest)] == ["answer", "sign-in", "look", "read"]


async def test_who_sees_some_accounts_sees_their_lines_and_their_own(pool, now):
    await written(pool, now)

    seen = await shown(pool, visible={"mk"}, reader="lena")

    assert [(one.who, one.act) for one in seen] == [
        ("lena", "answer"),
        ("lena", "look"),
        ("anna", "read"),
    ]


async def test_a_detail_is_cut_and_holds_what_the_database_can(pool, now):
    async with transaction(pool) as db:
        await audit.write(
            db, ANNA, "x" * 99, thread="t" * 5000, detail={"of": "a\0" * 999}, now=now
        )

    (line,) = await shown(pool)

    assert len(line.act) == audit.LONGEST_ACT
    assert len(line.detail["of"]) == audit.MOST_DETAIL
    assert [line] == await shown(pool, thread="t" * 5000)


async def test_old_lines_go(pool, now):
    await written(pool, now)
    async with transaction(pool) as db:
        assert await audit.purge(db, now) == 0
        assert await audit.purge(db, now + timedelta(seconds=1)) == 4
    assert await shown(pool) == []
