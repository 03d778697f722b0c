"""What an account may say, and what it may not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.ebay import offer, options, spec
from connectors.ebay.options import EbayOptions
from connectors.ebay.sites import SITES
from sla.policy import ThreadKind

GOOD = {
    "client_id": "Example-replyby-PRD-1",
    "client_secret": "cl1ent-secret",
    "refresh_token": "v^1.1#refresh",
    "seller": "Shop-B",
}
TOKEN = "0123456789-abcdefghij_ABCDEFGHIJ"
NEAR = {name: f"http://127.0.0.1:{8000 + n}" for n, name in enumerate(options.PRODUCTION)}


def read(**more):
    return EbayOptions.model_validate({**GOOD, **more})


def pushing(endpoint="https://shop.example/push/ebay/b", token=TOKEN):
    return {"endpoint": endpoint, "verification_token": token}


def complaint(**more):
    with pytest.raises(ValidationError) as caught:
        read(**more)
    return " ".join(one["msg"] for one in caught.value.errors(include_input=False))


def test_hosts_are_ebays_own_for_each_environment():
    assert read().base("api") == "https://api.ebay.com"
    assert read().base("apiz") == "https://apiz.ebay.com"
    assert read(environment="sandbox").base("apim") == "https://apim.sandbox.ebay.com"
    assert read(hosts=NEAR).base("auth") == NEAR["auth"]


@pytest.mark.parametrize(
    "base",
    ["https://api.example", "http://10.0.0.1:1", "nonsense", "http://127.0.0.1.evil.example"],
)
def test_other_hosts_may_lie_on_this_machine_alone(base):
    """Secrets are sent there."""
    assert "leads beyond this machine" in complaint(hosts={**NEAR, "api": base})


def test_hosts_are_named_all_or_none():
    assert "name all four" in complaint(hosts={"api": NEAR["api"]})


@pytest.mark.parametrize("key", ["client_secret", "refresh_token"])
@pytest.mark.parametrize("secret", ["", " x", "a\nb", "schlüssel"])
def test_a_secret_is_one_line_and_is_never_shown(key, secret):
    assert "more than a line" in complaint(**{key: secret})
    assert GOOD[key] not in repr(read())


def test_a_name_holds_no_blank():
    assert complaint(seller="shop b")
    assert complaint(seller_ids=["u id"])
    assert complaint(client_id="a:b"), "a colon would end it in the header"


def test_a_site_is_one_of_ebays():
    assert "names no site" in complaint(marketplace="EBAY_XX")
    assert options.marketplace(read(marketplace="EBAY_GB")) == "ebay-gb"


@pytest.mark.parametrize("site", SITES)
def test_each_site_has_a_label_and_contracts(site):
    label = options.marketplace(read(marketplace=site))

    names = [policy.name for policy in spec.policies(read(marketplace=site))]
    kinds = ("inquiry", "return", "cancellation", "dispute")
    assert names == [f"{label}-{kind}" for kind in kinds]


@pytest.mark.parametrize(
    "endpoint",
    ["ftp://shop.example", "http://shop.example/push", "https://shop.example/a?b", "shop",
     "https://shop.example/#a"],
)  # fmt: skip
def test_trap_40_an_endpoint_that_ebay_cannot_use_is_refused(endpoint):
    assert complaint(push=pushing(endpoint))


@pytest.mark.parametrize(
    "endpoint", ["https://Shop.Example/push/ebay/b/", "http://127.0.0.1:9100/push/ebay/b"]
)
def test_trap_40_an_endpoint_stays_exactly_as_it_was_registered(endpoint):
    assert read(push=pushing(endpoint)).push.endpoint == endpoint


@pytest.mark.parametrize(
    ("token", "fits"),
    [("a" * 31, False), ("a" * 32, True), ("a" * 80, True), ("a" * 81, False),
     ("a" * 40 + ".", False), ("é" * 40, False), (TOKEN, True)],
)  # fmt: skip
def test_a_verification_token_is_as_ebay_demands(token, fits):
    if fits:
        assert token not in repr(read(push=pushing(token=token)))
    else:
        assert "32 to 80" in complaint(push=pushing(token=token))


def test_polls_leave_ebay_its_peace():
    assert "below 1m" in complaint(poll_every="30s")
    assert "below 1m" in complaint(dossiers_every="59s")
    assert read(hosts=NEAR, poll_every="1s").poll_every == timedelta(seconds=1)


def test_a_refresh_token_ends_eighteen_months_after_the_consent():
    told = read(refresh_token_made=date(2026, 11, 20))
    (key,) = offer.credentials(told)

    assert key.expires_at == datetime(2028, 5, 20, tzinfo=UTC)
    assert key.made_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert "v^1.1" not in key.name


def test_a_refresh_token_ends_on_the_day_that_is_written():
    (key,) = offer.credentials(read(refresh_token_expires=date(2027, 1, 2)))

    assert key.expires_at == datetime(2027, 1, 2, tzinfo=UTC)
    assert offer.credentials(read()) == ()
    said = {"refresh_token_made": "2026-01-01", "refresh_token_expires": "2027-01-01"}
    assert "write one" in complaint(**said)


def test_the_same_seller_is_the_same_account_on_whatever_site():
    """Conversations are not of one site."""
    german, british = read(), read(marketplace="EBAY_GB", seller="shop-b")

    assert options.identity(german) == options.identity(british)
    assert options.identity(german) != options.identity(read(environment="sandbox"))
    assert options.budget(german) == options.budget(read(seller="other"))
    assert options.budget(german) != options.budget(read(client_id="Other"))


def test_what_is_allowed_and_not_wise_is_found():
    told = read(push=pushing(), refresh_token_made="2026-01-01")
    other = read(push=pushing(token="b" * 40), refresh_token_made="2026-01-01")

    assert spec.findings(told, [read()]) == ()
    assert [one.split(":")[0] for one in spec.findings(read(), [])] == [
        "refresh_token_made",
        "push",
    ]
    assert spec.findings(read(hosts=NEAR, push=pushing()), []) == ()
    assert "one challenge fails" in spec.findings(told, [other])[0]
    assert "b" * 40 not in spec.findings(told, [other])[0]


def test_streams_are_those_that_the_options_ask_for():
    def names(**more):
        return [stream.name for stream in spec.streams(read(**more))]

    dossiers = ["inquiries", "returns", "cancellations", "cases", "disputes"]
    assert names() == ["messages", "notices", *dossiers, "limits"]
    assert names(push=pushing())[-1] == "subscriptions"
    assert "notices" not in names(messages_by="trading")
    assert "disputes" not in names(disputes=False)


def test_the_trading_api_is_asked_less_often_whatever_the_settings_say():
    def messages(**more):
        [stream] = [one for one in spec.streams(read(**more)) if one.name == "messages"]
        return stream.every, stream.floor

    minute = timedelta(minutes=1)
    assert messages() == (2 * minute, minute)
    assert messages(messages_by="trading") == (10 * minute, 5 * minute)
    assert messages(messages_by="trading", poll_every="1m") == (10 * minute, 5 * minute)
    assert messages(messages_by="trading", poll_every="1h") == (60 * minute, 5 * minute)
    near = messages(messages_by="trading", poll_every="2s", hosts=NEAR)
    assert near == (timedelta(seconds=2), timedelta(seconds=1)), "a stand-in has no such quota"


def test_trap_44_what_ebay_writes_carries_no_clock():
    carries = {stream.name: stream.carries_clocks for stream in spec.streams(read())}

    assert not carries["notices"]
    assert not carries["limits"]
    assert all(carries[name] for name in ("messages", *offer.DOSSIERS))


def test_each_dossier_is_a_stream_with_the_clocks_of_its_own_kind():
    kinds = {stream.name: stream.kinds for stream in spec.streams(read())}

    assert kinds["cases"] == {ThreadKind.CLAIM}
    assert kinds["messages"] == {ThreadKind.MESSAGE}
    assert set().union(*(kinds[name] for name in offer.DOSSIERS)) == {
        ThreadKind.INQUIRY, ThreadKind.RETURN, ThreadKind.CANCELLATION, ThreadKind.CLAIM,
        ThreadKind.DISPUTE,
    }  # fmt: skip


def test_a_quota_that_is_used_up_stops_the_streams_of_its_api_alone():
    assert all(stream.limited_alone for stream in spec.streams(read()))


def test_by_trading_no_files_go_along_and_nothing_is_marked():
    rest, trading = spec.can(read()), spec.can(read(messages_by="trading"))

    assert rest.marks_read
    assert rest.most_enclosed
    assert rest.linked
    assert not trading.marks_read
    assert not trading.most_enclosed
    assert trading.linked == frozenset()
    assert (rest.receives, spec.can(read(push=pushing())).receives) == (False, True)


def test_where_ebay_pushes_to_is_the_address_as_registered():
    assert spec.pushed_to(read()) is None
    assert spec.pushed_to(read(push=pushing())) == "https://shop.example/push/ebay/b"


def test_buyers_write_what_is_written_at_its_site():
    told = {site: spec.language(read(marketplace=site)) for site in SITES}

    assert (told["EBAY_DE"], told["EBAY_AT"], told["EBAY_GB"]) == ("de", "de", "en")
    assert (told["EBAY_BE"], told["EBAY_CH"], told["EBAY_CA"]) == (None, None, None)
