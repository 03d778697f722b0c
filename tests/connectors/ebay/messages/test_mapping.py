"""What eBay says of conversations, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.ebay.messages import body, mapping
from connectors.ebay.messages.mapping import UNDATED, Read
from connectors.ebay.messages.payload import Conversations, Entries, Entry, Taken
from core.errors import BadPayload
from core.store.messages import told
from sla.clock import Delivery, Kind
from sla.policy import Party

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = frozenset({"quillons-shop"})
RECORDED = Path(__file__).parent / "recorded"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text())


def listed(name="conversations", own=OWN):
    found = Conversations.model_validate(recorded(name)).conversations
    return mapping.page([Read(c.id, c.type, (c.latest,), c.title) for c in found], own, NOW)


def detailed():
    found = Entries.model_validate(recorded("conversation"))
    read = Read("103", found.type, tuple(found.messages), found.title)
    return mapping.page([read], OWN, NOW)


def entry(**more):
    said = {
        "messageId": "1", "createdDate": "2026-11-20T09:00:00Z", "messageBody": "Hello",
        "senderUsername": "buyer", "recipientUsername": "quillons-shop",
    }  # fmt: skip
    return Entry.model_validate({**said, **more})


def one(type_="FROM_MEMBERS", own=OWN, **more):
    page = mapping.page([Read("7", type_, (entry(**more),))], own, NOW)
    return page.messages[0], page


def test_who_wrote_is_told_by_the_names_alone():
    """Trap 29: the type of the conversation says nothing of it, and case is none of a name's."""
    parties = {m.id: (m.party, m.to, m.delivery) for m in listed().messages}

    buyers = (Party.BUYER, frozenset({Party.SELLER}), None)
    sellers = (Party.SELLER, frozenset({Party.BUYER}), Delivery.CONFIRMED)
    assert parties == {"9003": buyers, "9002": sellers, "9001": buyers}


def test_an_immutable_id_is_a_member_like_a_name():
    """Trap 29: ids stand in place of names, of the buyer as of the seller."""
    buyers = {t.id: t.buyer for t in listed().threads}
    assert buyers["102"] == "uId7f3a9c21"

    ours, page = one(own=frozenset({"quillons-shop", "uid42"}), senderUsername="uId42")
    assert ours.party is Party.SELLER
    assert page.set_aside == ()


def test_between_two_strangers_the_sender_waits_and_a_person_is_told():
    """Trap 29: the seller's own immutable id may be missing from the settings."""
    message, page = one(recipientUsername="uId42")

    assert message.party is Party.BUYER
    assert [aside.reason for aside in page.set_aside] == [mapping.NEITHER]
    assert "seller_ids" in mapping.NEITHER


def test_who_wrote_nobody_says_waits_and_is_counted():
    message, page = one(senderUsername=None)

    assert message.party is Party.BUYER
    assert [aside.reason for aside in page.set_aside] == ["senderUsername: missing"]


def test_an_unknown_type_of_conversation_waits_as_a_members_does():
    message, page = one("FROM_ROBOTS")

    assert (message.party, message.kind) == (Party.BUYER, Kind.MESSAGE)
    assert [aside.reason for aside in page.set_aside] == ["conversationType: unknown"]


def test_both_spellings_of_a_name_are_read():
    """Trap 28: what is asked for has `Username`, what is posted or pushed `UserName`."""
    asked = entry(senderUsername="a", recipientUsername="b")
    pushed = Entry.model_validate(
        {"messageId": "1", "senderUserName": "a", "recipientUserName": "b"}
    )

    assert (asked.sender, asked.recipient) == (pushed.sender, pushed.recipient) == ("a", "b")


def test_a_push_is_the_message_that_the_poll_reads():
    """Trap 28, and the confirming poll writes nothing: the same id and the same hash."""
    page = mapping.pushed(recorded("new_message")["notification"]["data"], OWN, NOW)

    (pushed,) = page.messages
    polled = next(m for m in detailed().messages if m.id == "9003")
    assert pushed == polled
    assert told(pushed)[2] == told(polled)[2]
    assert pushed.party is Party.BUYER


def test_a_push_opens_a_conversation_and_says_nothing_of_a_known_one():
    page = mapping.pushed(recorded("new_message")["notification"]["data"], OWN, NOW)

    (thread,) = page.threads
    assert (thread.id, thread.buyer, thread.incomplete) == ("103", "quill_zen", True)
    assert thread.as_of == UNDATED < detailed().threads[0].as_of


def test_a_push_of_what_the_seller_wrote_is_the_sellers():
    data = {
        **recorded("new_message")["notification"]["data"],
        "senderUserName": "quillons-shop", "recipientUserName": "quill_zen",
    }  # fmt: skip
    (message,) = mapping.pushed(data, OWN, NOW).messages

    assert (message.party, message.to) == (Party.SELLER, frozenset({Party.BUYER}))


def test_a_push_of_ebays_own_asks_nothing():
    data = {**recorded("new_message")["notification"]["data"], "conversationType": "FROM_EBAY"}
    (message,) = mapping.pushed(data, OWN, NOW).messages

    assert (message.party, message.kind) == (Party.MARKETPLACE, Kind.SYSTEM)


@pytest.mark.parametrize("lost", ["messageId", "conversationId"])
def test_a_push_without_an_id_is_no_message(lost):
    data = recorded("new_message")["notification"]["data"]
    del data[lost]

    with pytest.raises(BadPayload, match=r"^NEW_MESSAGE: "):
        mapping.pushed(data, OWN, NOW)


def test_the_data_of_a_push_stays_as_it_was():
    data = {**recorded("new_message")["notification"]["data"], "messageMedia": 7}
    before = json.dumps(data)
    page = mapping.pushed(data, OWN, NOW)

    assert json.dumps(data) == before
    assert [aside.reason for aside in page.set_aside] == ["messageMedia: list_type"]


def test_what_ebay_writes_is_shown_without_a_clock():
    """Trap 44: policy notices arrive there, and wait for nobody."""
    page = listed("notices")

    (message,) = page.messages
    assert (message.party, message.kind) == (Party.MARKETPLACE, Kind.SYSTEM)
    assert message.body == "Read this."
    assert page.threads[0].buyer == ""
    assert page.threads[0].reply_to == {mapping.TYPE: "FROM_EBAY"}
    assert page.set_aside == ()


def test_html_comes_without_a_flag_and_becomes_text():
    """Trap 31: and what was sent is kept beside it, where the text lost something."""
    found = {m.id: m for m in listed().messages}

    assert found["9002"].body == "Dear customer,\nit does."
    assert b"<script>" in found["9002"].raw
    assert found["9003"].body == "Thank you. It's <3 days late."
    assert found["9001"].body == "Is a < b and c > d?\nYes  or no"
    assert found["9001"].raw is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", ""),
        ("Hello\n\n  you", "Hello\n\n  you"),
        ("I <3 it, 5 < 6 > 4, <name> & <me@shop.example>",) * 2,
        ("AT&T &c", "AT&T &c"),
        ("It&#x27;s&nbsp;5 &euro; &amp;amp;", "It's 5 € &amp;"),
        ("one<br />two<BR>three", "one\ntwo\nthree"),
        ("<P>one</P>\n<P>two</P>", "one\n\ntwo"),
        ("one\ntwo <b>three</b>\r\nfour", "one\ntwo three\nfour"),
        ('<a href="https://x.example/?a=1">here</a>', "here"),
        ("<style>p {}</style><p>Hi</p><img src=x onerror=alert(1)>", "Hi"),
    ],
)  # fmt: skip
def test_text_is_left_alone_and_html_is_not(said, shown):
    """Trap 31."""
    assert body.text(said) == shown


def test_files_are_known_by_where_they_lie():
    (file,) = next(m for m in listed().messages if m.id == "9003").attachments

    assert file.id == "https://i.ebayimg.example/00/s/label.jpg"
    assert (file.name, file.media_type) == ("label", "image/*")


@pytest.mark.parametrize("url", ["", None, "https://x.example/" + "x" * 1000, "https://\x00"])
def test_a_file_without_an_address_that_fits_is_numbered(url):
    message, _ = one(messageMedia=[{"mediaName": "a", "mediaType": "PDF", "mediaUrl": url}])

    assert [file.id for file in message.attachments] == ["1:0"]


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-13-01T00:00:00Z", 5])
def test_a_date_that_is_none_is_counted_and_the_message_waits(date):
    message, page = one(createdDate=date)

    assert message.sent_at is None
    assert [aside.reason for aside in page.set_aside] == ["createdDate: no date"]
    assert page.threads[0].as_of == NOW


def test_the_title_names_a_conversation_and_else_the_subject():
    subjects = {t.id: t.subject for t in listed().threads}

    assert subjects == {
        "103": "Where is my parcel & the second one?", "102": "Does it fit?", "101": "A question",
    }  # fmt: skip


def test_no_state_of_ebays_closes_a_conversation_or_answers_it():
    """Trap 30: archived and read say nothing of an answer."""
    assert all(t.closed_at is None for t in listed().threads)
    assert {m.kind for m in listed().messages} == {Kind.MESSAGE}


def test_a_message_in_two_conversations_stays_in_the_first_and_is_counted():
    reads = [Read(id_, "FROM_MEMBERS", (entry(),)) for id_ in ("7", "8", "7")]
    page = mapping.page(reads, OWN, NOW)

    assert [m.thread for m in page.messages] == ["7"]
    assert [aside.reason for aside in page.set_aside] == ["messageId: in two conversations"]


def test_no_id_holds_the_name_of_a_member():
    for page in (listed(), detailed(), listed("notices")):
        ids = [m.id for m in page.messages] + [t.id for t in page.threads]
        assert not any(name in id_ for id_ in ids for name in ("quill", "uId"))


def test_a_sent_message_may_tell_no_id():
    assert Taken.model_validate_json(b'{"messageId": 12}').id == "12"
    assert Taken.model_validate_json(b"{}").id is None
