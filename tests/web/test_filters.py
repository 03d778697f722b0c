"""What an address says of a view, and what is said of an address that cannot be understood."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Role, Who
from core.errors import Mistaken
from core.store import board
from core.store.board import After, Sought
from core.web import filters
from core.web.filters import Filter
from tests.core import seeds

WORDS = st.text(
    st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=filters.LONGEST
).filter(str.isprintable)
CHOSEN = st.builds(
    Filter,
    account=st.none() | WORDS,
    marketplace=st.none() | WORDS,
    band=st.none() | st.sampled_from(filters.WORDS["band"]),
    language=st.none() | WORDS,
    kind=st.none() | st.sampled_from(filters.WORDS["kind"]),
    promise=st.none() | WORDS,
    claimed=st.none() | st.sampled_from(filters.WORDS["claimed"]),
    q=st.none() | WORDS,
    state=st.none() | st.sampled_from(filters.WORDS["state"]),
    by=st.none() | WORDS,
    after=st.none()
    | st.builds(After, st.integers(0, board.LAST), st.integers(0, 10**filters.LONGEST_NUMBER - 1)),
)
ACCOUNTS = {
    "de": seeds.account("de", marketplace="amazon"),
    "fr": seeds.account("fr", marketplace="amazon"),
    "pl": seeds.account("pl", marketplace="empik"),
}


@given(CHOSEN)
def test_what_is_written_is_read_again(chosen):
    assert filters.of(dict(parse_qsl(filters.query(chosen), strict_parsing=False))) == chosen


@given(st.dictionaries(st.sampled_from(filters.NAMES) | st.text(max_size=8), st.text(max_size=300)))
def test_whatever_an_address_says_is_a_filter_or_a_clear_fault(query):
    chosen = read(query)

    if isinstance(chosen, str):
        assert chosen.isprintable()
        assert len(chosen) < 400
    else:
        assert filters.of(dict(parse_qsl(filters.query(chosen)))) == chosen


def read(query):
    """The filter, or what is said instead."""
    try:
        return filters.of(query)
    except Mistaken as fault:
        return str(fault)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"bnad": "ok"}, 'no filter is called "bnad"; did you mean "band"?'),
        ({"band": "brached"}, 'band: "brached" is unknown; did you mean "breached"?'),
        ({"claimed": "?"}, 'claimed: "?" is unknown; there is mine, free, others'),
        ({"account": "a\0b"}, 'account: "a\ufffdb" can be no name; take one from the list'),
        ({"account": "a" * 201}, "can be no name"),
        ({"q": "a" * 201}, "that is too long to be looked for; shorten it to 200 characters"),
        ({"q": "\u202e"}, "that holds characters that nobody sees; write letters and digits"),
        ({"after": "then"}, 'after: "then" is no place in the queue; go back to its beginning'),
        ({"after": "99999999999999999999-1"}, "is no place in the queue"),
        ({"after": "999999999999999999-1"}, "is no place in the queue"),
        ({"after": "1-\N{ARABIC-INDIC DIGIT ONE}"}, "is no place in the queue"),
    ],
)
def test_a_fault_says_what_there_is(query, said):
    with pytest.raises(Mistaken) as fault:
        filters.of(query)

    assert said in str(fault.value)


def test_what_a_form_leaves_empty_says_nothing():
    assert filters.of({"band": "", "kind": "chat", "thread": "T"}, besides=("thread",)) == Filter(
        kind="chat"
    )
    assert filters.of({"q": " ", "state": ""}) == Filter()
    assert Filter(after=After(1, 2)).is_plain
    assert not Filter(kind="chat").is_plain


@pytest.mark.parametrize(
    ("theirs", "chosen", "asked"),
    [
        (None, Filter(), None),
        (None, Filter(marketplace="amazon"), {"de", "fr"}),
        (None, Filter(marketplace="nowhere"), set()),
        (None, Filter(account="pl"), {"pl"}),
        (None, Filter(account="pl", marketplace="amazon"), set()),
        ({"fr", "pl"}, Filter(), {"fr", "pl"}),
        ({"fr", "pl"}, Filter(marketplace="amazon"), {"fr"}),
        ({"fr", "pl"}, Filter(account="de"), set()),
        (set(), Filter(), set()),
    ],
)
def test_nobody_asks_for_more_than_their_accounts(theirs, chosen, asked):
    who = Who("anna", Role.AGENT, accounts=None if theirs is None else frozenset(theirs))

    found = filters.sought(chosen, who, ACCOUNTS).accounts

    assert found == (None if asked is None else frozenset(asked))


def test_who_asks_matters_for_claims_alone():
    anna, bo = Who("anna", Role.AGENT), Who("bo", Role.LEAD)

    assert filters.sought(Filter(), anna, ACCOUNTS) == filters.sought(Filter(), bo, ACCOUNTS)
    assert filters.sought(Filter(claimed="mine"), anna, ACCOUNTS) == Sought(
        claimed="mine", me="anna"
    )
