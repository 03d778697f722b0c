"""An answer leaves as the settings say: once, as data, and not where it cannot arrive."""

from __future__ import annotations

import json

import pytest

from connectors.webstore import spec
from connectors.webstore.generic import answering
from connectors.webstore.generic.options import GenericOptions
from core.errors import OutcomeUnknown, Refused
from core.model import File
from sla.policy import Party
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.shapes import FLAT, NUMBERED, WHOLE, changed

ODD = 'He said: "{thread}" \\ \u00e4\u6f22\n</script>\ud83d'


async def asked(place, text="Where is it?"):
    place.shop.asks(text)
    (thread,) = (await place.read()).threads.values()
    return thread


@pytest.mark.parametrize("shape", [FLAT, WHOLE], ids=["flat", "whole"])
async def test_an_answer_is_read_back_under_the_id_that_the_store_told(placed, draft, shape):
    place = placed(shape)
    thread = await asked(place)
    sent = await place.opened().reply(thread, draft("Tomorrow.", thread.id), NOON)
    found = (await place.read()).messages[sent.message_id]

    assert (found.body, found.party, found.to) == ("Tomorrow.", Party.SELLER, {Party.BUYER})


async def test_what_is_put_into_a_template_stays_what_it_is(placed, draft):
    place = placed(WHOLE)
    thread = await asked(place)
    await place.opened().reply(thread, draft(ODD, thread.id), NOON)
    ours = [m for m in (await place.read()).messages.values() if m.party is Party.SELLER]

    assert [m.body for m in ours] == [ODD.replace("\ud83d", "\ufffd")]


def reply(**more):
    return GenericOptions(**changed(FLAT, reply=more)).reply


def call(thread, draft, **more):
    url, headers, body = answering.filled(reply(**more), thread, draft)
    return url, headers, json.loads(body)


async def test_a_place_in_an_address_is_quoted(placed, draft):
    thread = (await asked(placed(FLAT))).model_copy(update={"id": "a/../b?c=d#e f"})
    url, _, _ = call(thread, draft("Hi", thread.id), url="https://a.example/{thread}/m?k={key}")

    assert url.startswith("https://a.example/a%2F..%2Fb%3Fc%3Dd%23e%20f/m?k=reply-1-")


async def test_every_place_can_be_said_and_the_key_is_the_drafts(placed, draft):
    thread = await asked(placed(FLAT))
    template = {"t": "{text}", "n": "{thread_number}", "s": "Re: {subject}", "o": ["{order}"],
                "m": "{mail}", "k": "{key}", "fixed": [1, None, True]}  # fmt: skip
    url, headers, body = call(
        thread, draft("Hi", thread.id), body=template, headers={"Idempotency-Key": "{key}"}
    )
    _, again, _ = call(
        thread, draft("Hi", thread.id), body=template, headers={"Idempotency-Key": "{key}"}
    )

    assert url.endswith(f"/{thread.id}/messages")
    assert body == {
        "t": "Hi", "n": int(thread.id), "s": "Re: ", "o": [thread.order_ids[0]],
        "m": "ada@buyers.example", "k": headers["Idempotency-Key"], "fixed": [1, None, True],
    }  # fmt: skip
    assert headers == again


@pytest.mark.parametrize(
    ("template", "update", "detail"),
    [
        ({"x": "{text}{order}"}, {"order_ids": ()}, "place"),
        ({"x": "{text}{mail}"}, {"reply_to": {"kind": "generic"}}, "place"),
        ({"x": "{text}", "n": "{thread_number}"}, {"id": "c-7"}, "place"),
        ({"x": "{text}", "n": "{thread_number}"}, {"id": "9" * 30}, "place"),
    ],
)
async def test_what_a_template_needs_and_a_thread_lacks_is_refused_before_it_leaves(
    placed, draft, template, update, detail
):
    thread = (await asked(placed(FLAT))).model_copy(update=update)
    with pytest.raises(Refused) as caught:
        call(thread, draft("Hi", thread.id), body=template)
    assert caught.value.detail == detail


async def test_no_words_go_into_a_header_that_cannot_stand_there(placed, draft):
    thread = await asked(placed(FLAT))
    with pytest.raises(Refused) as caught:
        call(thread, draft("Hi\r\nX-Evil: 1", thread.id), headers={"X-Words": "{text}"})
    assert caught.value.detail == "header"


@pytest.mark.parametrize(
    ("more", "body", "detail"),
    [
        ({}, "", "length"),
        ({}, "x" * 4001, "length"),
        ({"to": frozenset({Party.MARKETPLACE})}, "Hi", "recipient"),
        ({"files": (File("a.pdf", b"x"),)}, "Hi", "files"),
    ],
)
async def test_what_the_store_would_not_take_is_refused(placed, draft, more, body, detail):
    place = placed(FLAT)
    thread = await asked(place)
    place.sandbox.received.clear()
    with pytest.raises(Refused) as caught:
        await place.opened().reply(thread, draft(body, thread.id, **more), NOON)
    assert caught.value.detail == detail
    assert not place.sandbox.calls("send_message")


async def test_an_answer_of_which_nobody_knows_is_found_by_the_next_walk(placed, draft):
    place = placed(FLAT)
    thread = await asked(place)
    place.sandbox.faults.order(
        "status", status=502, after_work=True, operation="send_message", count=1
    )
    with pytest.raises(OutcomeUnknown):
        await place.opened().reply(thread, draft("Tomorrow.", thread.id), NOON)
    ours = [m for m in (await place.read()).messages.values() if m.party is Party.SELLER]

    assert [m.body for m in ours] == ["Tomorrow."]
    assert spec.can(place.options).sees_replies == "always"


@pytest.mark.parametrize("told", [b"", b"ok", b"{}", b'{"message": {"uuid": []}}', b"\xff"])
async def test_an_accepted_answer_needs_no_id(placed, told):
    class Told:
        status, headers, body = 201, {}, told

    assert answering.sent_id(placed(FLAT).options.reply, Told) is None


async def test_a_letter_goes_to_the_buyer_with_the_words_that_it_answers(placed, draft):
    place = placed(NUMBERED)
    thread = await asked(place)
    words = draft("Tomorrow.", thread.id, quoted="Where is it?")
    await place.opened().reply(thread, words, NOON)
    (letter,) = place.sandbox.mail.taken

    assert letter.recipients == ("ada@buyers.example",)
    assert b"> Where is it?" in letter.raw
    assert spec.refuses(thread, {Party.BUYER}) is None


async def test_nobody_is_mailed_where_no_address_is_known(placed, draft):
    place = placed(changed(NUMBERED, mapping={"mail": None}))
    thread = await asked(place)

    assert "no mail address" in spec.refuses(thread, {Party.BUYER})
    with pytest.raises(Refused):
        await place.opened().reply(thread, draft("Tomorrow.", thread.id), NOON)
    assert not place.sandbox.mail.taken
