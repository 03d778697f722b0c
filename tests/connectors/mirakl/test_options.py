"""What the settings may say, and what they are told instead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.mirakl import spec
from core.errors import Unfit

KEY = "1b2c3d4e-key"


def options(**more):
    return spec.options(**{"base_url": "https://op.mirakl.net", "api_key": KEY, **more})


@pytest.mark.parametrize(
    "url",
    [
        "https://op.mirakl.net", "https://op.mirakl.net/", "https://op.mirakl.net/api",
        "https://op.mirakl.net/api/", " https://op.mirakl.net/api ",
    ],
)  # fmt: skip
def test_the_address_may_end_as_it_likes(url):
    assert options(base_url=url).base_url == "https://op.mirakl.net"


def test_an_operators_own_address_may_have_a_path():
    assert options(base_url="https://m.example/shop/api").base_url == "https://m.example/shop"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://op.mirakl.net", "write https://"),
        ("op.mirakl.net", "no web address"),
        ("ftp://op.mirakl.net", "no web address"),
        ("https://", "no web address"),
        ("https://op erator.net", "no web address"),
        ("https://op\terator.net", "no web address"),
        ("https://<operator>.mirakl.net", "no web address"),
        ("https://[op", "no web address"),
        ("https://op.mirakl.net:99999", "no usable port"),
        ("https://user:pass@op.mirakl.net", "leave out user"),
        ("https://op.mirakl.net/api?api_key=1", "leave out user, query"),
    ],
)
def test_an_address_that_would_fail_or_show_the_key_is_refused(url, why):
    with pytest.raises(ValidationError, match=why) as caught:
        options(base_url=url)

    said = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(said, Unfit), "what was written would be taken out of these words"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9"])
def test_loopback_needs_no_encryption(host):
    assert options(base_url=f"http://{host}").is_near


@pytest.mark.parametrize("key", ["", " k", "k\n", "k\r\nX-Header: 1", "ké", "k\x00"])
def test_a_key_that_is_no_header_is_refused_without_being_shown(key):
    with pytest.raises(ValidationError) as caught:
        options(api_key=key)

    assert "copy it without spaces" in str(caught.value)
    assert repr(key) not in str(caught.value)


def test_polling_faster_than_the_operator_allows_is_refused_except_near():
    with pytest.raises(ValidationError, match="write 2m"):
        options(poll_every="119s")
    assert options(poll_every="2m").poll_every == timedelta(minutes=2)
    near = options(base_url="http://127.0.0.1:1", poll_every="2s")
    assert near.poll_every == timedelta(seconds=2)


def test_streams_keep_the_published_call_frequencies():
    streams = {s.name: s for s in spec.streams(options())}

    assert (streams["messages"].every, streams["messages"].floor) == (
        timedelta(minutes=5), timedelta(minutes=2),
    )  # fmt: skip
    assert streams["incidents"].every == streams["incidents"].floor == timedelta(minutes=15)
    assert streams["report"].every == timedelta(days=1)
    assert [s.name for s in streams.values() if s.carries_clocks] == ["messages", "incidents"]


def test_a_stand_in_is_read_as_often_as_one_likes():
    near = options(base_url="http://127.0.0.1:1", poll_every="2s")
    every = {s.name: (s.every, s.floor) for s in spec.streams(near) if s.carries_clocks}

    second = timedelta(seconds=1)
    assert every == {"messages": (2 * second, second), "incidents": (6 * second, second)}


@pytest.mark.parametrize("operator", ["PcComponentes", "pc componentes", "", "-x", "x" * 64])
def test_an_operators_name_is_a_metric_label(operator):
    with pytest.raises(ValidationError, match="operator"):
        options(operator=operator)


@pytest.mark.parametrize("locale", ["fr", "FR_fr", "fr-FR", ""])
def test_a_locale_is_written_as_mirakl_does(locale):
    with pytest.raises(ValidationError, match="locale"):
        options(locale=locale)


@pytest.mark.parametrize("template", ["https://x/{id}", "https://x/{", "https://x/{}"])
def test_a_page_of_a_thread_names_the_thread_or_the_order(template):
    with pytest.raises(ValidationError, match="thread_url"):
        options(thread_url=template)


def test_unknown_options_are_refused():
    with pytest.raises(ValidationError, match="look_backs"):
        options(look_backs="3d")


def test_the_same_shop_is_known_again_however_it_is_written():
    one = options(shop_id=2000, operator="a")
    other = options(shop_id=2000, base_url="https://op.mirakl.net/api/", api_key="another")

    assert spec.identity(one) == spec.identity(other)
    assert spec.identity(options(shop_id=2001)) != spec.identity(one)


def test_without_a_shop_the_key_tells_which_shop_it_is():
    assert spec.identity(options()) == spec.identity(options())
    assert spec.identity(options()) != spec.identity(options(api_key="another"))
    assert KEY not in spec.identity(options())


def test_stand_ins_of_different_operators_are_different_shops_before_they_run():
    placeholders = spec.sandbox.options
    one, other = (spec.options(**placeholders, operator=name) for name in ("a", "b"))

    assert spec.identity(one) != spec.identity(other)


def test_the_limit_is_shared_by_the_shops_of_a_key():
    assert spec.budget(options(shop_id=1)) == spec.budget(options(shop_id=2))
    assert spec.budget(options()) != spec.budget(options(api_key="another"))
    assert KEY not in spec.budget(options())


def test_a_marketplace_is_its_operator_or_its_host():
    assert spec.marketplace(options(operator="mediamarkt-de")) == "mediamarkt-de"
    assert spec.marketplace(options()) == "op.mirakl.net"


def test_the_key_is_never_shown():
    assert KEY not in repr(options()) + str(options()) + options().model_dump_json()


@pytest.mark.parametrize(
    ("operator", "finding"),
    [
        ("pcompnentes", "the default contract is used; did you mean pccomponentes?"),
        ("quite-other", "unknown operator quite-other, the default contract is used; known: "),
    ],
)
def test_an_operator_that_is_not_known_is_found(operator, finding):
    (found,) = spec.findings(options(operator=operator), ())

    assert found.startswith("operator: ")
    assert finding in found


@pytest.mark.parametrize("operator", [None, "pccomponentes", "mediamarkt-de"])
def test_a_known_operator_or_none_is_well(operator):
    assert spec.findings(options(operator=operator), ()) == ()


def test_a_key_once_with_and_once_without_its_shop_is_found():
    one, other = options(), options(shop_id=7)

    (found,) = spec.findings(one, (other,))

    assert found.startswith("shop_id: is left out, and another account reads a shop")
    assert spec.findings(other, (one,)) == ()
    assert spec.findings(one, (options(shop_id=7, api_key="another"),)) == ()
    assert spec.findings(one, (options(shop_id=7, base_url="https://b.example"),)) == ()
