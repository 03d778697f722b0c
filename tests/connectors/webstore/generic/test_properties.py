"""Whatever happens to a part of what a store says, nothing crashes and the rest is read."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.generic import mapping, paging, receiving
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.paths import FUNCTIONS, find
from core.errors import BadPayload
from core.pushes import PushRequest
from tests.connectors.spoiling import anything, changed, places
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.shapes import FLAT, RAW, WHOLE
from tests.connectors.webstore.generic.test_mapping import ITEM, item

JSON = anything("customer", "agent", 1795176000000, "20.11.2026 13:00:00")
OPTIONS, NESTED = GenericOptions(**FLAT), GenericOptions(**WHOLE)
LIST = {"data": {"items": [ITEM, item(uuid=42)], "next": "abc"}}
POSTS = [
    {"post_id": n, "mine": n == 2, "body": f"{n}", "at": "20.11.2026 13:00:00"} for n in (1, 2)
]
THREADS = [
    {"id": 1, "title": "T", "customer": {"name": "Ada", "mail": "a@b.example"}, "order": "A",
     "changed": "20.11.2026 13:00:00", "posts": POSTS},
    {"id": 2, "posts": [{"post_id": 9, "mine": False, "body": "!", "at": "20.11.2026 13:00:00"}]},
]  # fmt: skip
IN_AN_ITEM = [p for p in places(ITEM) if p]
IN_A_THREAD = [p for p in places(THREADS[0]) if p]


def page(document, options=OPTIONS):
    found = mapping.listed(document, options.poll.items)
    return mapping.page(mapping.translated(found, options.mapping), options, NOON)


@settings(max_examples=400)
@given(st.sampled_from(IN_AN_ITEM), JSON, st.booleans())
def test_whatever_one_item_is_the_others_are_read(path, value, drop):
    found = page(changed(LIST, ("data", "items", 0, *path), value, drop=drop))

    assert "42" in {m.id for m in found.messages}
    assert {m.thread for m in found.messages} == {t.id for t in found.threads}


@settings(max_examples=400)
@given(st.sampled_from(IN_A_THREAD), JSON, st.booleans())
def test_whatever_one_conversation_is_the_others_are_read(path, value, drop):
    found = page(changed(THREADS, (0, *path), value, drop=drop), NESTED)

    assert "9" in {m.id for m in found.messages}
    assert {m.thread for m in found.messages} == {t.id for t in found.threads}


@settings(max_examples=300)
@given(JSON, st.dictionaries(st.sampled_from(["link", "x"]), st.text(max_size=60)))
def test_whatever_a_list_is_the_walk_goes_on_ends_or_says_why(value, headers):
    document = changed(LIST, ("data", "next"), value, drop=False)
    came = paging.Came(document, paging.headed(headers, "link"), ["1"])
    for by in ({"by": "cursor", "next": "data.next"}, {"by": "url", "next": "data.next"},
               {"by": "link"}):  # fmt: skip
        poll = OPTIONS.poll.model_copy(update={"paging": _paging(by)})
        try:
            walk = paging.after(poll, paging.Walk("2026-01-01", "2026-01-01"), came)
        except BadPayload:
            continue
        if walk is not None:
            again = paging.Walk.read(walk.write())
            assert paging.call(poll, again, None).url.startswith("https://api.lamps.example/")


def _paging(by):
    return type(OPTIONS.poll.paging)(**by)


@settings(max_examples=300)
@given(st.sampled_from([p for p in places(ITEM)]), JSON, st.booleans())  # noqa: C416  # a list of them
def test_whatever_is_pushed_it_is_answered(path, value, drop):
    content = {"event": "message.created", "payload": ITEM}
    if path or not drop:
        content = changed(content, ("payload", *path), value, drop=drop)
    found = pushed(json.dumps(content).encode())

    assert found.status == 200
    assert found.outcome in {"stored", "unreadable"}
    kept = [*found.pages["a"].messages, *found.pages["a"].set_aside]
    assert kept or content["payload"] == []


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_whatever_bytes_are_pushed_they_are_answered(body):
    found = pushed(body)

    assert found.status == 200


def pushed(body):
    headers = {"x-lamps-signature": b64encode(hmac.digest(RAW, body, "sha256")).decode()}
    request = PushRequest("POST", "/", {}, headers, body, {"a": OPTIONS})
    return receiving.receive(request, OPTIONS, OPTIONS.webhook, NOON)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@settings(max_examples=25)
@given(JSON, JSON)
def test_whatever_a_function_is_asked_it_answers_or_there_is_nothing(name, one, other):
    for path in (f"{name}(a)", f"{name}(a, b)", f"{name}(a, &b)", f"{name}(&b, a)", f"{name}()"):
        find(path, json.loads(json.dumps({"a": one, "b": other})))
        find(path, {"a": [one, other], "b": other})
