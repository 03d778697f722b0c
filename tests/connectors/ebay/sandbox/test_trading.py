"""The Trading API of the stand-in: XML, status 200 whatever happens, quotas, exchanges, letters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from defusedxml import ElementTree

from connectors.ebay.sandbox.applications import SCOPE

WINDOW = (
    "<StartCreationTime>2026-11-01T00:00:00Z</StartCreationTime>"
    "<EndCreationTime>2026-12-01T00:00:00Z</EndCreationTime>"
)
LETTERS = "<StartTime>2026-11-01T00:00:00Z</StartTime><EndTime>2026-12-01T00:00:00Z</EndTime>"


@pytest.fixture
def asked(seller, buyer, clock):
    """A buyer asks about an order: (the conversation, the question)."""

    def asked(body="Where is it?", **how):
        order = seller.sells(buyer)
        made = seller.mailbox.open(buyer, "About my order", clock(), item=order.item)
        return made, seller.mailbox.write(made, buyer, body, clock(), **how)

    return asked


@pytest.fixture
def call(sandbox, session, seller):
    """One call: the answer's root, its names without namespace."""

    async def call(name, content="", *, token=None, headers=None, body=None):
        token = token or seller.application.mint(seller, [SCOPE])
        written = f'<{name}Request xmlns="urn:ebay:apis:eBLBaseComponents">{content}'
        sent = {
            "Content-Type": "text/xml",
            "X-EBAY-API-CALL-NAME": name,
            "X-EBAY-API-SITEID": "77",
            "X-EBAY-API-COMPATIBILITY-LEVEL": "1455",
            "X-EBAY-API-IAF-TOKEN": token,
        } | (headers or {})
        data = body if body is not None else f"{written}</{name}Request>".encode()
        url = f"{sandbox.hosts['api']}/ws/api.dll"
        async with session.post(url, data=data, headers=sent) as answer:
            assert answer.status == 200
            root = ElementTree.fromstring(await answer.read())
        for one in root.iter():
            one.tag = one.tag.rpartition("}")[2]
        return root

    return call


def code(root):
    assert root.findtext("Ack") == "Failure"
    return int(root.findtext("Errors/ErrorCode"))


def answering(question, buyer, body="It left today."):
    return (
        f"<MemberMessage><Body>{body}</Body><ParentMessageID>{question.id}</ParentMessageID>"
        f"<RecipientID>{buyer.told}</RecipientID></MemberMessage>"
    )


def exchanges(root):
    assert root.findtext("Ack") == "Success"
    return root.findall("MemberMessage/MemberMessageExchange")


async def test_a_question_is_unanswered_until_it_is_answered(call, asked, buyer, clock):
    _, question = asked()
    search = "<MailMessageType>All</MailMessageType>" + WINDOW
    unanswered = search + "<MessageStatus>Unanswered</MessageStatus>"
    answered = search + "<MessageStatus>Answered</MessageStatus>"

    [one] = exchanges(await call("GetMemberMessages", unanswered))
    assert one.findtext("Question/MessageID") == question.id
    assert one.findtext("Question/SenderID") == "buyer-a"
    assert exchanges(await call("GetMemberMessages", answered)) == []

    clock.advance(minutes=5)
    done = await call("AddMemberMessageRTQ", answering(question, buyer))
    assert done.findtext("Ack") == "Success"
    assert [one.tag for one in done] == ["Timestamp", "Ack", "Version", "Build"]

    assert exchanges(await call("GetMemberMessages", unanswered)) == []
    [one] = exchanges(await call("GetMemberMessages", answered))
    assert [each.text for each in one.findall("Response")] == ["It left today."]
    assert one.findtext("LastModifiedDate") == "2026-11-20T12:05:00.000Z"


async def test_an_answer_belongs_to_the_question_that_it_names(call, seller, asked, buyer, clock):
    conversation, first = asked("One?")
    clock.advance(minutes=1)
    second = seller.mailbox.write(conversation, buyer, "Two?", clock())
    clock.advance(minutes=1)
    await call("AddMemberMessageRTQ", answering(first, buyer, "Yes"))

    found = {one.question.id: one.answers for one in seller.exchanges.between(first.at, clock())}

    assert [len(found[first.id]), len(found[second.id])] == [1, 0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-EBAY-API-IAF-TOKEN": ""}, 930),
        ({"X-EBAY-API-IAF-TOKEN": "made-up"}, 21916984),
        ({"X-EBAY-API-CALL-NAME": "GetAccount"}, 2),
        ({"X-EBAY-API-CALL-NAME": "GetMyMessages"}, 5),
        ({"X-EBAY-API-SITEID": ""}, 20118),
    ],
)
async def test_failures_are_told_inside_a_success(call, headers, expected):
    """Trap 37."""
    assert code(await call("GetMemberMessages", headers=headers)) == expected


async def test_a_token_goes_without_a_scheme(call, seller):
    """Trap 34."""
    token = seller.application.mint(seller, [SCOPE])

    assert code(await call("GetMemberMessages", token=f"Bearer {token}")) == 21916984


async def test_an_old_token_is_told_as_such(call, seller, clock):
    token = seller.application.mint(seller, [SCOPE])
    clock.advance(hours=3)

    assert code(await call("GetMemberMessages", token=token)) == 21917053


async def test_what_is_no_xml_is_told_as_such(call):
    assert code(await call("GetMemberMessages", body=b"<a")) == 5
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><GetMemberMessagesRequest>&b;</GetMemberMessagesRequest>'
    assert code(await call("GetMemberMessages", body=bomb)) == 5


@pytest.mark.parametrize(
    "content",
    [
        WINDOW,
        "<MailMessageType>All</MailMessageType>",
        (
            f"<MailMessageType>All</MailMessageType>{WINDOW}"
            "<Pagination><EntriesPerPage>201</EntriesPerPage></Pagination>"
        ),
    ],
)
async def test_what_is_required_is_asked_for(call, content):
    assert code(await call("GetMemberMessages", content)) == 20118


async def test_odd_sizes_of_pages_are_rounded(call, seller, buyer, clock, asked):
    conversation, _ = asked()
    for _ in range(29):
        clock.advance(seconds=1)
        seller.mailbox.write(conversation, buyer, "And?", clock())

    async def page(number):
        size = f"<EntriesPerPage>30</EntriesPerPage><PageNumber>{number}</PageNumber>"
        content = f"<MailMessageType>All</MailMessageType>{WINDOW}<Pagination>{size}</Pagination>"
        return await call("GetMemberMessages", content)

    first, second = await page(1), await page(2)

    assert [len(exchanges(first)), len(exchanges(second))] == [25, 5]
    assert [one.findtext("HasMoreItems") for one in (first, second)] == ["true", "false"]


async def test_letters_have_numbers_of_their_own_and_name_the_question(call, asked):
    _, question = asked("<b>Hi</b>")
    headers = f"<DetailLevel>ReturnHeaders</DetailLevel><FolderID>0</FolderID>{LETTERS}"
    [header] = (await call("GetMyMessages", headers)).findall("Messages/Message")
    number = header.findtext("MessageID")

    assert number != question.id
    assert header.findtext("ExternalMessageID") == question.id
    assert header.findtext("Content") is None
    whole = (
        f"<DetailLevel>ReturnMessages</DetailLevel>"
        f"<MessageIDs><MessageID>{number}</MessageID></MessageIDs>"
    )
    [letter] = (await call("GetMyMessages", whole)).findall("Messages/Message")
    assert letter.findtext("Content") == "<b>Hi</b>"


@pytest.mark.parametrize(
    "content",
    [
        LETTERS,
        f"<DetailLevel>ReturnMessages</DetailLevel>{LETTERS}",
        "<DetailLevel>ReturnMessages</DetailLevel><MessageIDs>"
        + "<MessageID>1</MessageID>" * 11
        + "</MessageIDs>",
    ],
)
async def test_letters_are_asked_for_as_documented(call, content):
    assert code(await call("GetMyMessages", content)) == 20118


async def test_what_was_sent_lies_in_another_folder(call, asked, buyer):
    _, question = asked()
    await call("AddMemberMessageRTQ", answering(question, buyer))
    sent = f"<DetailLevel>ReturnHeaders</DetailLevel><FolderID>1</FolderID>{LETTERS}"

    [letter] = (await call("GetMyMessages", sent)).findall("Messages/Message")

    assert letter.findtext("RecipientUserID") == "buyer-a"


async def test_questions_from_mail_and_about_ended_listings_are_letters_alone(call, seller, asked):
    conversation, question = asked()
    search = f"<MailMessageType>All</MailMessageType>{WINDOW}"
    seller.exchanges.ended.add(conversation.item)
    assert exchanges(await call("GetMemberMessages", search)) == []
    by_id = (
        "<MailMessageType>All</MailMessageType>"
        f"<MemberMessageID>{question.id}</MemberMessageID>"
    )  # fmt: skip
    assert exchanges(await call("GetMemberMessages", by_id)) == []

    seller.exchanges.ended.clear()
    assert len(exchanges(await call("GetMemberMessages", by_id))) == 1
    seller.exchanges.from_mail.add(question.id)
    assert exchanges(await call("GetMemberMessages", search)) == []


async def test_answers_must_be_to_who_asked_and_of_a_length(call, sandbox, asked, buyer):
    _, question = asked()
    other = sandbox.market.add_member("buyer-z")

    assert code(await call("AddMemberMessageRTQ", answering(question, other))) == 20118
    long = answering(question, buyer, "x" * 2001)
    assert code(await call("AddMemberMessageRTQ", long)) == 20118
    unknown = answering(question, buyer).replace(question.id, "1")
    assert code(await call("AddMemberMessageRTQ", unknown)) == 20118


async def test_letters_go_to_who_bought_within_90_days(call, seller, buyer, clock):
    order = seller.sells(buyer)
    content = (
        f"<ItemID>{order.item}</ItemID><MemberMessage><Subject>Yours</Subject><Body>Hi</Body>"
        "<QuestionType>General</QuestionType><RecipientID>buyer-a</RecipientID></MemberMessage>"
    )

    assert (await call("AddMemberMessageAAQToPartner", content)).findtext("Ack") == "Success"
    clock.advance(days=91)
    assert code(await call("AddMemberMessageAAQToPartner", content)) == 20118


async def test_75_answers_a_minute_and_then_none_for_100_seconds(call, seller, asked, buyer, clock):
    _, question = asked()
    assert all(seller.exchanges.takes_one_more() for _ in range(75))
    assert code(await call("AddMemberMessageRTQ", answering(question, buyer))) == 518

    clock.advance(seconds=99)
    assert not seller.exchanges.takes_one_more()
    clock.advance(seconds=1)
    assert seller.exchanges.takes_one_more()


async def test_a_hidden_quota_stops_every_call(call, seller):
    seller.exchanges.is_silenced = True

    assert code(await call("GetMyMessages")) == 20957


async def test_calls_are_counted_by_day(call, seller):
    seller.application.limits["tradingapi", "TradingAPI"] = 1
    search = f"<MailMessageType>All</MailMessageType>{WINDOW}"

    assert (await call("GetMemberMessages", search)).findtext("Ack") == "Success"
    assert code(await call("GetMemberMessages", search)) == 518


async def test_a_window_counts_from_the_question(call, seller, asked, clock, buyer):
    _, question = asked()
    clock.advance(days=2)
    await call("AddMemberMessageRTQ", answering(question, buyer))

    recent = seller.exchanges.between(clock() - timedelta(days=1), clock())

    assert recent == []
