"""Files that go with a reply: kept until it has left or was given up, and no longer."""

from __future__ import annotations

import pytest

from core import ingest, reply
from core.commands import enclosing
from core.connector import Capabilities, Sent
from core.desk import answering, limits
from core.errors import Mistaken, OutcomeUnknown, Refused, Unreachable
from core.metrics import Metrics
from core.model import File, Message, Page, Stream, Thread
from core.reading.walk import Reader
from core.store import enclosures, transaction
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

BUYER = frozenset({Party.BUYER})
FILES = (
    File("Rechnung ü.pdf", b"%PDF \x00\xff", "application/pdf"),
    File("odd\x00name", b"", "image/png"),
    File("label.pdf", media_type="application/pdf", url="https://files.shop.example/label.pdf"),
)
CAN = Capabilities(replies=True, most_enclosed=10**6)


class Shop:
    """A marketplace that answers a reply with *outcome*."""

    def __init__(self, outcome):
        self.outcome, self.got = outcome, []

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def reply(self, thread, draft, now):
        self.got.append(draft.files)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return Sent(self.outcome)


@pytest.fixture
async def sent(pool, now):
    """Queues a reply with files and sends it to *shop*; how many files are left."""
    rules = seeds.rules()
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        asked = Message(id="M1", thread="T1", party=Party.BUYER, sent_at=now - HOUR)
        page = Page(messages=(asked,), threads=(Thread(id="T1", as_of=now),))
        await ingest.page(db, rules, "mk", page, now - MINUTE, None)
        await answering.queue(db, "mk", "T1", "Here it is.", BUYER, now, FILES)

    async def sent(shop):
        readers = {"mk": Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")}
        await reply.once(pool, readers, rules, Metrics(), now)
        async with pool.acquire() as db:
            return await db.fetchval("select count(*) from reply_file")

    return sent


@pytest.mark.parametrize("outcome", ["R1", Refused("no"), OutcomeUnknown("?")])
async def test_files_leave_with_the_reply_and_are_forgotten(sent, outcome):
    shop = Shop(outcome)

    left = await sent(shop)

    assert shop.got == [(FILES[0], File("odd\ufffdname", b"", "image/png"), FILES[2])]
    assert left == 0


async def test_files_wait_with_a_reply_that_was_certainly_not_sent(sent):
    shop = Shop(Unreachable("away"))

    assert await sent(shop) == len(FILES)


async def test_a_reply_that_is_gone_leaves_no_file(sent, pool):
    async with pool.acquire() as db:
        await db.execute("delete from reply")
        assert await enclosures.of(db, 1) == ()
        assert await db.fetchval("select count(*) from reply_file") == 0


def test_a_file_shows_nothing_of_itself():
    assert "PDF" not in repr(FILES[0])


def test_what_is_too_large_or_cannot_go_along_is_refused_before_it_is_queued():
    large = File("x", b"x" * (10**6 + 1))

    limits.check("Here.", CAN, (File("x", b"x" * 10**6),))
    with pytest.raises(Mistaken, match="1 MB at most"):
        limits.check("Here.", CAN, (large,))
    with pytest.raises(Mistaken, match="no files go with a reply"):
        limits.check("Here.", Capabilities(replies=True), FILES)


PICKY = Capabilities(
    replies=True,
    most_enclosed=10**6,
    most_files=2,
    enclosed=frozenset({"image/png"}),
    linked=frozenset({"image/png", "application/pdf"}),
)
PICTURE = File("a.png", b"PNG", "image/png")
LINK = FILES[2]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([PICTURE] * 3, "2 files at most"),
        ([File("a.pdf", b"PDF", "application/pdf")], "only by its public address"),
        ([File("a.exe", b"MZ")], "no file of the type application/octet-stream"),
        ([File("a.exe", url="https://x.example/a.exe")], "no file of the type"),
    ],
)
def test_what_a_marketplace_does_not_take_of_files_is_refused_before_it_is_queued(files, told):
    limits.check("Here.", PICKY, [PICTURE, LINK])

    with pytest.raises(Mistaken, match=told):
        limits.check("Here.", PICKY, files)


def test_an_address_goes_only_where_the_marketplace_takes_addresses():
    with pytest.raises(Mistaken, match="no file goes with a reply by its address"):
        limits.check("Here.", CAN, [LINK])


def test_a_file_is_named_by_its_path_or_by_its_public_address(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"Hello")

    assert enclosing.named(str(path)) == File("a.txt", b"Hello", "text/plain")
    named = enclosing.named("https://files.shop.example/my%20label.pdf?v=1")
    address = "https://files.shop.example/my%20label.pdf?v=1"
    assert named == File("my label.pdf", b"", "application/pdf", address)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("http://files.shop.example/a.pdf", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://files.shop.example/a b.pdf", "begins with https://"),
        ("ftp://files.shop.example/a.pdf", "begins with https://"),
        ("https://files.shop.example/", "ends with the file's name"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_mistake(name, told):
    with pytest.raises(Mistaken, match=told):
        enclosing.named(name)
