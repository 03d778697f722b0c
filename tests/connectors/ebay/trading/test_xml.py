"""XML in and out: nothing in it harms, nothing odd costs its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from connectors.ebay.trading import calls, mapping, xml
from connectors.ebay.trading.payload import Exchange, MemberMessages
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused
from core.transport import salvage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = frozenset({"shop-b"})


def answered(content, name="GetMemberMessagesResponse"):
    return f'<{name} xmlns="urn:ebay:apis:eBLBaseComponents">{content}</{name}>'.encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>Sorry</body></html>",
        b"<GetMemberMessagesResponse>",
        answered("", "GetMyMessagesResponse"),
        b'<!DOCTYPE a [<!ENTITY b "cc">]>' + answered("<Ack>&b;</Ack>"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + answered("<Ack>Success</Ack>"),
        b"\xff\xfe",
    ],
)
def test_what_is_not_the_answer_is_unreadable(raw):
    with pytest.raises(xml.Unreadable) as fault:
        xml.read(raw, "GetMemberMessagesResponse")

    assert fault.value.raw == raw


def test_one_of_several_is_a_list_too():
    one = xml.read(
        answered("<Errors><ErrorCode>1</ErrorCode></Errors>"), "GetMemberMessagesResponse"
    )

    assert one == {"Errors": [{"ErrorCode": "1"}]}


def test_depth_ends_somewhere():
    deep = "<a>" * 5000 + "</a>" * 5000
    content = xml.read(answered(deep), "GetMemberMessagesResponse")

    assert isinstance(content, dict)


@given(st.text())
def test_whatever_is_written_is_read_back_but_for_what_xml_cannot_hold(said):
    raw = calls.written("Call", {"MemberMessage": {"Body": said}})
    body = ElementTree.fromstring(raw).findtext("{*}MemberMessage/{*}Body") or ""

    assert body == xml.fit(said).replace("\r\n", "\n").replace("\r", "\n")


def test_several_of_a_name_are_written_one_after_another():
    raw = calls.written("Call", {"MessageIDs": {"MessageID": ["1", "2"]}})

    assert raw.count(b"<MessageID>") == 2


def exchange(question="<MessageID>1</MessageID><SenderID>buyer-a</SenderID>", rest=""):
    return (
        "<MemberMessageExchange><Item><ItemID>5</ItemID></Item>"
        f"<Question>{question}<Body>Hi</Body></Question>{rest}</MemberMessageExchange>"
    )


def read(content):
    whole = xml.read(
        answered(f"<MemberMessage>{content}</MemberMessage>"), "GetMemberMessagesResponse"
    )
    return salvage.read(MemberMessages, whole, ("MessageID",))


def test_an_exchange_without_an_id_is_set_aside_and_its_neighbour_read():
    got = read(exchange(question="<SenderID>buyer-a</SenderID>") + exchange())

    assert [one.question.id for one in got.value.exchanges] == ["1"]
    assert len(got.aside) == 1


def test_empty_elements_are_nothing():
    got = salvage.read(
        MemberMessages,
        xml.read(answered("<MemberMessage/><HasMoreItems>false</HasMoreItems>"),
                 "GetMemberMessagesResponse"),
    )  # fmt: skip

    assert got.value.exchanges == []


def page(content, sent=()):
    return mapping.page(read(content).value.exchanges, sent, OWN, NOW)


def test_an_exchange_without_a_date_is_shown_and_told():
    told = page(exchange())

    assert told.messages[0].sent_at is None
    assert told.threads[0].as_of == NOW
    assert [one.source_id for one in told.set_aside] == ["1"]


def test_a_date_of_tomorrow_does_not_freeze_the_thread():
    told = page(exchange(rest="<CreationDate>2027-11-20T12:00:00.000Z</CreationDate>"))

    assert told.threads[0].as_of == NOW


def test_what_the_seller_asked_himself_is_his():
    told = page(
        exchange(
            "<MessageID>1</MessageID><SenderID>Shop-B</SenderID><RecipientID>buyer-a</RecipientID>",
            "<CreationDate>2026-11-20T10:00:00.000Z</CreationDate>",
        )
    )

    assert told.messages[0].party.value == "seller"
    assert told.threads[0].buyer == "buyer-a"


def test_files_go_along():
    told = page(
        exchange(
            rest="<CreationDate>2026-11-20T10:00:00Z</CreationDate><MessageMedia>"
            "<MediaURL>https://i.ebayimg.example/1.jpg</MediaURL><MediaName>one</MediaName>"
            "</MessageMedia>"
        )
    )

    [file] = told.messages[0].attachments
    assert (file.id, file.name) == ("https://i.ebayimg.example/1.jpg", "one")


texts = st.text(max_size=30)
exchanges = st.builds(
    lambda answers, sender, created, changed: Exchange.model_validate(
        {
            "Item": {"ItemID": "5"},
            "Question": {"MessageID": "1", "SenderID": sender, "Body": "Hi"},
            "Response": answers,
            "CreationDate": created,
            "LastModifiedDate": changed,
        }
    ),
    st.lists(texts, max_size=5),
    st.sampled_from(["buyer-a", "SHOP-B", "", "uId0000001"]),
    st.sampled_from(["", "soon", "2026-11-20T10:00:00.000Z"]),
    st.sampled_from(["", "2026-11-20T11:00:00.000Z", "9999-99-99T00:00:00Z"]),
)


@given(exchanges)
def test_every_exchange_has_a_page_with_ids_of_its_own_that_name_nobody(one):
    told = mapping.page([one], (), OWN, NOW)
    again = mapping.page([one], (), OWN, NOW)

    ids = [message.id for message in told.messages]
    assert len(set(ids)) == 1 + len(one.answers)
    assert told == again
    assert not any("buyer" in id_ for id_ in ids)


def failure(code, classification="RequestError", ack="Failure", severity="Error"):
    return {
        "Ack": ack,
        "Errors": [
            {
                "ErrorCode": str(code),
                "ErrorClassification": classification,
                "SeverityCode": severity,
                "LongMessage": "buyer-a wrote: secret",
            }
        ],
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure(20118), Refused),
        (failure(21917053), BadCredentials),
        (failure(518), RateLimited),
        (failure(20957), RateLimited),
        (failure(10007, "SystemError"), OutcomeUnknown),
        (failure(20118, ack="PartialFailure"), OutcomeUnknown),
        (failure(20118, ack="CustomCode"), OutcomeUnknown),
        ({}, OutcomeUnknown),
        ({"Ack": "Failure"}, OutcomeUnknown),
        (failure("many"), Refused),
        (failure(1, severity="Warning"), OutcomeUnknown),
    ],
)
def test_what_is_no_success_is_told_as_what_it_is_and_quotes_nobody(answer, error):
    """Trap 37."""
    with pytest.raises(error) as fault:
        calls._fail("AddMemberMessageRTQ", answer)  # the decision, without a server

    assert "secret" not in str(fault.value)
    assert "buyer-a" not in str(fault.value)
