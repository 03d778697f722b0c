"""The link in a notice: made here only, for one thing, for a while; and what following it does."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import deliver
from core.access import Role
from core.desk import claiming, leases, links, taking
from core.desk.claiming import Held
from core.desk.links import Link, Signer
from core.desk.taking import Acknowledged, Offer
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.people.directory import Directory
from core.people.person import Person, Team
from core.store import audit, claims, linking, notices, people, transaction
from tests.core import climbing, pages, seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

KEY = b"k" * 32
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LINK = Link("take", 7, "person:lea", NOON + HOUR)
DIRECTORY = Directory(people=climbing.PEOPLE)
KNOWN = frozenset({"chat", "mail-lea"})


def test_a_link_says_what_it_was_made_of_until_its_time_is_over():
    token = links.sign(KEY, LINK)

    assert links.read(KEY, token, "take", NOON) == LINK
    assert links.read(KEY, token, "take", NOON + HOUR - SECOND) == LINK
    assert links.read(KEY, token, "take", NOON + HOUR) == "expired"
    assert links.read(KEY, token, "enter", NOON) == "unreadable"
    assert links.read(b"x" * 32, token, "take", NOON) == "unreadable"


def test_no_change_of_a_link_goes_unnoticed():
    token = links.sign(KEY, LINK)
    others = [chr(n) for n in range(33, 127)] + ["", "é", "\n"]

    changed = [
        token[:place] + other + token[place + 1 :]
        for place in range(len(token))
        for other in others
        if other != token[place]
    ]

    assert {links.read(KEY, each, "take", NOON) for each in changed} == {"unreadable"}


def test_what_is_signed_for_one_thing_is_no_link_for_another():
    code = links.sign(KEY, LINK).partition(".")[2]
    for other in (
        replace(LINK, notice=8), replace(LINK, bearer="person:boss"),
        replace(LINK, until=NOON + 9 * HOUR), replace(LINK, purpose="enter"),
    ):  # fmt: skip
        said = links.sign(KEY, other).partition(".")[0]
        assert links.read(KEY, f"{said}.{code}", other.purpose, NOON) == "unreadable"


@given(st.text(max_size=700))
def test_whatever_somebody_writes_is_no_link(text):
    assert links.read(KEY, text, "take", NOON) == "unreadable"


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_whatever_somebody_encodes_is_no_link(said, code):
    token = ".".join(urlsafe_b64encode(each).rstrip(b"=").decode() for each in (said, code))

    assert links.read(KEY, token, "take", NOON) == "unreadable"


@pytest.mark.parametrize(
    ("notifier", "ways", "whose"),
    [
        ("mail-lea", (), "person:lea"),
        ("chat", (), "notifier:chat"),
        ("both", (), "notifier:both"),
        ("team", (), "notifier:team"),
        ("both", ("desk/lea",), "person:lea"),
        ("both", ("desk/lea", "desk/boss"), "notifier:both"),
        ("mail-lea", ("desk",), "notifier:mail-lea"),
    ],
)
def test_a_link_is_a_persons_own_where_nobody_else_reads_it(notifier, ways, whose):
    every = {
        "lea": Person("lea", "Lea", notifiers=("mail-lea", "both", "team")),
        "boss": Person("boss", "Boss", notifiers=("both",)),
    }
    directory = Directory(people=every, teams={"all": Team("all", ("lea",), notifiers=("team",))})

    assert links.bearer(directory, notifier, ways) == whose


@pytest.fixture
async def db(pool, now):
    await pages.monitored(pool, now - 30 * 24 * HOUR)
    asked = pages.buyer("M1", now - 24 * HOUR - MINUTE)
    await pages.stored(pool, now - 24 * HOUR, pages.thread(as_of=now), asked, of=climbing.rules())
    async with pool.acquire() as db:
        await db.execute("update account set first_walk_at = monitored_since")
        yield db


@pytest.fixture
def take(pool, now):
    """Follow the link of a notice, and press its button."""

    async def go(notice, bearer="person:lea", at=None, directory=DIRECTORY):
        at = at or now
        async with transaction(pool) as db:
            token = links.sign(await linking.key(db), Link("take", notice, bearer, now + HOUR))
            found = await taking.offered(db, token, directory, KNOWN, at, "192.0.2.7")
            if not isinstance(found, Offer):
                return found
            return await taking.take(db, found, at, leases.USUAL)

    return go


@pytest.fixture
async def breach(pool, db, now):
    await seeds.watched(pool, climbing.rules(), now)
    return await db.fetchval("select id from notice where kind = 'breach'")


async def raised(pool, kind, at, **changes):
    async with transaction(pool) as db:
        one = Notice(f"mk/{kind.value}/{at.isoformat()}", kind, "mk", at, **changes)
        await notices.raise_(db, climbing.rules(), [one])
        return await db.fetchval("select id from notice where key = $1", one.key)


async def test_the_key_is_made_once_for_all_processes(pool, db):
    async with transaction(pool) as first:
        made = await linking.key(first)
    async with transaction(pool) as second:
        assert await linking.key(second) == made
    assert len(made) == 32


async def test_a_link_claims_the_thread_for_its_person(db, take, breach, now):
    made = await take(breach)

    assert (made.by, made.until) == ("lea", now + 5 * MINUTE)
    [line] = await audit.lines(db, audit.Asked(), None, "lea", 10)
    assert (line.who, line.means, line.act, line.address) == ("lea", "link", "claim", "192.0.2.7")


async def test_a_link_to_several_claims_for_all_of_them_and_any_person_goes_on(
    pool, take, breach, now
):
    made = await take(breach, "notifier:chat")
    assert made.by == "notifier:chat"

    theirs = await take(breach, "person:lea")

    assert theirs.by == "lea"
    assert await take(breach, "notifier:chat") == Held(theirs)
    async with transaction(pool) as db:
        past = await claims.history(db, "mk", "T1")
        assert [each.ended for each in past] == [None, "taken_over"]


async def test_the_link_of_a_rung_is_about_the_notice_that_climbs(pool, db, take, now):
    number = await raised(pool, NoticeKind.ACCOUNT_DOWN, now)
    climbs = await db.fetchval("select id from escalation where notice = $1", number)
    rung = await raised(pool, NoticeKind.ESCALATION, now, facts=(("escalation", climbs),))

    assert await take(rung) == Acknowledged(1)
    assert await take(rung) == Acknowledged(0)
    assert await climbing.standing(db) == [(0, "acknowledged")]
    lines = await audit.lines(db, audit.Asked(act="acknowledge"), None, "lea", 10)
    assert [line.detail for line in lines] == [{"notice": number, "kind": "account_down"}] * 2


async def test_what_was_answered_meanwhile_is_taken_by_nobody(pool, db, take, breach, now):
    await pages.stored(pool, now, pages.seller("S1", now), of=climbing.rules())

    assert await take(breach) is None
    assert await claims.history(db, "mk", "T1") == []


async def test_somebody_who_is_told_and_never_signs_in_acts_as_an_agent(db, take, breach):
    assert await people.of(db, "lea") is None
    assert (await take(breach)).by == "lea"


@pytest.mark.parametrize(
    ("role", "accounts", "disabled", "why"),
    [
        (Role.VIEWER, None, False, "role"),
        (Role.AGENT, ["eb"], False, "account"),
        (Role.ADMIN, None, True, "person"),
    ],
)
async def test_a_role_that_was_taken_away_takes_the_link_with_it(
    db, take, breach, now, role, accounts, disabled, why
):
    await people.add(db, "lea", "Lea", role, accounts, now)
    if disabled:
        await people.disable(db, "lea", now)

    assert await take(breach) == why
    assert await claims.history(db, "mk", "T1") == []


async def test_who_left_the_settings_and_a_notifier_that_did_are_refused(db, take, breach):
    assert await take(breach, directory=Directory()) == "person"
    assert await take(breach, "notifier:pager") == "notifier"


async def test_the_link_of_a_notice_that_is_kept_no_more_is_refused(take):
    assert await take(999) == "gone"


async def test_a_link_is_refused_when_its_time_is_over(take, breach, now):
    assert await take(breach, at=now + HOUR) == "expired"


@pytest.fixture
def send(pool, now):
    async def go(**how):
        chat = Chat()
        await deliver.once(pool, {"chat": chat}, climbing.rules(), {}, Metrics(), now, **how)
        return chat.got

    return go


class Chat:
    name, zone, digest_after = "chat", "UTC", 0

    def __init__(self):
        self.got = []

    async def send(self, notice, words):
        self.got.append(words)


async def test_a_notice_holds_the_link_where_the_board_is_reached_from_outside(
    pool, take, breach, send, now
):
    async with transaction(pool) as db:
        signer = Signer(await linking.key(db), "https://desk.example/", timedelta(days=7))

    def takes(dispatch, at):
        return signer.address(dispatch.notice, dispatch.notifier, dispatch.ways, DIRECTORY, at)

    [words] = await send(takes=takes)

    base, _, token = words.act_url.rpartition("/")
    assert base == "https://desk.example/take"
    found = links.read(signer.key, token, "take", now)
    assert (found.notice, found.bearer) == (breach, "notifier:chat")
    assert found.until - now >= timedelta(days=7) - SECOND


async def test_a_notice_holds_no_link_where_nobody_could_follow_it(breach, send):
    [words] = await send()

    assert words.act_url is None


def test_what_nobody_can_take_has_no_link():
    signer = Signer(KEY, "https://desk.example", timedelta(days=7))
    test = Notice("t", NoticeKind.TEST, "mk", NOON, id=3)
    down = replace(test, kind=NoticeKind.ACCOUNT_DOWN)

    assert signer.address(test, "chat", (), DIRECTORY, NOON) is None
    assert signer.address(replace(down, id=None), "chat", (), DIRECTORY, NOON) is None
    assert signer.address(down, "chat", (), DIRECTORY, NOON) is not None


def test_two_claims_are_decided_by_who_has_it(now):
    mine = claims.Claim("mk", "T1", "lea", now, now + HOUR)

    assert claiming.decide(mine, "lea", now) == "renew"
    assert claiming.decide(mine, "boss", now) == "held"
    assert claiming.decide(replace(mine, by="notifier:chat"), "boss", now) == "take"
    assert claiming.decide(mine, "boss", now + HOUR) == "take"
