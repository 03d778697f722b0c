"""What an account may say, and what is complained of: where it is, and how to mend it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.generic.options import GenericOptions
from core.configuration.complaints import Complaints
from core.connector import Receives, Replies, Transport
from core.transport.http import Http
from core.transport.smtp import Smtp
from sla.policy import ThreadKind
from tests.connectors.webstore.generic.shapes import FLAT, NUMBERED, SHAPES, WHOLE, changed

NONE = object()


def without(shape, *names):
    return {name: told for name, told in shape.items() if name not in names}


def lacking(shape, table, *names):
    return {**shape, table: without(shape[table], *names)}


def complained(written):
    """What `replyby check` says of these options."""
    complaints = Complaints()
    complaints.read(GenericOptions, written, ("options",))
    return "\n".join(complaints.lines)


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_are_good_settings(name):
    assert complained(SHAPES[name]) == ""
    assert spec.options_of(SHAPES[name]) is GenericOptions


@pytest.mark.parametrize(
    ("written", "where", "mend"),
    [
        (without(FLAT, "webhook", "poll"), "options:", "neither webhook nor poll"),
        (without(FLAT, "mapping"), "options.mapping:", "is missing"),
        (lacking(FLAT, "mapping", "text"), "options.mapping.text:", "is missing"),
        (changed(FLAT, mapping={"txt": "a"}), "options.mapping.txt:", "did you mean text?"),
        (changed(FLAT, mapping={"text": "a..b"}), "options.mapping.text:", "at character 3"),
        (changed(FLAT, mapping={"text": "order-id"}), "options.mapping.text:", "at character 6"),
        (changed(FLAT, mapping={"text": "a["}), "options.mapping.text:", "no JMESPath"),
        (changed(FLAT, mapping={"text": "trim(a)"}), "options.mapping.text:", "join, keys"),
        (changed(FLAT, poll={"items": ""}), "options.poll.items:", "is empty"),
        (changed(FLAT, mapping={"parties": {"a": "client"}}), "parties.a:", "'buyer', 'seller'"),
        (changed(FLAT, mapping={"parties": {"a": "seller"}}), "options.mapping:", '"buyer"'),
        (changed(FLAT, mapping={"parties": {}}), "options.mapping.parties:", "at least one"),
        (changed(FLAT, mapping={"time": "epoch"}), "options.mapping.time:", "milliseconds"),
        (changed(FLAT, mapping={"time": "%d.%m.%Y"}), "options.mapping.time:", "hour and minute"),
        (changed(FLAT, mapping={"time": "%d.%m.%Y %H:%"}), "options.mapping.time:", "no form"),
        (changed(FLAT, mapping={"zone": "UTC"}), "options.mapping:", "remove zone"),
        (lacking(WHOLE, "mapping", "zone"), "options.mapping:", "no zone"),
        (changed(WHOLE, mapping={"zone": "CET+"}), "options.mapping.zone:", "Europe/Berlin"),
        (changed(WHOLE, mapping={"id": "post_id"}), "options.mapping:", 'id = "message.id"'),
        (lacking(WHOLE, "mapping", "thread"), "options.mapping:", 'thread = "thread.id"'),
        (changed(FLAT, mapping={"status": None}), "options.mapping:", "write status"),
        (changed(FLAT, auth={"scheme": "digest"}), "options.auth.scheme:", "'bearer', 'basic'"),
        (changed(FLAT, auth={"user": "me"}), "options.auth:", '"basic"'),
        (changed(FLAT, auth={"secret": None}), "options.auth:", "env:NAME"),
        (changed(FLAT, auth={"header": "X-Key"}), "options.auth:", '"header"'),
        (changed(FLAT, auth={"scheme": "query"}), "options.auth:", '"query"'),
        (changed(FLAT, poll={"url": "http://api.lamps.example"}), "options.poll.url:", "https://"),
        (changed(FLAT, poll={"url": "https://KEY@a.example"}), "options.poll.url:", "table auth"),
        (changed(FLAT, poll={"url": "https://a.example/?after=1"}), "options.poll:", "from url"),
        (changed(FLAT, poll={"paging": {"by": "cursor"}}), "options.poll.paging:", "write next"),
        (changed(FLAT, poll={"paging": {"by": "pages"}}), "options.poll.paging.by:", "'offset'"),
        (changed(FLAT, poll={"paging": {"by": "page", "size_parameter": "n"}}), "paging:", "size"),
        (changed(FLAT, poll_every="3s"), "options:", "write 10s"),
        (changed(FLAT, webhook={"scheme": "md5"}), "options.webhook.scheme:", "'standard'"),
        (changed(FLAT, webhook={"scheme": "standard"}), "options.webhook:", "header"),
        (changed(FLAT, webhook={"scheme": "shared", "signs": "{id}.{body}"}), "webhook:", '"hmac"'),
        (changed(FLAT, webhook={"signs": "{timestamp}.{body}"}), "webhook:", "timestamp_header"),
        (changed(FLAT, webhook={"timestamp_header": "X-Time"}), "webhook:", "proves nothing"),
        (changed(FLAT, webhook={"signs": "{id}.{body}"}), "options.webhook:", "id_header"),
        (changed(FLAT, webhook={"signs": "{url}{body}"}), "options.webhook.signs:", "{timestamp}"),
        (changed(FLAT, webhook={"secret": "no base64!"}), "options.webhook:", "key_encoding"),
        (changed(FLAT, webhook={"header": "two words"}), "options.webhook.header:", "characters"),
        (changed(FLAT, reply={"url": "https://{thread}.example/"}), "options.reply.url:", "host"),
        (changed(FLAT, reply={"url": "https://a.example/{thred}"}), "reply.url:", "{thread}"),
        (changed(FLAT, reply={"body": {"x": "hello"}}), "options.reply.body:", "{text}"),
        (changed(FLAT, reply={"body": {"x": "{text} {who}"}}), "reply.body:", "{mail}"),
        (changed(FLAT, mail=NUMBERED["mail"]), "options:", "reply and mail"),
        (changed(FLAT, unknown=1), "options.unknown:", "unknown key"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_its_mend(written, where, mend):
    told = complained(written)

    assert where in told
    assert mend in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"auth": {"secret": "two\nlines"}},
        {"webhook": {"secret": "KEY!"}},
        {"poll": {"url": "https://KEY:x@api.lamps.example/"}},
        {"headers": {"X-Key": "KEY\n"}},
    ],
)
def test_no_secret_is_told(more):
    with pytest.raises(ValidationError) as caught:
        GenericOptions(**changed(FLAT, **more))
    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("way", [None, "reply", "mail"])
@pytest.mark.parametrize("polled", [False, True])
def test_it_can_what_the_settings_give_it(session, pushed, way, polled):
    if not pushed and not polled:
        return
    left_out = {"webhook": pushed, "poll": polled, "reply": way == "reply"}
    shape = without(FLAT, *(name for name, is_there in left_out.items() if not is_there))
    given = GenericOptions(**shape, mail=NUMBERED["mail"] if way == "mail" else None)
    account, can = spec.open(given, Transport(Http(session), smtp=Smtp())), spec.can(given)

    assert isinstance(account, Receives) == can.receives == pushed
    assert isinstance(account, Replies) == can.replies == (way is not None)
    assert [one.name for one in spec.streams(given)] == ["messages"] * polled
    assert can.sees_replies == ("always" if polled and way != "mail" else "copies")


def test_a_store_without_a_word_for_its_own_messages_shows_no_answers():
    given = GenericOptions(**changed(FLAT, mapping={"parties": {"customer": "buyer"}}))

    assert spec.can(given).sees_replies == "never"
    assert [one for one in spec.findings(given, []) if "mapping.parties" in one]


def test_two_shops_at_one_address_are_told_apart_by_their_tenant():
    one, other = (GenericOptions(**changed(FLAT, tenant=name)) for name in ("a", "b"))

    assert spec.identity(one) != spec.identity(other)
    assert spec.budget(one) == spec.budget(other) == "generic api.lamps.example"
    assert spec.marketplace(one) == "webstore-generic"
    assert spec.pushed_to(one) == FLAT["webhook"]["endpoint"]


def test_a_chat_has_a_chats_promise():
    chat = GenericOptions(**changed(FLAT, conversation="chat"))

    assert [goal.applies_to for goal in spec.goals(chat)] == [{ThreadKind.CHAT}]
    assert [one.kinds for one in spec.streams(chat)] == [{ThreadKind.CHAT}]
    (goal,) = spec.goals(GenericOptions(**FLAT))
    assert goal.name == "webstore-generic-message"


def test_what_is_allowed_and_not_wise_is_told():
    bare = GenericOptions(**without(FLAT, "poll", "reply"))
    shared = changed(FLAT, webhook={"scheme": "shared"}, poll={"since": None})

    assert [one.split(":")[0] for one in spec.findings(bare, [])] == ["poll", "reply"]
    told = spec.findings(GenericOptions(**shared), [])
    assert [one.split(":")[0] for one in told] == ["webhook.scheme", "poll"]
    keyed = changed(FLAT, poll={"url": "https://api.lamps.example/v2?Api_Key=KEY"})
    (told,) = spec.findings(GenericOptions(**keyed), [])
    assert told.startswith("poll.url:")
    assert "KEY" not in told
    assert spec.findings(GenericOptions(**FLAT), []) == ()
    assert spec.findings(GenericOptions(**WHOLE), []) == ()
