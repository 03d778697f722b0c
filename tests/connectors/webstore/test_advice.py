"""What `replyby check` advises of accounts of several kinds beside each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from core import settings
from core.configuration.complaints import Complaints
from core.running import checks

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TO = "https://push.shop.example/push/webstore/"
META = 'access_token = "env:S"\napp_secret = "env:S"\nverify_token = "env:S"'
WRITTEN = {
    "sms": """
kind = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_token = "env:S"
number = "+15005550006"
endpoint = "{to}"
""",
    "wa": f"""
kind = "whatsapp"
app_id = "{{app}}"
{META}
phone_number_id = "1"
business_account_id = "2"
endpoint = "{{to}}"
""",
    "page": f"""
kind = "messenger"
app_id = "10"
{META}
page_id = "3"
endpoint = "{{to}}"
""",
    "woo": """
kind = "woocommerce"
base_url = "https://woo.example"
consumer_key = "env:S"
consumer_secret = "env:S"
push = { endpoint = "{to}", secret = "env:S" }
""",
    "chat": """
kind = "chatwoot"
base_url = "https://chat.example"
account_id = 1
api_token = "env:S"
push = { endpoint = "{to}", secret = "env:S" }
""",
}
AROUND = """
[push]
public_url = "https://push.shop.example"
[notifiers.log]
kind = "file"
path = "notices"
[routes.ops]
notifiers = ["log"]
fallback = true
"""


REFUSED = "oftener is not allowed: promise more time, or have it pushed where that can be"


@pytest.fixture
def advised(tmp_path):
    """What is found; *ends* is the account at whose address pushes end, by account."""

    def advised(ends, app="10", **changed):
        text = AROUND
        for name, end in ends.items():
            options = WRITTEN[name].replace("{to}", TO + end).replace("{app}", app)
            for old, new in changed.items():
                options = options.replace(old, new)
            text += f'[accounts.{name}]\nconnector = "webstore"\n[accounts.{name}.options]{options}'
        path = tmp_path / "settings.toml"
        path.write_text(text)
        read = settings.load(path, {"webstore": spec}, {"S": "secret"}, sandbox=False, now=NOW)
        return checks.findings(read, NOW)

    return advised


@pytest.mark.parametrize(
    ("kind", "other"), [("wa", "sms"), ("sms", "wa"), ("woo", "chat"), ("chat", "woo")]
)
def test_the_address_of_an_account_of_another_kind_is_no_address_for_pushes(advised, kind, other):
    told = [line for line in advised({kind: other, other: other}) if " pushes to " in line]

    assert len(told) == 1
    assert told[0].startswith(f"accounts.{kind}: its marketplace pushes to {TO}{other}, where ")
    assert told[0].endswith(f"end it in /push/webstore/{kind}, and register that there")


def test_what_one_app_is_pushed_may_end_at_one_address_whatever_the_kind(advised):
    assert not [line for line in advised({"wa": "wa", "page": "wa"}) if " pushes to " in line]
    assert [line for line in advised({"wa": "wa", "page": "wa"}, app="9") if " pushes to " in line]


def test_a_poll_beside_pushes_is_not_asked_to_be_as_quick_as_they_are(advised):
    assert not [line for line in advised({"chat": "chat"}) if "too slowly" in line]


def test_a_poll_beside_pushes_finds_what_a_lost_push_said_before_it_is_due(advised):
    rarely = {"account_id = 1": 'account_id = 1\npoll_every = "12h"'}

    (told,) = [line for line in advised({"chat": "chat"}, **rarely) if "too slowly" in line]

    assert told == (
        "accounts.chat: conversations is read every 12h, too slowly for a promise of 5m; "
        "read it every 1m40s or oftener"
    )


@pytest.mark.parametrize(
    ("every", "mend"),
    [
        ("30s", f"read it every 10s; {REFUSED}"),
        ("10s", REFUSED),
    ],
)
def test_a_poll_is_not_asked_to_be_quicker_than_it_may_be(advised, every, mend):
    alone = {'push = { endpoint = "' + TO + 'chat", secret = "env:S" }': f'poll_every = "{every}"'}

    told = [line for line in advised({"chat": "chat"}, **alone) if "too slowly" in line]

    assert len(told) == 1
    assert told[0].endswith(f"too slowly for a promise of 5m; {mend}")


MAPPED = 'mapping = { id = "i", party = "p", parties = { b = "buyer" }, text = "b", sent_at = "s" }'
TWILIO = {
    "kind": "twilio",
    "auth_token": "t",
    "account_sid": "AC" + 32 * "0",
    "number": "+48221234",
}
SHOPIFY = {"kind": "shopify", "access_token": "t", "store": "lamps.myshopify.com"}
WHATSAPP = {
    "kind": "whatsapp", "access_token": "t", "app_id": "10", "app_secret": "s",
    "verify_token": "v", "phone_number_id": "1060", "business_account_id": "2060",
    "endpoint": f"{TO}wa",
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "key", "written", "says"),
    [
        (TWILIO, "number", "0221230001", "country first"),
        (TWILIO, "number", "+48 22 123", "no blanks"),
        (TWILIO, "number", "+48221234\n", "country first"),
        (TWILIO, "account_sid", "SK0123", "is AC and 32 digits"),
        (TWILIO, "api_key", "AC0123", "is SK and 32 digits"),
        (SHOPIFY, "store", "www.toys.example", "like lamps.myshopify.com"),
        (SHOPIFY, "store", "https://lamps.myshopify.com", "without https://"),
        (WHATSAPP, "phone_number_id", "+48 22 123", "digits alone"),
        (WHATSAPP, "endpoint", "http://push.shop.example/", "write https://"),
        ({}, "kind", "", "is missing; write one of bigcommerce, chatwoot"),
        ({}, "kind", "ebay", "is no kind of a webstore; write one of bigcommerce, chatwoot"),
    ],
)
def test_what_is_written_wrongly_is_told_with_what_it_looks_like(given, key, written, says):
    found = Complaints()
    table = {**given, key: written}

    assert given == {} or found.read(spec.options_of(given), given, ()) is not None
    assert found.read(spec.options_of(table), table, ("options",)) is None
    assert len(found.lines) == 1
    assert found.lines[0].startswith(f"options.{key}: ")
    assert says in found.lines[0]


def test_an_account_without_a_kind_is_told_which_there_are():
    found = Complaints()

    assert found.read(spec.options_of({}), {}, ("options",)) is None
    assert [line.partition(", ")[0] for line in found.lines] == [
        "options.kind: is missing; write one of bigcommerce"
    ]


@pytest.mark.parametrize(
    ("options", "key", "beside"),
    [
        (('auth = { scheme = "bearer", secret = "env:NOT_SET" }\n'
         'poll = { url = "https://s.example", items = "@" }'), "auth.secret", ""),
        (('kind = "twilio"\naccount_sid = "AC00000000000000000000000000000000"\n'
         'auth_token = "env:NOT_SET"\nnumber = "+15005550006"'), "auth_token", ""),
        (('kind = "twilio"\naccount_sid = "AC00000000000000000000000000000000"\n'
         'auth_token = "env:NOT_SET"\napi_key = "SK00000000000000000000000000000000"\n'
         'api_secret = "env:S"\nnumber = "+15005550006"\npoll_every = "1s"'),
         "auth_token", ": poll_every is below 10s"),
    ],
)  # fmt: skip
def test_a_secret_that_is_not_set_is_told_once(tmp_path, options, key, beside):
    """What it is needed for is written; only its value is missing."""
    generic = options if "kind" in options else f'kind = "generic"\n{MAPPED}\n{options}'
    text = f'[accounts.one]\nconnector = "webstore"\n[accounts.one.options]\n{generic}\n{AROUND}'
    path = tmp_path / "settings.toml"
    path.write_text(text)

    with pytest.raises(settings.SettingsError) as found:
        settings.load(path, {"webstore": spec}, {"S": "secret"}, sandbox=False, now=NOW)

    here = "accounts.one.options"
    first, *more = found.value.complaints
    assert first == f"{here}.{key}: environment variable NOT_SET is not set"
    assert [line.startswith(f"{here}{beside}") for line in more] == ([True] if beside else [])
