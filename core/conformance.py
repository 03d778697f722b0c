"""What every connector promises, as tests that its own tests inherit.

class TestMine(ConnectorConformance):
    @pytest.fixture
    async def stage(self):
        async with MyStage() as stage:
            yield stage

A `Stage` is the marketplace's stand-in on loopback, with faults to order. The class is imported by
tests only; it needs pytest-asyncio with ``asyncio_mode = "auto"``, and its asserts speak where the
tests' conftest says ``pytest.register_assert_rewrite("core.conformance")``.
"""
# ruff: noqa: S101  # a test says assert

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from core.connector import Acts, Enriches, Looks, MarksRead, Receives, Replies, Transport, Waits
from core.errors import BadPayload, ConnectorError, RateLimited, Unreachable
from core.model import Draft
from core.stage import Fault, Read, Stage, Watch, error_of, outcome_of, walk
from core.transport import mailbox, oauth, smtp
from core.transport.http import Http, Limits, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence
    from datetime import datetime

    from aiohttp import ClientSession

    from core.connector import Connector
    from core.model import Thread

__all__ = ["ConnectorConformance", "Fault", "Read", "Stage", "Watch", "walk"]

AT_ONCE = Limits(first_wait=0.0, longest_wait=0.0, patience=0.0)
HASTY = replace(AT_ONCE, total=0.5)
HASTY_MAILBOX = mailbox.Limits(connect=0.5, opening=0.5, answer=0.5, command=0.5, courtesy=0.5)
HASTY_SMTP = smtp.Limits(connect=0.5, command=0.5, before=0.5, letter=0.5)


class ConnectorConformance:
    """Inherit, name it Test..., give it a `stage`. *many* is more than two pages hold."""

    many: ClassVar[int] = 250
    statuses: ClassVar[Sequence[int]] = range(300, 600)

    @pytest.fixture
    def stage(self) -> Stage:
        """The stand-in; each heir has its own."""
        raise NotImplementedError("give the class a fixture `stage`")

    @pytest.fixture
    async def session(self) -> AsyncIterator[ClientSession]:
        """What the connector's calls go through."""
        async with open_session("conformance") as session:
            yield session

    @pytest.fixture
    def watch(self) -> Watch:
        """Sees the metric labels."""
        return Watch()

    @pytest.fixture
    async def transport(self, session: ClientSession, watch: Watch) -> AsyncIterator[Transport]:
        """As patient as ever, but for waits between tries."""
        async with Mailboxes() as mailboxes:
            yield Transport(Http(session, watch, AT_ONCE), mailboxes, Smtp())

    @pytest.fixture
    async def in_haste(self, session: ClientSession, watch: Watch) -> AsyncIterator[Transport]:
        """The same, giving up on a slow answer soon."""
        async with Mailboxes(HASTY_MAILBOX) as mailboxes:
            yield Transport(Http(session, watch, HASTY), mailboxes, Smtp(HASTY_SMTP))

    @pytest.fixture
    def connector(self, stage: Stage, transport: Transport) -> Connector:
        """The connector on its stage."""
        return stage.spec.open(stage.options, transport)

    @pytest.fixture
    def hasty(self, stage: Stage, in_haste: Transport) -> Connector:
        """The same in haste."""
        return stage.spec.open(stage.options, in_haste)

    @pytest.fixture
    def streams(self, stage: Stage) -> list[str]:
        """The names of the streams that carry clocks; the first one carries messages."""
        return [s.name for s in stage.spec.streams(stage.options) if s.carries_clocks]

    # Declared

    async def test_opening_makes_no_call(self, stage: Stage) -> None:
        session, before = open_session("conformance"), asyncio.all_tasks()
        await session.close()
        stage.spec.open(stage.options, Transport(Http(session), Mailboxes(), Smtp()))
        assert asyncio.all_tasks() == before

    async def test_it_can_what_it_says_and_says_what_it_can(
        self, stage: Stage, connector: Connector
    ) -> None:
        can = stage.spec.can(stage.options)
        assert can.replies == isinstance(connector, Replies)
        assert can.looks == isinstance(connector, Looks)
        assert can.receives == isinstance(connector, Receives)
        assert can.waits == isinstance(connector, Waits)
        assert can.enriches == isinstance(connector, Enriches)
        assert can.acts == isinstance(connector, Acts)
        assert can.marks_read == isinstance(connector, MarksRead)

    async def test_streams_have_names_of_their_own_and_keep_the_limits(self, stage: Stage) -> None:
        streams = stage.spec.streams(stage.options)
        assert len({s.name for s in streams}) == len(streams)
        assert any(s.carries_clocks for s in streams)
        assert all(timedelta(0) < s.floor <= s.every for s in streams)

    async def test_each_contract_says_who_said_so_and_when_it_was_checked(
        self, stage: Stage
    ) -> None:
        policies = stage.spec.policies(stage.options)
        assert len({(p.name, p.version) for p in policies}) == len(policies)
        for policy in policies:
            assert policy.role == "contract"
            assert policy.source
            assert policy.checked_on
            assert policy.calendar.first_open(stage.now)

    async def test_a_goal_of_a_connector_is_no_contract_of_the_marketplace(
        self, stage: Stage
    ) -> None:
        goals = stage.spec.goals(stage.options) if stage.spec.goals else ()
        contracts = stage.spec.policies(stage.options)
        assert not {p.name for p in goals} & {p.name for p in contracts}
        for policy in goals:
            assert policy.role == "goal"
            assert policy.calendar.first_open(stage.now)

    async def test_what_names_the_account_holds_no_secret(self, stage: Stage) -> None:
        spec, options = stage.spec, stage.options
        named = [spec.marketplace(options), spec.identity(options), spec.budget(options)]
        assert all(named)
        _assert_silent(stage, *named, repr(options), str(options))

    # Reading

    async def test_a_check_of_a_good_account_says_nothing(self, connector: Connector) -> None:
        await connector.check()

    async def test_an_empty_inbox_gives_an_empty_page_and_a_usable_cursor(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        for stream in streams:
            first = await walk(connector, stream, None, stage.now)
            assert (first.messages, first.threads) == ({}, {})
            assert first.cursor is not None
            again = await walk(connector, stream, first.cursor, stage.now)
            assert again.messages == {}
            assert again.cursor is not None

    async def test_reading_twice_from_one_cursor_gives_the_same(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.write(3))
        first = await walk(connector, streams[0], None, stage.now)
        again = await walk(connector, streams[0], None, stage.now)
        assert len(first.messages) >= 3
        assert again.messages == first.messages
        later = [await walk(connector, streams[0], first.cursor, stage.now) for _ in range(2)]
        assert later[0].messages == later[1].messages

    async def test_what_is_written_later_is_found_from_the_cursor(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.write(1))
        first = await walk(connector, streams[0], None, stage.now)
        await _done(stage.write(1))
        later = await walk(connector, streams[0], first.cursor, stage.now)
        assert len(later.messages | first.messages) == len(first.messages) + 1

    async def test_ids_are_stable_and_times_aware(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.write(3))
        first = await walk(connector, streams[0], None, stage.now)
        later = await walk(connector, streams[0], None, stage.now + timedelta(seconds=1))
        assert set(later.messages) == set(first.messages)
        assert set(later.threads) == set(first.threads)
        assert {m.thread for m in first.messages.values()} <= set(first.threads)
        for page in first.pages:
            assert stage.spec.can(stage.options).verdicts or not page.verdicts
            for thread, given in page.given:
                assert thread in first.threads
                for at in (given.as_of, given.read_at, given.due_at, given.starts_at):
                    assert at is None or at.tzinfo is not None

    async def test_a_walk_of_many_pages_finds_all_though_some_come_twice(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.write(self.many))
        await _done(stage.order(Fault("duplicate")))
        found = await walk(connector, streams[0], None, stage.now)
        assert len(found.messages) == self.many
        assert len(found.pages) > 2

    async def test_the_cursor_comes_with_the_last_page_only(
        self, stage: Stage, connector: Connector
    ) -> None:
        await _done(stage.write(self.many))
        for stream in stage.spec.streams(stage.options):
            if stream.carries_clocks and not stream.ascending:
                found = await walk(connector, stream.name, None, stage.now)
                assert [page.cursor for page in found.pages[:-1] if page.cursor] == []
                assert found.cursor

    # Bad days

    async def test_each_status_becomes_the_right_error(
        self, stage: Stage, connector: Connector, streams: list[str], caplog: Any, watch: Watch
    ) -> None:
        caplog.set_level(logging.DEBUG)
        await _done(stage.write(1))
        for status in self.statuses:
            await _done(stage.order(Fault("status", status=status)))
            for call in (connector.check(), *_fetches(connector, streams, stage.now)):
                fault = await _fault(stage, call)
                assert type(fault) is error_of(status), (status, fault)
            await _done(stage.lift())
        _assert_silent(stage, caplog.text, *(f"{o} {c}" for o, c in watch.labels))
        known = {"", *stage.spec.operations}
        assert {operation for operation, _ in watch.labels} <= known

    @pytest.mark.parametrize("seconds", [None, 90])
    async def test_too_many_requests_says_how_long_to_wait(
        self, stage: Stage, connector: Connector, streams: list[str], seconds: int | None
    ) -> None:
        await _done(stage.order(Fault("status", status=429, retry_after=seconds)))
        for call in _fetches(connector, streams, stage.now):
            fault = await _fault(stage, call)
            assert isinstance(fault, RateLimited)
            assert fault.retry_after == seconds

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("slow", Unreachable),
            ("drop", Unreachable),
            ("truncated", BadPayload),
            ("missing", BadPayload),
        ],
    )
    async def test_an_answer_that_cannot_be_used_becomes_the_right_error(
        self,
        stage: Stage,
        connector: Connector,
        hasty: Connector,
        streams: list[str],
        kind: Any,
        error: type,
    ) -> None:
        await _done(stage.write(1))
        await _done(stage.order(Fault(kind)))
        for call in _fetches(hasty if kind == "slow" else connector, streams, stage.now):
            assert type(await _fault(stage, call)) is error
        await _done(stage.lift())
        assert (await walk(connector, streams[0], None, stage.now)).messages

    async def test_an_unreadable_item_is_set_aside_and_its_neighbours_are_read(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.write(3))
        await _done(stage.order(Fault("unreadable")))
        found = await walk(connector, streams[0], None, stage.now)
        aside = [one for page in found.pages for one in page.set_aside]
        assert len(found.messages) == 2
        assert aside
        assert all(one.source_id and one.raw for one in aside)
        _assert_silent(stage, *(f"{one.source_id} {one.reason}" for one in aside))

    async def test_cancelling_in_the_middle_leaves_no_task(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        await _done(stage.order(Fault("slow")))
        before = asyncio.all_tasks()
        reading = asyncio.create_task(connector.fetch(streams[0], None, None, stage.now))
        await asyncio.sleep(0.1)
        assert not reading.done()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()
        # The stand-in notices that nobody listens any more; what is left then is the connector's.
        theirs = asyncio.all_tasks() - before
        _, left = await asyncio.wait(theirs, timeout=3) if theirs else (theirs, theirs)
        assert not left

    # Looking

    async def test_a_look_shows_threads_whole_and_leaves_out_the_unknown(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        if not isinstance(connector, Looks):
            pytest.skip("does not look")
        await _done(stage.write(3))
        found = await walk(connector, streams[0], None, stage.now)
        wanted = sorted(found.threads)[:2]
        page = await connector.look([*wanted, "no-such-thread"], stage.now)
        assert {t.id for t in page.threads} == set(wanted)
        shown = {m.id: m for m in page.messages}
        for message in found.messages.values():
            assert message.thread not in wanted or shown[message.id] == message

    # Answering

    async def test_a_reply_is_sent_once_and_can_be_read(
        self, stage: Stage, connector: Connector, streams: list[str]
    ) -> None:
        thread, draft = await _question(stage, connector, streams[0])
        assert isinstance(connector, Replies)
        sent = await connector.reply(thread, draft, stage.now)
        found = await walk(connector, streams[0], None, stage.now + timedelta(minutes=1))
        ours = [m for m in found.messages.values() if m.party is Party.SELLER]
        assert len(ours) == 1
        assert ours[0].thread == thread.id
        assert Party.BUYER in ours[0].to
        assert sent.message_id in {None, ours[0].id}

    async def test_what_became_of_a_reply_is_told_as_it_is(
        self,
        stage: Stage,
        connector: Connector,
        hasty: Connector,
        streams: list[str],
        watch: Watch,
    ) -> None:
        thread, draft = await _question(stage, connector, streams[0])
        assert isinstance(connector, Replies)
        assert isinstance(hasty, Replies)
        orders = [Fault("status", status=s) for s in self.statuses] + [Fault("slow"), Fault("drop")]
        for order in orders:
            await _done(stage.order(order))
            watch.labels.clear()
            sender = hasty if order.kind == "slow" else connector
            fault = await _fault(stage, sender.reply(thread, draft, stage.now), draft.body)
            assert type(fault) is outcome_of(order), order
            sent = [label for label in watch.labels if label[0] != oauth.OPERATION]
            assert len(sent) <= 1, order
            await _done(stage.lift())


async def _done(work: Awaitable[None] | None) -> None:
    if work is not None:
        await work


def _fetches(
    connector: Connector, streams: Sequence[str], now: datetime
) -> list[Awaitable[object]]:
    return [connector.fetch(stream, None, None, now) for stream in streams]


async def _question(stage: Stage, connector: Connector, stream: str) -> tuple[Thread, Draft]:
    if not isinstance(connector, Replies):
        pytest.skip("does not reply")
    await _done(stage.write(1))
    found = await walk(connector, stream, None, stage.now)
    (thread,) = found.threads.values()
    body = "Our own words, which nobody else need read."
    return thread, Draft(id=1, account="a", thread=thread.id, body=body, queued_at=stage.now)


async def _fault(stage: Stage, call: Awaitable[object], *hidden: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await call
    fault = caught.value
    seen = [str(fault), repr(fault), fault.detail, repr(fault.__cause__)]
    _assert_silent(stage, *seen)
    for text in seen:
        assert not [word for word in hidden if word in text]
    return fault


def _assert_silent(stage: Stage, *texts: str) -> None:
    for text in texts:
        assert not [place for place, one in enumerate(stage.secrets) if one in text], "a secret"
