"""Laws of deadlines that eBay gives, over lives by chance, read more or less often."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ebay import policies
from sla.clock import clocks
from tests.connectors.ebay.dossiers.files import Files, Seen
from tests.connectors.ebay.dossiers.lives import lived, lives


def of_all(told, pages):
    """The clocks of everything that *pages* tell, as a database of endless patience has it."""
    messages = {m.id: Seen(m, told.now) for page in pages for m in page.messages}
    newest = {}
    for page in pages:
        for message in page.messages:
            known = newest.get(message.id)
            if known is None or page.threads[0].as_of >= known[0]:
                newest[message.id] = (page.threads[0].as_of, message)
    messages = [Seen(message, told.now) for _, message in newest.values()]
    readings = [reading for page in pages for _, reading in page.given]
    terms = [p for p in policies.at("EBAY_DE") if told.kind in p.applies_to]
    return clocks(messages, terms, readings, kind=told.kind)


def given_clocks(found):
    return {c.promise.split(":")[2]: c for c in found if c.metric == "given"}


@given(lives(), st.integers())
@settings(max_examples=300)
def test_the_order_of_pages_means_nothing(life, seed):
    told = lived(*life)
    shuffled = list(told.pages)
    Random(seed).shuffle(shuffled)

    assert of_all(told, shuffled) == of_all(told, told.pages)


@given(lives())
@settings(max_examples=300)
def test_what_is_asked_runs_until_its_date_and_nothing_else_does(life):
    told = lived(*life)

    found = given_clocks(of_all(told, told.pages))

    running = {act: c.due_at for act, c in found.items() if c.ended is None}
    truth = {t.act: t.due_at for t in told.truths.values() if t.ended_at is None}
    assert running == truth


@given(lives())
@settings(max_examples=300)
def test_an_end_is_told_as_it_was_although_much_was_not_read(life):
    told = lived(*life, sparse=True)

    found = given_clocks(of_all(told, told.pages))

    assert found.keys() == told.truths.keys()
    for truth in told.truths.values():
        if truth.ended_at is None or not (truth.by_seller or truth.is_over):
            continue
        clock = found[truth.act]
        assert clock.stopped_at == truth.ended_at
        assert clock.due_at == truth.due_at
        if truth.by_seller:
            assert clock.ended == ("met" if truth.ended_at <= truth.due_at else "late")
        else:
            assert clock.ended == ("void" if truth.ended_at < truth.due_at else "late")


@given(lives())
@settings(max_examples=300)
def test_a_search_without_details_ends_nothing_that_is_asked(life):
    """What only details tell (the refund of a claim, a dispute's evidence) goes on as it was."""
    told = lived(*life, sparse=True)

    for n, asked in enumerate(told.asked, start=1):
        found = given_clocks(of_all(told, told.pages[:n]))
        assert asked.keys() <= {act for act, c in found.items() if c.ended is None}


@given(lives())
@settings(max_examples=200)
def test_what_is_stored_says_the_same_as_all_that_was_told(life):
    """What repeats is not stored (`core.store.readings.is_news`): no clock is another for it."""
    told = lived(*life)
    files = Files()
    for page in told.pages:
        files.take(page, told.now)

    assert files.given_clocks(told.thread) == given_clocks(of_all(told, told.pages))


@given(lives())
@settings(max_examples=200)
def test_a_dossier_that_is_over_leaves_nothing_running(life):
    told = lived(*life)
    if told.pages[-1].threads[0].closed_at is None:
        return

    found = of_all(told, told.pages)

    assert [c.promise for c in found if c.ended is None] == []


@given(lives(), st.integers(0, 9))
@settings(max_examples=100)
def test_reading_the_same_again_changes_nothing(life, which):
    told = lived(*life)
    again = [*told.pages, told.pages[which % len(told.pages)]]

    assert of_all(told, again) == of_all(told, told.pages)
