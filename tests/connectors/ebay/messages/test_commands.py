"""What a person at a terminal does about conversations, against eBay on loopback."""

from __future__ import annotations

import pytest

from connectors.ebay.messages.mapping import TYPE
from core.store import enclosures
from tests.core import seeds, terminal

SETTINGS = """
[accounts.shop]
connector = "ebay"
[accounts.shop.options]
client_id = "{client_id}"
client_secret = "env:TEST_SECRET"
refresh_token = "env:TEST_REFRESH"
seller = "{seller}"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
[accounts.mk]
connector = "mirakl"
[accounts.mk.options]
base_url = "http://127.0.0.1:1"
api_key = "env:TEST_SECRET"
"""


@pytest.fixture
def command(sandbox, seller, address, tmp_path, monkeypatch):
    """Gives a command beside the stand-in: its exit code, what it printed and complained of."""
    told = sandbox.options(seller)
    content = terminal.settings(SETTINGS.format(**told, **told["hosts"]))
    (tmp_path / "settings.toml").write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    monkeypatch.setenv("TEST_SECRET", told["client_secret"])
    monkeypatch.setenv("TEST_REFRESH", told["refresh_token"])
    with terminal.log_as_before():
        yield terminal.give_beside


@pytest.fixture
async def conversations(pool, seller, buyer, clock):
    """Three, that are stored too."""
    made = [seller.asked(buyer, f"Question {n}") for n in range(3)]
    async with pool.acquire() as db:
        await seeds.put_account(db, clock(), "shop")
        for one in made:
            await seeds.put_thread(db, clock(), one.id, account="shop")
        await db.execute("update thread set reply_to = $1", {TYPE: "FROM_MEMBERS"})
    return made


async def test_threads_are_marked_as_read_where_a_person_says_so(command, conversations):
    code, out, err = await command("mark-read", "shop", *(one.id for one in conversations[:2]))

    assert (code, err) == (0, "")
    assert out == "shop: 2 of 2 marked as read; it ends no clock\n"
    assert [one.unread for one in conversations] == [0, 0, 1]


async def test_each_that_stays_unread_is_named(command, seller, conversations):
    """Trap 37."""
    seller.mailbox.stuck = {conversations[1].id}
    code, out, err = await command("mark-read", "shop", *(one.id for one in conversations))

    assert code == 1
    assert out == "shop: 2 of 3 marked as read; it ends no clock\n"
    assert err == f"{conversations[1].id}: bulkUpdateConversation: eBay did not do it\n"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["shop", "9"], "replyby: account shop has no thread 9\n"),
        (["mk", "9"], "replyby: this account marks nothing as read from here"),
        (["shp", "9"], "replyby: no account is called shp"),
    ],
)
async def test_a_mistake_marks_nothing(command, sandbox, conversations, args, complaint):
    code, _, err = await command("mark-read", *args)

    assert code == 1
    assert err.startswith(complaint)
    assert list(sandbox.heard) == []


async def test_what_became_of_the_others_is_said_where_one_is_not_known(
    command, sandbox, conversations
):
    code, out, err = await command("mark-read", "shop", conversations[0].id, "nosuch", "nor-this")

    told = "replyby: account shop has no thread nosuch, nor-this; nothing was marked\n"
    assert (code, out, err) == (1, "", told)
    assert list(sandbox.heard) == []


async def test_a_reply_takes_files_by_their_address(command, pool, conversations, tmp_path):
    (tmp_path / "a.png").write_bytes(b"PNG")
    link = "https://files.shop.example/label.pdf"
    files = ["--file", "a.png", "--file", link]
    code, *_ = await command("reply", "shop", conversations[0].id, "--text", "Here.", *files)

    assert code == 0
    async with pool.acquire() as db:
        kept = await enclosures.of(db, await db.fetchval("select id from reply"))
    assert [(one.name, one.content, one.media_type, one.url) for one in kept] == [
        ("a.png", b"PNG", "image/png", None),
        ("label.pdf", b"", "application/pdf", link),
    ]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["settings.toml"], "replyby: no file of the type"),
        (["https://files.shop.example/x.zip"], "replyby: no file of the type application/zip"),
        (["https://files.shop.example/x.pdf"] * 6, "replyby: a reply has 5 files at most there"),
        (["http://files.shop.example/x.pdf"], "replyby: a file's address begins with https://"),
    ],
)
async def test_files_that_ebay_does_not_take_are_refused_at_once(
    command, conversations, files, complaint
):
    named = [part for file in files for part in ("--file", file)]
    code, _, err = await command("reply", "shop", conversations[0].id, "--text", "Here.", *named)

    assert code == 1
    assert err.startswith(complaint)
