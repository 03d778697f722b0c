"""Pushes: who is believed, and what is made of what they say."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest

from connectors.webstore import signatures
from connectors.webstore.twilio import identity, receiving
from connectors.webstore.twilio.sandbox.callbacks import sign
from core.pushes import PushRequest
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.webstore.twilio.conftest import BUYER, ENDPOINT, OURS, WA_BUYER, WA_OURS
from tests.connectors.webstore.twilio.test_mapping import NOW, options

TOKEN = "t"
ACCOUNT = "AC" + 31 * "0" + "1"
OUR_NUMBER = options(endpoint=ENDPOINT)
MESSAGE = {
    "MessageSid": "SM1", "SmsSid": "SM1", "AccountSid": ACCOUNT, "From": BUYER, "To": OURS,
    "Body": "Where is my order?", "NumMedia": "0", "SmsStatus": "received",
}  # fmt: skip
STATUS = {
    "MessageSid": "SM2", "AccountSid": ACCOUNT, "From": OURS, "To": BUYER,
    "MessageStatus": "delivered",
}  # fmt: skip
CALL = {
    "CallSid": "CA1", "AccountSid": ACCOUNT, "From": BUYER, "To": OURS, "CallStatus": "no-answer",
    "Direction": "inbound",
}  # fmt: skip


def signed(fields, url=ENDPOINT, token=TOKEN):
    told = {name: [value] for name, value in fields.items()}
    return signatures.over_address(token.encode(), url, told)


def take(fields=MESSAGE, *, of=OUR_NUMBER, accounts=None, sign=None, body=None, query=None,
         method="POST"):  # fmt: skip
    headers = {"x-twilio-signature": signed(fields) if sign is None else sign}
    raw = urlencode(fields).encode() if body is None else body
    known = {"sms": of} if accounts is None else accounts
    request = PushRequest(method, "/push/webstore/sms", query or {}, headers, raw, known)
    return receiving.receive(request, of, NOW)


def test_a_message_is_stored_and_the_walk_pulled_forward():
    receipt = take()

    assert (receipt.status, receipt.outcome, receipt.wake) == (200, "stored", {"sms"})
    assert receipt.pushed.id == "SM1"
    assert receipt.pushed.topic == "message"
    (message,) = receipt.pages["sms"].messages
    assert (message.party, message.kind, message.body) == (
        Party.BUYER, Kind.MESSAGE, "Where is my order?",
    )  # fmt: skip
    assert message.sent_at is None, "a push names no date: the walk brings it"
    assert receipt.body.endswith(b"<Response/>")
    assert receipt.headers["Content-Type"].startswith("text/xml")


def refused(receipt):
    assert (receipt.status, receipt.pages, receipt.pushed) == (403, {}, None)
    assert receipt.wake == frozenset()
    return receipt.outcome


def test_trap_15_a_wrong_signature_is_refused():
    right = signed(MESSAGE)

    assert refused(take(sign="")) == "no_signature"
    assert refused(take(sign="nonsense")) == "bad_signature"
    assert refused(take(sign=signed(MESSAGE, token="u"))) == "bad_signature"
    assert refused(take(sign=right.swapcase())) == "bad_signature"
    assert refused(take(sign=f"{right}é\ud800")) == "bad_signature"


def test_trap_15_hex_where_base64_is_due_is_refused():
    from base64 import b64decode  # noqa: PLC0415  # for this test alone

    assert refused(take(sign=b64decode(signed(MESSAGE)).hex())) == "bad_signature"


@pytest.mark.parametrize(
    "url",
    [
        ENDPOINT.replace("https", "http"),
        ENDPOINT.replace(".example", ".example:8443"),
        ENDPOINT.replace(".example", ".example:80"),
        ENDPOINT + "/",
        ENDPOINT + "?a=1",
        "http://127.0.0.1:8080/push/webstore/sms",
    ],
)
def test_trap_15_a_signature_over_another_address_is_refused(url):
    assert refused(take(sign=signed(MESSAGE, url))) == "bad_signature"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (ENDPOINT, ENDPOINT.replace(".example", ".example:443")),
        (ENDPOINT.replace(".example", ".example:443"), ENDPOINT),
        (ENDPOINT.replace(".example", ".example:8443"), ENDPOINT),
        (ENDPOINT.replace(".example", ".example:8443") + "?a=1", ENDPOINT + "?a=1"),
        ("http://127.0.0.1/sms", "http://127.0.0.1:80/sms"),
        ("http://[::1]:8080/sms", "http://[::1]/sms"),
    ],
)
def test_trap_15_the_port_may_be_in_what_twilio_signs_or_not(endpoint, url):
    """Source: Twilio's own validators: what signs there is not consistent about it."""
    assert take(of=options(endpoint=endpoint), sign=signed(MESSAGE, url)).outcome == "stored"


def test_trap_15_a_field_more_less_or_other_is_refused():
    right = signed(MESSAGE)

    for other in ({**MESSAGE, "Body": "Refund me"}, {**MESSAGE, "More": "1"},
                  {k: v for k, v in MESSAGE.items() if k != "NumMedia"}):  # fmt: skip
        assert refused(take(other, sign=right)) == "bad_signature"


def test_a_body_that_is_no_form_is_refused():
    assert refused(take(body=b"\xff\xfe")) == "bad_signature"
    assert refused(take(body=b"a=%ff")) == "bad_signature"
    assert refused(take(body=b"&".join(b"a%d=1" % n for n in range(2000)))) == "bad_signature"


def test_the_example_of_twilios_documents_is_signed_alike():
    """Source: twilio.com/docs/usage/security, "Validating signatures from Twilio"."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
        "From": "+14158675309", "To": "+18005551212",
    }  # fmt: skip

    assert signed(fields, url, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert sign("12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_an_address_with_a_query_is_signed_with_it():
    of = options(endpoint=f"{ENDPOINT}?a=1&b=2")

    good = take(of=of, sign=signed(MESSAGE, of.endpoint), query={"a": "1", "b": "2"})
    assert good.outcome == "stored"
    assert refused(take(of=of, sign=signed(MESSAGE), query={"a": "1"})) == "bad_signature"


def test_json_is_signed_by_a_digest_of_its_bytes_in_the_address():
    body = b'{"a": 1}'
    digest = hashlib.sha256(body).hexdigest()
    right = signatures.over_address(TOKEN.encode(), f"{ENDPOINT}?bodySHA256={digest}", {})
    query = {"bodySHA256": digest}

    assert take(body=body, sign=right, query=query).outcome == "unknown_topic"
    assert refused(take(body=b'{"a":1}', sign=right, query=query)) == "bad_signature"
    other = {"bodySHA256": hashlib.sha256(b'{"a":1}').hexdigest()}
    assert refused(take(body=b'{"a":1}', sign=right, query=other)) == "bad_signature"


def test_a_replayed_push_has_the_same_id_and_the_same_page():
    assert take() == take()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_only_what_is_posted_is_taken(method):
    assert take(method=method).status == 405


def test_several_numbers_share_an_address_and_each_hears_of_itself():
    other = options(number="+48221230002", endpoint=ENDPOINT)
    stranger = options(number=OURS, endpoint=ENDPOINT, account_sid="AC" + 32 * "f")
    accounts = {"sms": OUR_NUMBER, "other": other, "stranger": stranger, "odd": object()}

    receipt = take({**MESSAGE, "To": "+48221230002"}, accounts=accounts)
    assert set(receipt.pages) == {"other"}
    assert receipt.wake == {"other"}
    assert set(take(accounts=accounts).pages) == {"sms"}
    whatsapp = options(number=WA_OURS, endpoint=ENDPOINT)
    told = {**MESSAGE, "From": WA_BUYER, "To": WA_OURS, "ProfileName": "Ana", "WaId": "48600100200"}
    both = {"sms": OUR_NUMBER, "wa": whatsapp}
    assert set(take(told, accounts=both).pages) == {"wa"}


def test_what_is_of_no_number_or_account_of_ours_is_acknowledged():
    assert take({**MESSAGE, "To": "+48999999999"}).outcome == "unknown_account"
    assert take({**MESSAGE, "AccountSid": "AC" + 32 * "f"}).outcome == "unknown_account"
    assert take({"AccountSid": ACCOUNT, "Odd": "1"}).outcome == "unknown_topic"
    assert take({**MESSAGE, "MessageSid": "x" * 200}).outcome == "unreadable"


def test_files_are_known_by_their_sids():
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME7"
    told = {**MESSAGE, "NumMedia": "2", "MediaUrl0": url, "MediaContentType0": "image/png"}

    (message,) = take(told).pages["sms"].messages
    assert [(a.id, a.media_type) for a in message.attachments] == [("ME7", "image/png")]


@pytest.mark.parametrize("url", ["\x00", "https://x.example/ME7\x00", "https://x.example/M é", "/"])
def test_an_address_without_a_sid_is_no_file(url):
    (message,) = take({**MESSAGE, "NumMedia": "1", "MediaUrl0": url}).pages["sms"].messages

    assert message.attachments == ()


@pytest.mark.parametrize(
    ("status", "deliveries"),
    [
        ("queued", []),
        ("sent", []),
        ("delivered", [Delivery.CONFIRMED]),
        ("read", [Delivery.CONFIRMED]),
        ("undelivered", [Delivery.REFUSED]),
        ("failed", [Delivery.REFUSED]),
    ],
)
def test_trap_21_a_status_proves_what_became_of_a_reply(status, deliveries):
    receipt = take({**STATUS, "MessageStatus": status})

    assert receipt.pushed.id == f"SM2:{status}"
    assert receipt.pushed.topic == "message_status"
    verdicts = receipt.pages["sms"].verdicts
    assert [v.delivery for v in verdicts] == deliveries
    assert {v.message_id for v in verdicts} <= {"SM2"}


def test_a_reply_that_failed_since_the_buyer_opted_out_says_so():
    receipt = take({**STATUS, "MessageStatus": "undelivered", "ErrorCode": "21610"})

    page = receipt.pages["sms"]
    (message,) = page.messages
    assert (message.kind, message.thread) == (Kind.UNANSWERABLE, identity.chat(OURS, BUYER))
    assert [t.id for t in page.threads] == [message.thread]


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "canceled"])
def test_a_call_that_certainly_nobody_took_waits_at_once(status):
    receipt = take({**CALL, "CallStatus": status})

    (message,) = receipt.pages["sms"].messages
    assert (message.id, message.party, message.body) == ("CA1", Party.BUYER, "Missed call")
    assert receipt.pushed.id == f"CA1:{status}"


@pytest.mark.parametrize("changes", [{"CallStatus": "completed"}, {"Direction": "outbound-dial"}])
def test_a_call_that_may_have_been_taken_has_us_look(changes):
    receipt = take({**CALL, **changes})

    assert receipt.pages["sms"].messages == ()
    assert receipt.wake == {"sms"}


def test_a_voicemail_and_what_was_understood_join_the_callers_thread():
    told = {**CALL, "CallStatus": "completed", "RecordingSid": "RE1", "RecordingDuration": "17"}
    understood = {**told, "TranscriptionSid": "TR1", "TranscriptionStatus": "completed",
                  "TranscriptionText": "Hello"}  # fmt: skip

    (left,) = take(told).pages["sms"].messages
    (words,) = take(understood).pages["sms"].messages
    assert (left.id, left.body, left.party) == ("RE1", "Voicemail of 17 s", Party.BUYER)
    assert (words.id, words.body, words.kind) == ("TR1", "Hello", Kind.SYSTEM)
    assert left.thread == words.thread == identity.caller(OURS, BUYER, "CA1")


@pytest.mark.parametrize(
    "changes",
    [{"RecordingDuration": "0"}, {"RecordingSource": "DialVerb"}, {"RecordingDuration": ""}],
)
def test_a_recording_that_no_caller_left_is_no_voicemail(changes):
    told = {**CALL, "RecordingSid": "RE1", "RecordingDuration": "17", **changes}

    assert take(told).pages["sms"].messages == ()


def test_a_recording_that_names_no_number_has_all_look():
    told = {"AccountSid": ACCOUNT, "CallSid": "CA1", "RecordingSid": "RE1"}

    receipt = take(told)
    assert (receipt.pages, receipt.wake, receipt.outcome) == ({}, {"sms"}, "stored")


def test_a_number_without_calls_hears_none():
    assert take(CALL, of=options(endpoint=ENDPOINT, voice=False)).pages["sms"].messages == ()


def test_an_opt_out_in_the_shops_own_words_ends_the_waiting():
    """Source: twilio.com/docs/messaging/tutorials/advanced-opt-out: ``OptOutType``."""
    told = {**MESSAGE, "Body": "ARRET", "OptOutType": "STOP"}
    page = take(told).pages["sms"]

    assert [(m.party, m.kind) for m in page.messages] == [
        (Party.BUYER, Kind.MESSAGE), (Party.MARKETPLACE, Kind.UNANSWERABLE),
    ]  # fmt: skip
    assert page.threads[0].reply_to["opted_out"] == "yes"
    again = take({**told, "Body": "STOP"}).pages["sms"].messages
    assert [m.kind for m in again] == [Kind.AUTOMATIC, Kind.UNANSWERABLE]
    for other in ("START", "HELP", "?"):
        (one,) = take({**MESSAGE, "OptOutType": other}).pages["sms"].messages
        assert one.kind is Kind.MESSAGE
