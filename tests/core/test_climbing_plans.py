"""What climbs is found by indexes, however many notices are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.model import NoticeKind
from core.store import escalations, linking, moving, overtaken, rungs, transaction
from tests.core.seeds import HOUR

N = 30_000
NOTICES = """
    insert into notice (id, key, kind, account, thread, clock, facts, raised_at)
    select n, 'k' || n,
           case when n % 3 = 0 then 'warning' when n % 3 = 1 then 'breach' else 'escalation' end,
           'mk-' || n % 50, 'T' || n % 9000,
           case when n % 30 <> 2 then n % 9000 end,
           jsonb_build_object('promise', 'p', 'of', 'blind', 'escalation', n / 3), $2
    from generate_series(1, $1) n
"""
TOLD = """
    insert into dispatch (notice, notifier, sent_at)
    select n, 'chat', now() from generate_series(1, $1) n
"""
CLIMBED = """
    insert into escalation (notice, kind, account, thread, clock, revision, route, ladder, terms,
                            began_at, told_at, next_at, ended, ended_at)
    select n * 3, 'warning', 'mk-' || n % 50, 'T' || n % 9000, n % 9000, 0, 'r', 'late', '{}',
           $2, $2, $2, 'answered', $2
    from generate_series(1, $1) n
"""
ENDS = "account_up account_retired"
BEGAN = N // 100
"""A trouble that began long ago, and is not over."""


@pytest.fixture
async def plan(pool, now):
    """How PostgreSQL does a statement; of ten times as many notices it does the same."""
    async with transaction(pool) as db:
        await db.execute("set local session_replication_role = replica")
        await db.execute(NOTICES, N, now - timedelta(days=30))
        await db.execute(TOLD, N)
        await db.execute(CLIMBED, N // 3, now - timedelta(days=1))
        for table in ("notice", "dispatch", "escalation"):
            await db.execute(f"analyze {table}")

        async def go(statement, *arguments):
            rows = await db.fetch(f"explain {statement}", *arguments)
            return "\n".join(row[0] for row in rows)

        yield go


async def test_no_plan_reads_every_notice_or_dispatch_or_all_that_climbs(plan, now):
    kinds = list(map(list, zip(*overtaken._ENDS, strict=True)))
    asked = {
        "a rung of a trouble is due": (
            "notice_end", rungs.OVER, [1], ["mk-7"], [BEGAN], [ENDS]
        ),
        "a trouble begins": (
            "notice_end", escalations.RECOVERED, ["mk-7"], ["blind"], [ENDS], now
        ),
        "the last rung leaves": ("notice_end", overtaken.CLIMBED, "chat", [N - 1], *kinds),
        "a trouble is acknowledged": ("notice_rung", escalations.UNSAID, "mk-7", [77]),
        "a notice is acknowledged": (
            "escalation_notice", escalations.ACKNOWLEDGE, 77, "ada", now
        ),
        "a link is opened": ("escalation_notice", linking.ABOUT, 77),
        "a trouble is over": (
            "notice_trouble_rung", overtaken.HEARD, [N], ["mk-7"], ["blind"], *kinds
        ),
        "an end leaves": (
            "notice_trouble_rung", overtaken.ENDED, "chat", [N - 1], ["blind"],
            [NoticeKind.ACCOUNT_UP.value],
        ),
        "a clock moves": ("escalation_of_clock", moving.CLIMBING, [7]),
        "what ended is forgotten": ("escalation_ended", escalations.PURGE, now - 99 * HOUR * 24),
    }  # fmt: skip
    for what, (index, *statement) in asked.items():
        said = await plan(*statement)
        assert index in said, (what, said)
        for table in ("notice", "dispatch", "escalation"):
            assert f"Seq Scan on {table}" not in said, (what, said)
