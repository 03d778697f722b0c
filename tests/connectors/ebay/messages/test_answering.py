"""Answers leave once, with files as eBay takes them."""

from __future__ import annotations

import json

import pytest

from connectors.ebay.messages import answering, media
from connectors.ebay.messages.mapping import TYPE
from core.errors import (
    BadCredentials,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.model import Draft, File, Thread
from core.store.readback import which
from core.transport.http import Limits
from sla.policy import Party

SEND, UPLOAD = "sendMessage", "createImageFromFile"
PICTURE = File("Foto ü.png", b"\x89PNG\r\n\x1a\n...", "image/png")
LABEL = File("label.pdf", media_type="application/pdf", url="https://files.shop.example/label.pdf")


@pytest.fixture
def conversation(seller, buyer):
    return seller.asked(buyer, "Where is it?")


@pytest.fixture
def thread(conversation, clock):
    return Thread(id=conversation.id, as_of=clock(), reply_to={TYPE: "FROM_MEMBERS"})


@pytest.fixture
def draft(thread, clock):
    def draft(body="Your parcel left today.", **more):
        return Draft(id=1, account="shop", thread=thread.id, body=body, queued_at=clock(), **more)

    return draft


def heard(sandbox, operation):
    return [one for one in sandbox.heard if one.operation == operation]


async def test_an_answer_goes_to_the_conversation_and_tells_its_id(
    messages, sandbox, conversation, thread, draft, clock
):
    sent = await messages.reply(thread, draft(), clock())

    (request,) = heard(sandbox, SEND)
    assert json.loads(request.body) == {
        "conversationId": conversation.id, "messageText": "Your parcel left today.",
    }  # fmt: skip
    assert sent.message_id == conversation.latest.id


async def test_it_is_read_back_as_the_message_that_was_sent(
    messages, conversation, thread, draft, clock
):
    """Trap 28: the answer to a message spells names in another way than the list."""
    sent = await messages.reply(thread, draft(), clock())
    page = await messages.look([thread.id], clock())

    ours = next(m for m in page.messages if m.id == sent.message_id)
    assert (ours.party, ours.to) == (Party.SELLER, frozenset({Party.BUYER}))


@pytest.mark.parametrize(
    "body",
    [
        "Your parcel left today.",
        'Dear Zen,\n\nit\'s 5 < 6 & "so on":\n  a) this\n  b) that\n\nBest',
        "a <b> c <name> &amp; <3 > x",
        "Grüße 🦜 5 €\u00a0net\ttab",
    ],
)
@pytest.mark.parametrize("returns_html", [False, True])
async def test_an_answer_whose_fate_is_unknown_is_found_by_a_look(
    messages, market, sandbox, thread, draft, clock, body, returns_html
):
    """Trap 19: it is never sent again, but read back; eBay may give it back as HTML."""
    market.habits.returns_html = returns_html
    sandbox.faults.order("status", status=500, after_work=True, operation=SEND)
    with pytest.raises(OutcomeUnknown):
        await messages.reply(thread, draft(body), clock())
    page = await messages.look([thread.id], clock())

    (ours,) = [m for m in page.messages if m.party is Party.SELLER]
    assert which(body, [(ours.id, ours.body)]) or ours.raw == body.encode()
    assert len(heard(sandbox, SEND)) == 1


@pytest.mark.parametrize("kind", ["drop", "slow"])
async def test_without_an_answer_nobody_knows_and_it_is_not_sent_again(
    opened, sandbox, conversation, thread, draft, clock, kind
):
    """Trap 19."""
    messages = opened(Limits(total=0.5))
    sandbox.faults.order(kind, operation=SEND, **({"delay": 5} if kind == "slow" else {}))
    with pytest.raises(OutcomeUnknown):
        await messages.reply(thread, draft(), clock())

    assert len(conversation.messages) == (2 if kind == "slow" else 1)


async def test_an_answer_that_broke_off_after_its_yes_tells_no_id(
    messages, sandbox, conversation, thread, draft, clock
):
    sandbox.faults.order("reset", operation=SEND)

    assert (await messages.reply(thread, draft(), clock())).message_id is None
    assert len(conversation.messages) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(400, Refused), (404, Refused), (429, RateLimited), (403, BadCredentials)]
)
async def test_a_certain_no_is_told_as_one(
    messages, sandbox, conversation, thread, draft, clock, status, error
):
    sandbox.faults.order("status", status=status, operation=SEND)
    with pytest.raises(error):
        await messages.reply(thread, draft(), clock())

    assert len(conversation.messages) == 1


async def test_what_ebay_refuses_is_told_in_our_words(messages, clock):
    """Error 355007: and nothing that eBay quotes."""
    lost = Thread(id="424242", as_of=clock(), reply_to={TYPE: "FROM_MEMBERS"})
    said = Draft(id=1, account="shop", thread="424242", body="Hello", queued_at=clock())
    with pytest.raises(Refused, match=r"355007: the conversation's id is none"):
        await messages.reply(lost, said, clock())


@pytest.mark.parametrize("length", [2000, 2001])
async def test_a_text_that_is_too_long_never_leaves(
    messages, sandbox, thread, draft, clock, length
):
    """Error 355013."""
    if length <= answering.LONGEST:
        await messages.reply(thread, draft("x" * length), clock())
        return
    with pytest.raises(Refused, match="1 to 2000 characters"):
        await messages.reply(thread, draft("x" * length), clock())
    assert heard(sandbox, SEND) == []


async def test_ebays_own_notices_are_not_answered(messages, sandbox, seller, draft, clock):
    """Trap 44."""
    notice = seller.ebay_writes("Read this")
    thread = Thread(id=notice.id, as_of=clock(), reply_to={TYPE: "FROM_EBAY"})
    with pytest.raises(Refused, match="cannot be answered"):
        await messages.reply(thread, draft(), clock())

    assert heard(sandbox, SEND) == []


@pytest.mark.parametrize("to", [{Party.MARKETPLACE}, {Party.BUYER, Party.MARKETPLACE}])
async def test_nobody_but_the_member_is_answered(messages, thread, draft, clock, to):
    with pytest.raises(Refused, match="address the buyer"):
        await messages.reply(thread, draft(to=frozenset(to)), clock())


async def test_an_image_is_uploaded_and_other_files_are_named_by_their_address(
    messages, sandbox, conversation, thread, draft, clock
):
    await messages.reply(thread, draft(files=(PICTURE, LABEL)), clock())

    (upload,) = heard(sandbox, UPLOAD)
    assert (upload.host, upload.path) == (
        "apim", "/commerce/media/v1_beta/image/create_image_from_file",
    )  # fmt: skip
    assert b'name="image"' in upload.body
    assert PICTURE.content in upload.body
    picture, label = conversation.latest.media
    assert (picture.name, picture.type) == ("Foto ü.png", "IMAGE")
    assert picture.url.startswith("https://")
    assert label == ("label.pdf", "PDF", LABEL.url)
    page = await messages.look([thread.id], clock())
    ours = next(m for m in page.messages if m.party is Party.SELLER)
    assert [file.name for file in ours.attachments] == ["Foto ü.png", "label.pdf"]


@pytest.mark.parametrize("kind", ["drop", "reset"])
async def test_an_upload_that_got_lost_is_no_message_that_may_have_left(
    messages, sandbox, thread, draft, clock, kind
):
    """An image that nobody names reaches nobody: core tries again."""
    sandbox.faults.order(kind, operation=UPLOAD)
    with pytest.raises(Unreachable):
        await messages.reply(thread, draft(files=(PICTURE,)), clock())

    assert heard(sandbox, SEND) == []


@pytest.mark.parametrize(("status", "error"), [(400, Refused), (500, Unreachable)])
async def test_an_upload_that_is_refused_sends_nothing(
    messages, sandbox, thread, draft, clock, status, error
):
    sandbox.faults.order("status", status=status, operation=UPLOAD)
    with pytest.raises(error):
        await messages.reply(thread, draft(files=(PICTURE,)), clock())

    assert heard(sandbox, SEND) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([LABEL] * 6, "5 files at most"),
        ([File("a.pdf", b"PDF", "application/pdf")], "only images go along"),
        ([File("a.png", b"x" * (12 * 10**6 + 1), "image/png")], "12 MB at most"),
        ([File("a.zip", media_type="application/zip", url="https://x.example/a.zip")], "no image"),
        ([File("a.pdf", media_type="application/pdf", url="https://10.0.0.1/a.pdf")], "not public"),
    ],
)
async def test_files_that_ebay_does_not_take_are_refused_before_anything_leaves(
    messages, sandbox, thread, draft, clock, files, told
):
    """Errors 355010, 355011, 355014; no image is uploaded for a message that cannot leave."""
    with pytest.raises(Refused, match=told):
        await messages.reply(thread, draft(files=(*files,)), clock())

    assert list(sandbox.heard) == []


@pytest.mark.parametrize(
    ("url", "is_public"),
    [
        ("https://files.shop.example/a.pdf", True),
        ("https://93.184.216.34/a.pdf", True),
        ("http://files.shop.example/a.pdf", False),
        ("https://localhost/a.pdf", False),
        ("https://intranet/a.pdf", False),
        ("https://nas.local/a.pdf", False),
        ("https://127.0.0.1/a.pdf", False),
        ("https://[::1]/a.pdf", False),
        ("https://[::1/a.pdf", False),
        ("https://me:pw@files.shop.example/a.pdf", False),
        ("https://files.shop.example/a b.pdf", False),
        ("ftp://files.shop.example/a.pdf", False),
        ("", False),
    ],
)
def test_an_address_is_public_where_anybody_may_open_it(url, is_public):
    """Error 355014."""
    assert media.is_public(url) is is_public
