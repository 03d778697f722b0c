"""By what buyers are known: what is the same one, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store import buyers
from core.store.buyers import Group, Keys

SECRET = bytes(32)
SHORT, LONG = "#1001", "028-1234567-7654321"
MAIL = {"mail": "Ana@Buyers.example"}

words = st.text(min_size=1, max_size=3, alphabet="ab")
groups = st.builds(Group, words, st.none() | words, st.none() | words)
told = st.tuples(
    st.lists(st.sampled_from([SHORT, LONG, "1001", "0281234567-7654321", "2"]), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "mail": st.sampled_from(["ana@buyers.example", "ANA@buyers.example "]),
            "phone": st.sampled_from(["+4915112345678", "+49 151 1234-5678"]),
        },
    ),
)


def keys(group, orders=(), **reply_to):
    return set(Keys(SECRET, group).of(orders, reply_to) or ())


def shares(one, other, orders=(), **reply_to):
    return bool(keys(one, orders, **reply_to) & keys(other, orders, **reply_to))


@pytest.mark.parametrize(
    ("what", "one", "other"),
    [
        (buyers.order, "#1001", " 1001"),
        (buyers.order, "12-08834-55555", "12 08834 55555"),
        (buyers.order, "c1234-a", "C1234-A"),
        (buyers.mail, "Ana@Buyers.Example", " ana@buyers.example "),
        (buyers.phone, "+49 (151) 1234-5678", "+4915112345678"),
        (buyers.phone, "+49\u00a0151/12345678", "+49.151.12345678"),
    ],
)
def test_the_same_is_the_same_however_it_is_written(what, one, other):
    assert what(one) == what(other) != ""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        *((buyers.order, said) for said in ("", "#", "0", "000-00", "---")),
        *((buyers.mail, said) for said in ("", "@", "ana", "@buyers.example", "ana@", "+491511")),
        *((buyers.mail, f"{who}@shop.example") for who in (
            "noreply", "no-reply", "No_Reply", "donotreply", "do-not-reply", "not.reply",
            "shop.noreply", "noreply-orders", "noreply+17", "mailer-daemon", "postmaster",
        )),
        *((buyers.phone, said) for said in ("", "+", "anonymous", "015112345678", "+0151123456",
                                            "+123456", "+1234567890123456", "+49151a12345678")),
    ],
)  # fmt: skip
def test_what_names_nobody_is_no_key(what, said):
    assert what(said) == ""


@pytest.mark.parametrize("who", ["reply", "norbert", "nora.reply", "anoreply"])
def test_who_is_only_called_so_is_somebody(who):
    assert buyers.mail(f"{who}@shop.example")


@pytest.mark.parametrize(
    ("orders", "reply_to"),
    [((), {}), ((), {"kind": "mailbox"}), (("0",), {"mail": "", "phone": ""})],
)
def test_a_thread_that_tells_nothing_of_its_buyer_has_no_keys(orders, reply_to):
    assert Keys(SECRET, Group("a", "s", "x")).of(orders, reply_to) is None


def test_accounts_of_one_shop_have_buyers_in_common_and_others_none():
    one, other = Group("a", "shop"), Group("b", "shop")

    for orders, reply_to in (
        ((SHORT,), {}),
        ((LONG,), {}),
        ((), MAIL),
        ((), {"phone": "+491511234567"}),
    ):
        assert shares(one, other, orders, **reply_to)
        assert not shares(one, Group("b", "another"), orders, **reply_to)
        assert not shares(one, Group("b"), orders, **reply_to)


def test_an_account_alone_has_its_buyers_for_itself():
    assert shares(Group("a"), Group("a"), (SHORT,), **MAIL)
    assert not shares(Group("a"), Group("b"), (SHORT, LONG), **MAIL)
    assert not shares(Group("shop"), Group("b", "shop"), (SHORT, LONG), **MAIL)


def test_shops_of_one_seller_have_buyers_in_common_but_not_what_counts_from_one():
    one, other = Group("a", "north", "x"), Group("b", "south", "x")

    assert shares(one, other, **MAIL)
    assert shares(one, other, (LONG,))
    assert not shares(one, other, (SHORT,))
    assert shares(one, Group("c", "north", "x"), (SHORT,))


def test_two_sellers_who_call_their_shops_the_same_stay_apart():
    assert not shares(Group("a", "main", "x"), Group("b", "main", "y"), (SHORT, LONG), **MAIL)
    assert not shares(Group("a", "main", "x"), Group("b", "main"), (SHORT, LONG), **MAIL)


def test_a_key_says_nothing_without_the_secret():
    group = Group("a", "shop")
    other = Keys(bytes([1] * 32), group)

    assert not set(other.of((LONG,), MAIL)) & keys(group, (LONG,), **MAIL)
    assert all(len(key) == buyers.SIZE for key in keys(group, (LONG,), **MAIL))


def test_an_order_a_phone_and_an_address_of_the_same_letters_are_three():
    same = "+4915112345678"
    assert len(keys(Group("a"), (same,), phone=same)) == 2


def test_of_many_orders_only_so_many_count():
    assert len(keys(Group("a"), [f"A{n}" for n in range(500)])) == buyers.MOST_ORDERS


@given(one=groups, other=groups, first=told, second=told)
def test_nothing_is_shared_across_sellers(one, other, first, second):
    shared = keys(one, first[0], **first[1]) & keys(other, second[0], **second[1])
    if one.seller != other.seller:
        assert one.account == other.account or not shared
    if not one.seller and not other.seller and one.shop != other.shop:
        assert not shared


@given(group=groups, one=told, other=told)
def test_the_order_in_which_a_thread_tells_of_its_buyer_does_not_matter(group, one, other):
    orders = [*one[0], *other[0]]
    assert keys(group, orders, **one[1]) == keys(group, orders[::-1], **one[1])
