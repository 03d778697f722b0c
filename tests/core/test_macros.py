"""Macros: in which language, with which words in their gaps, who changes them, as a file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Role, Who
from core.connector import Capabilities, Unwelcome
from core.desk import filling, interchange, macros
from core.errors import Mistaken, NotAllowed
from core.model import Item, Order, Thread
from core.store import macros as stored
from core.store import transaction
from core.store.macros import Macro
from tests.core import seeds
from tests.core.seeds import HOUR

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEAD, AGENT = Who("lea", Role.LEAD), Who("ada", Role.AGENT, title="Ada A.")
LATE = Macro("late", "Late parcel", {"en": "Sorry, {{buyer_first_name}}.", "de": "Leider."})
ACCOUNT = seeds.account("mk")
KNOWN = {"mk": (ACCOUNT, Capabilities(replies=True, longest_reply=50,
                                      unwelcome=(Unwelcome("link", "a page"),)))}  # fmt: skip


def case(**more):
    thread = Thread(id="T1", as_of=NOW, order_ids=("O1", "O2"), buyer="Zenobia Quill")
    return macros.Case(
        **({"thread": thread, "account": ACCOUNT, "who": AGENT, "zone": "UTC"} | more)
    )


@pytest.mark.parametrize(
    ("known", "wanted", "chosen", "is_other"),
    [
        (("de", "en"), "de", "de", False),
        (("de", "en"), "de-AT", "de", False),
        (("pt", "pt-BR"), "pt-BR", "pt-BR", False),
        (("de", "en"), "fr", "en", True),
        (("de", "ko"), "fr", "de", True),
        (("de", "en"), None, "en", False),
        (("de", "ko"), None, "de", False),
    ],
)
def test_the_language_is_the_threads_or_the_nearest_and_that_is_said(
    known, wanted, chosen, is_other
):
    found = macros.fill(Macro("x", "x", dict.fromkeys(known, "x")), wanted, case())

    assert (found.language, found.is_other) == (chosen, is_other)


def test_gaps_are_filled_by_what_is_known_in_that_language():
    order = Order(id="O1", as_of=NOW, status="shipped", shipped_at=NOW, items=(Item(title="Lamp"),))
    text = "{{order_id}} {{order_status}} {{shipped_on}} {{item}} {{agent}} {{shop}} {{due}}"
    told = macros.fill(
        Macro("x", "x", {"de": text}), "de", case(order=order, due_at=NOW, zone="Europe/Berlin")
    )

    assert told.text == "O1 shipped 21. November 2026 Lamp Ada A. Empik PL 21. November 2026 13:00"
    assert told.missing == ()


def test_what_is_not_known_stays_a_gap_and_is_told():
    told = macros.fill(Macro("x", "x", {"en": "{{tracking}}, {{ship_by}}"}), "en", case())

    assert (told.text, told.missing) == ("{{tracking}}, {{ship_by}}", ("tracking", "ship_by"))


def test_every_gap_that_there_is_has_a_meaning():
    assert macros.values(case(), "en").keys() == filling.VARIABLES.keys()


@pytest.mark.parametrize(
    ("buyer", "first"),
    [
        ("Zenobia Quill", "Zenobia"),
        ("Quill, Zenobia", "Zenobia"),
        ("Jean-Luc O'Hara", "Jean-Luc"),
        ("Frau Quill", None),
        ("Dr. Zenobia Quill", "Zenobia"),
        ("zq_1987", None),
        ("quill", None),
        ("zenobia quill 87", None),
        ("z.quill@mail.example x", None),
        ("", None),
    ],
)
def test_a_first_name_is_used_only_where_a_name_is_known(buyer, first):
    assert macros.first_name(buyer) == first


def test_a_macro_answers_where_it_fits():
    everywhere, here, there = (
        Macro("a", "a"), Macro("b", "b", marketplaces=("empik",)), Macro("c", "c", accounts=("x",)),
    )  # fmt: skip

    assert macros.fitting([everywhere, here, there], ACCOUNT) == [everywhere, here]


@pytest.mark.parametrize(
    ("change", "said", "blocks"),
    [
        ({"name": "No Name"}, "small letters", True),
        ({"title": " "}, "a title", True),
        ({"texts": {}}, "one language at least", True),
        ({"texts": {"german": "x"}}, "its code", True),
        ({"texts": {"en": " "}}, "is empty", True),
        ({"texts": {"en": "\x07"}}, "control character", True),
        ({"texts": {"en": "{{colour}}"}}, "nothing fills {{colour}}", True),
        ({"texts": {"en": "x" * 51}}, "50 characters at most", True),
        ({"texts": {"en": "www.x.example"}}, "no link", False),
        ({"accounts": ("gone",)}, "no account is called gone", False),
        ({"marketplaces": ("gone",)}, "no account sells at gone", False),
    ],
)
def test_what_is_wrong_with_a_macro_is_told_before_it_is_saved(change, said, blocks):
    [fault] = macros.faults(replace(LATE, **change), KNOWN)

    assert said in fault.text
    assert fault.blocks is blocks


def test_a_macro_for_elsewhere_need_not_fit_here():
    text = {"en": "x" * 51}

    assert [one.blocks for one in macros.faults(Macro("x", "x", text, ("gone",)), KNOWN)] == [False]


async def test_of_two_who_change_a_macro_one_is_told(pool, now):
    async with transaction(pool) as db:
        await macros.save(db, LEAD, LATE, KNOWN, now)
        first = await stored.of(db, "late")

    async def change(title):
        async with transaction(pool) as db:
            await macros.save(db, LEAD, replace(first, title=title), KNOWN, now + HOUR)

    told = await asyncio.gather(change("A"), change("B"), return_exceptions=True)

    assert sorted(type(one).__name__ for one in told) == ["Mistaken", "NoneType"]
    async with transaction(pool) as db:
        after = await stored.of(db, "late")
        assert (after.revision, after.texts, after.written_by) == (2, dict(LATE.texts), "lea")
        with pytest.raises(Mistaken, match="meanwhile"):
            await macros.remove(db, LEAD, "late", 1, now)
        await macros.remove(db, LEAD, "late", 2, now)
        assert await stored.all_(db) == []


async def test_a_macro_is_changed_by_a_lead_of_all_its_accounts(pool, now):
    mine = Who("lim", Role.LEAD, frozenset({"mk"}))
    async with transaction(pool) as db:
        with pytest.raises(NotAllowed):
            await macros.save(db, AGENT, LATE, KNOWN, now)
        with pytest.raises(NotAllowed):
            await macros.save(db, mine, LATE, KNOWN, now)
        await macros.save(db, mine, replace(LATE, accounts=("mk",)), KNOWN, now)
        await macros.replace(db, LEAD, LATE, KNOWN, now)
        with pytest.raises(NotAllowed):
            await macros.replace(db, mine, replace(LATE, accounts=("mk",)), KNOWN, now)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(WORDS, st.dictionaries(WORDS, WORDS.filter(lambda text: "\r" not in text), min_size=1),
       st.lists(WORDS, max_size=2))  # fmt: skip
def test_what_is_written_as_a_file_is_read_back(title, texts, accounts):
    macro = Macro("a-macro", title, texts, tuple(accounts))

    [back] = interchange.read(interchange.write([macro]).encode())

    assert (back.title, back.texts, back.accounts) == (title, texts, tuple(accounts))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff", "not UTF-8"),
        (b"x =", "no TOML"),
        (b"[macros.a]\ntitle = 'x'", "macros.a.texts: Field required"),
        (b"[macros.a]\ntitle = 'x'\ntexts = {en = 'x'}\ncolour = 'red'", "macros.a.colour"),
    ],
)
def test_a_file_that_holds_no_macros_is_refused_with_the_place(raw, said):
    with pytest.raises(Mistaken, match=said):
        interchange.read(raw)
