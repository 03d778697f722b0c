"""What an account may say, and what is complained of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.prestashop.options import PrestaShopOptions, identity
from core.connector import Looks, Replies, Transport
from core.errors import SettingsError
from core.transport.http import Http
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp

GIVEN = {"kind": "prestashop", "base_url": "https://shop.example", "api_key": "K" * 32}
MAIL = {
    "smtp": {"host": "mail.shop.example", "port": 587, "tls": "starttls"},
    "user": "support@shop.example",
    "password": "p",
    "sender": "Support@Shop.example",
}
TOKENS = {
    "token_url": "https://login.example/token", "client_id": "c", "refresh_token": "r",
}  # fmt: skip


def options(**more):
    return PrestaShopOptions(**{**GIVEN, **more})


def test_the_kind_is_found_by_its_word():
    assert spec.options_of(GIVEN) is PrestaShopOptions


@pytest.mark.parametrize(
    "url", ["https://shop.example/", "https://shop.example/api", "https://shop.example/api/"]
)
def test_an_address_is_the_shops_with_or_without_api(url):
    assert options(base_url=url).base_url == "https://shop.example"


@pytest.mark.parametrize(
    "more",
    [
        {"base_url": "http://shop.example"},
        {"base_url": "https://KEY@shop.example"},
        {"base_url": "https://shop.example/api?ws_key=KEY"},
        {"api_key": "two\nlines"},
        {"id_shop": 0},
        {"employee_id": 0},
        {"time_zone": "Mars/Olympus"},
        {"poll_every": "10s"},
        {"look_back": "0s"},
        {"mail": {**MAIL, "password": None}},
        {"mail": {**MAIL, "tokens": TOKENS}},
        {"mail": {**MAIL, "sender": "nobody"}},
        {"mail": {**MAIL, "smtp": {"host": "mail.shop.example", "port": 25, "tls": "none"}}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_told(more):
    with pytest.raises(ValidationError) as caught:
        options(**more)
    assert "KEY" not in str(caught.value)


def test_a_shop_on_this_machine_may_be_asked_often():
    near = options(base_url="http://127.0.0.1:8080", poll_every="2s")

    (stream,) = spec.streams(near)
    assert stream.every == stream.floor + timedelta(seconds=1) == timedelta(seconds=2)
    assert stream.ascending


def test_without_a_mail_server_it_reads_and_answers_nobody(session):
    transport = Transport(Http(session), smtp=Smtp())
    silent, loud = (spec.open(options(**more), transport) for more in ({}, {"mail": MAIL}))

    assert isinstance(silent, Looks)
    assert not isinstance(silent, Replies)
    assert isinstance(loud, Replies)
    assert [spec.can(options(**more)).replies for more in ({}, {"mail": MAIL})] == [False, True]


def test_letters_need_who_sends_them(session):
    with pytest.raises(SettingsError):
        spec.open(options(mail=MAIL), Transport(Http(session)))
    by_tokens = {**MAIL, "password": None, "tokens": TOKENS}
    with pytest.raises(SettingsError):
        spec.open(options(mail=by_tokens), Transport(Http(session), smtp=Smtp()))
    assert spec.open(options(mail=by_tokens), Transport(Http(session), Mailboxes(), Smtp()))


def test_two_shops_of_one_prestashop_are_two_and_share_its_server():
    one, two = options(id_shop=1), options(id_shop=2)

    assert identity(one) != identity(two)
    assert spec.budget(one) == spec.budget(two) == "prestashop https://shop.example"
    assert spec.marketplace(one) == "webstore-prestashop"


def test_what_is_allowed_and_not_wise_is_told():
    (no_mail,) = spec.findings(options(), [])
    assert no_mail.startswith("mail: ")
    assert spec.findings(options(mail=MAIL), []) == ()
    (twice,) = spec.findings(options(mail=MAIL), [options(id_shop=2)])
    assert twice.startswith("id_shop: ")
