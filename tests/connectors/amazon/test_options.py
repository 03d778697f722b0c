"""What the settings may say, and what they are told instead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.amazon import options as module
from tests.connectors.amazon.letters import SUPPORT, options

API = {
    "seller_id": "A1SELLER", "client_id": "amzn1.application-oa2-client.x",
    "client_secret": "s3cr3t-a", "refresh_token": "s3cr3t-b",
}  # fmt: skip
TOKENS = {
    "token_url": "https://oauth2.example/token", "client_id": "c", "client_secret": "s3cr3t-c",
    "refresh_token": "s3cr3t-d",
}  # fmt: skip


def test_the_defaults_are_those_of_the_readme():
    told = options()

    assert told.look_back == timedelta(days=30)
    assert told.poll_every == timedelta(minutes=2)
    assert told.confirmed_after == timedelta(hours=2)
    assert told.same_subject == timedelta(days=14)
    assert (told.inbox, told.sent, told.junk) == ("INBOX", None, None)
    assert (told.region, told.returns, told.sp_api) == ("eu", True, None)


def test_no_secret_is_shown():
    told = options(password=None, tokens=TOKENS, sp_api=API)

    assert "s3cr3t" not in repr(told)
    assert "s3cr3t" not in told.model_dump_json()
    assert "p4ssw0rd" not in repr(options())


@pytest.mark.parametrize("secret", ["", " x", "x\n", "x\x00y"])
def test_a_secret_that_is_no_line_is_refused_without_being_shown(secret):
    with pytest.raises(ValidationError) as caught:
        options(password=secret)

    assert "copy it without spaces" in str(caught.value)
    assert "input_value" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"password": None}, "either password or tokens"),
        ({"tokens": TOKENS}, "has password and tokens; remove the one"),
        *(
            ({"imap": {"host": host, "port": 993}}, "write it alone")
            for host in ("imaps://imap.example", "imap.example:993", "ann@imap.example", "a b")
        ),
        *(
            ({"password": None, "tokens": {**TOKENS, "token_url": url}}, "https://")
            for url in ("nope", "http://oauth2.example/token")
        ),
        ({"password": None, "tokens": {**TOKENS, "client_secret": None, "refresh_token": None}},
         "names no secret"),
        ({"sender": "shop"}, "is no mail address"),
        ({"sender": "a@b@"}, "is no mail address"),
        ({"sender": "Shop <support@shop.example>"}, "is no mail address"),
        ({"sender": "x@marketplace.amazon.de"}, "is Amazon's"),
        ({"also_own": ["nobody"]}, "is no mail address"),
        ({"marketplaces": []}, "at least 1 item"),
        ({"marketplaces": ["DE"]}, "names no marketplace"),
        ({"marketplaces": ["A1PA6795UKMFR9", "ATVPDKIKX0DER"]}, "several regions"),
        ({"imap": {"host": "imap.example", "port": 143, "tls": "none"}}, "starttls"),
        ({"imap": {"host": "imap.example", "port": 0}}, "greater than or equal"),
        ({"imap": {"host": "imap.example", "port": 993}, "poll_every": "59s"}, "write 1m"),
        ({"look_back": "0s"}, "longer than nothing"),
        ({"sp_api": {**API, "seller_id": "a-b"}}, "String should match pattern"),
        ({"sp_api": {**API, "secret_made_on": "2026-13-45"}}, "secret_made_on"),
        ({"sp_api": {**API, "base_url": "http://sp-api.example"}}, "base_url"),
        ({"sp_api": {**API, "token_url": "http://127.0.0.1.example/token"}}, "token_url"),
        ({"password": None, "tokens": {**TOKENS, "token_url": "http://localhost.example"}},
         "token_url"),
        ({"sent": "inbox"}, "one folder twice"),
        ({"sent": "Junk", "junk": "Junk"}, "one folder twice"),
        ({"junk": ""}, "at least 1 character"),
        ({"nonsense": 1}, "Extra inputs"),
    ],
)  # fmt: skip
def test_what_would_fail_later_is_refused_now(more, why):
    with pytest.raises(ValidationError, match=why):
        options(**more)


@pytest.mark.parametrize("host", ["imap.example", "localhost", "127.0.0.1", "::1", "[::1]"])
def test_a_server_is_named_alone_or_by_its_address(host):
    assert options(imap={"host": host, "port": 993}).imap.host == host.strip("[]")


def test_addresses_are_compared_in_small_letters():
    told = options(sender=" Support@Shop.Example ", also_own=["Peter@shop.example"])

    assert told.own == {SUPPORT, "peter@shop.example"}


def test_the_metric_label_is_the_country_and_the_identity_holds_no_secret():
    told = options(sp_api=API)

    assert module.marketplace(told) == "amazon-de"
    assert module.identity(told) == "A1SELLER A1PA6795UKMFR9"
    assert module.identity(options()) == f"{SUPPORT}@127.0.0.1:993 A1PA6795UKMFR9"
    assert module.budget(told) == f"mailbox {SUPPORT}@127.0.0.1:993"


def test_what_is_not_wise_is_said():
    assert module.findings(options(), ()) == ()
    (unsigned,) = module.findings(options(authserv_ids=[]), ())
    assert unsigned.startswith("authserv_ids: ")
    (shared,) = module.findings(options(), [options(marketplaces=["APJ6JRA9NG5V4"])])
    assert shared.startswith("user: ")


@pytest.mark.parametrize(
    ("marketplaces", "language"),
    [
        (["A1PA6795UKMFR9"], "de"),
        (["A2Q3Y263D00KWC"], "pt-BR"),
        (["A1F83G8C2ARO7P", "A28R8C7NBKEWEA"], "en"),
        (["A1PA6795UKMFR9", "A13V1IB3VIYZZH"], None),
        (["AMEN7PMS3EDWL"], None),
    ],
)
def test_buyers_write_what_is_written_at_its_marketplaces(marketplaces, language):
    assert module.language(options(marketplaces=marketplaces)) == language
