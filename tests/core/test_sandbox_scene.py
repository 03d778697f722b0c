"""Invented people: what they say, and the scene that shows every end of a clock in a minute."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from zlib import crc32

import pytest

from core.sandbox import people, scene

BEGIN = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHIPPED = ("pccomponentes", "mediamarkt-de", "bestbuy")
QUIET = scene.Script({"answered": ()}, (), {"answered": 1})
MOODS = sorted(set(scene.MOODS.values()))


class Notebook:
    """A stage that only writes down: (at, act) by thread, and who waits since when."""

    def __init__(self) -> None:
        self.acts: dict[str, list[tuple[datetime, str]]] = {}
        self.texts: list[str] = []
        self.waiting: dict[str, datetime] = {}
        self.replies: list[tuple[datetime, timedelta]] = []
        self.most = 0

    def open(self, buyer, order, letter, at):
        thread = f"t{len(self.acts)}"
        self.acts[thread] = [(at, "open")]
        self.waiting[thread] = at
        self.texts += [letter.subject, letter.text]
        self.most = max(self.most, len([t for t in self.acts.values() if t[-1][1] != "forget"]))
        return thread

    def is_waiting(self, thread):
        return thread in self.waiting

    def buyer_writes(self, thread, text, at):
        self.waiting.setdefault(thread, at)
        self._note(thread, at, "buyer_writes", text)

    def agent_answers(self, thread, text, at):
        self.replies.append((at, at - self.waiting.pop(thread)))
        self._note(thread, at, "agent_answers", text)

    def agent_asks_marketplace(self, thread, text, at):
        self._note(thread, at, "agent_asks_marketplace", text)

    def marketplace_writes(self, thread, text, at):
        self._note(thread, at, "marketplace_writes", text)

    def agent_sees_no_need(self, thread, at):
        self.waiting.pop(thread)
        self._note(thread, at, "agent_sees_no_need")

    def open_case(self, thread, at):
        self._note(thread, at, "open_case")

    def close_case(self, thread, at):
        self._note(thread, at, "close_case")

    def forget(self, thread):
        self._note(thread, self.acts[thread][-1][0], "forget")

    def _note(self, thread, at, act, text=""):
        self.acts[thread].append((at, act))
        self.texts.append(text)

    def counts(self) -> Counter[str]:
        return Counter(act for acts in self.acts.values() for _, act in acts)


def test_a_regular_asks_at_the_opening_of_every_scene_and_is_answered_late():
    """All stand-ins of a process have the same: by name, address, phone and order."""
    regular, stages = people.regular(), [Notebook(), Notebook()]
    asked = []
    for seed, stage in enumerate(stages):
        opens = stage.open

        def noted(buyer, order, letter, at, opens=opens):
            thread = opens(buyer, order, letter, at)
            asked.append((buyer, order, thread, at))
            return thread

        stage.open = noted
        played = scene.Scene(stage, seed=seed, regular=people.regular(), script=QUIET)
        run(played, BEGIN, BEGIN + 13 * MINUTE)

    assert [(one, order) for one, order, *_ in asked] == [(regular.buyer, regular.order)] * 2
    assert re.fullmatch(r"\+[1-9]\d{10}", regular.buyer.phone)
    for stage, (*_, thread, at) in zip(stages, asked, strict=True):
        acts = [act for _, act in stage.acts[thread]]
        assert acts == ["open", "buyer_writes", "agent_answers"]
        assert stage.replies == [(at + 11.9 * MINUTE, 11.9 * MINUTE)]


def run(played: scene.Scene, begin: datetime, until: datetime) -> None:
    now = begin
    while now < until:
        now = max(played.once(now), now + timedelta(milliseconds=50))


@pytest.fixture
def stage():
    return Notebook()


@pytest.mark.parametrize("language", people.LANGUAGES)
@pytest.mark.parametrize("mood", MOODS)
def test_everybody_has_something_to_say_in_every_mood(language, mood):
    said = people.letter(Random(1), language, mood, "123-A")

    assert said.text
    assert "{" not in said.text
    assert bool(said.subject) == (mood == "openings")


def test_ten_languages_are_spoken():
    assert {"en", "de", "fr", "es", "it", "pl", "ko", "ja", "pt", "nl"} <= set(people.LANGUAGES)
    assert set(people.phrases()) == set(people.LANGUAGES)


def test_buyers_live_in_a_domain_that_cannot_exist():
    random = Random(1)
    buyers = [people.buyer(random) for _ in range(200)]

    assert all(buyer.email.endswith("@buyers.example") for buyer in buyers)
    assert len({buyer.id for buyer in buyers}) == 200
    assert {buyer.language for buyer in buyers} == set(people.LANGUAGES)


def test_the_same_seed_invents_the_same_people():
    assert people.buyer(Random(5)) == people.buyer(Random(5))


def test_a_mail_programme_wraps_the_text_and_quotes_the_answer():
    buyer = people.Buyer("C-1", "Erika Beispiel", "de", "de_DE", "de-1@buyers.example")

    html = people.outlook(buyer, "Größer < kleiner?", "Unsere Antwort & mehr", BEGIN)

    assert html.startswith("<html")
    assert "Größer &lt; kleiner?" in html
    assert "Unsere Antwort &amp; mehr" in html
    assert re.search(r"<b>Von:</b>.*<b>Gesendet:</b> 2026-03-02 12:00", html)


@pytest.mark.parametrize("seed", [*range(20), *(crc32(name.encode()) for name in SHIPPED)])
def test_a_minute_shows_clocks_met_broken_and_about_to_break(stage, seed):
    """With a promise of a minute; what begins before the scene is due within it, or is history."""
    run(scene.Scene(stage, within=MINUTE, seed=seed), BEGIN, BEGIN + MINUTE)
    recent = [(at, took) for at, took in stage.replies if at > BEGIN]
    asked = [acts[0][0] for acts in stage.acts.values()]
    unanswered = [since + MINUTE for since in stage.waiting.values()]

    assert [at for at, took in recent if took <= MINUTE], "met"
    assert [at for at, took in recent if took > MINUTE], "late"
    assert [due for due in unanswered if BEGIN < due <= BEGIN + MINUTE], "broken and still open"
    assert [at for at in asked if BEGIN - MINUTE < at < BEGIN - MINUTE / 2], "warned at once"
    assert [at for at in asked if at >= BEGIN], "starting"
    assert [due for due in unanswered if due <= BEGIN], "history that still waits"
    assert [at for at, _ in stage.replies if at < BEGIN], "history that is answered"
    for act in ("agent_sees_no_need", "open_case", "agent_asks_marketplace", "buyer_writes"):
        assert stage.counts()[act] >= 1, act


def test_hours_go_by_modestly_and_nothing_grows(stage):
    run(scene.Scene(stage, within=MINUTE, seed=2, threads=12), BEGIN, BEGIN + timedelta(hours=6))
    counts = stage.counts()
    last = max(acts[0][0] for acts in stage.acts.values())

    assert stage.most <= 12
    assert counts["open"] - counts["forget"] <= 12
    assert 100 < counts["open"] < 6 * 60
    assert last > BEGIN + timedelta(hours=5, minutes=50)
    assert {"marketplace_writes", "close_case", "forget"} <= set(counts)
    assert any(text.startswith("<html") for text in stage.texts)


def test_a_thread_is_forgotten_only_when_nobody_waits_in_it(stage):
    played = scene.Scene(stage, within=MINUTE, seed=3, threads=12)
    forgot = stage.forget

    def forget(thread):
        assert thread not in stage.waiting
        forgot(thread)

    stage.forget = forget
    run(played, BEGIN, BEGIN + timedelta(hours=3))

    assert stage.counts()["forget"] > 10


def test_the_same_seed_plays_the_same_scene():
    played = []
    for _ in range(2):
        stage = Notebook()
        run(scene.Scene(stage, within=MINUTE, seed=4), BEGIN, BEGIN + timedelta(minutes=20))
        played.append((stage.acts, stage.texts))

    assert played[0] == played[1]


def test_shops_that_open_together_are_not_in_step():
    played = []
    for name in SHIPPED:
        stage = Notebook()
        seed = crc32(name.encode())
        run(scene.Scene(stage, within=MINUTE, seed=seed), BEGIN, BEGIN + 5 * MINUTE)
        instants = {at for acts in stage.acts.values() for at, _ in acts if at < BEGIN}
        rounds = {at.replace(microsecond=0) for acts in stage.acts.values() for at, _ in acts}
        played.append((instants, rounds))

    for one, other in combinations(played, 2):
        assert not one[0] & other[0]
        assert len(one[1] & other[1]) < len(one[1]) / 2


def test_whoever_wakes_late_acts_now_and_does_not_make_up_for_the_night(stage):
    played = scene.Scene(stage, within=MINUTE, seed=5)
    played.once(BEGIN)
    known = len(stage.acts)
    morning = BEGIN + timedelta(hours=8)

    played.once(morning)

    assert len(stage.acts) <= known + 10
    late = [at for acts in stage.acts.values() for at, _ in acts if at > BEGIN]
    assert set(late) == {morning}


def test_the_agent_leaves_alone_what_somebody_else_answered(stage):
    played = scene.Scene(stage, within=MINUTE, seed=6)
    played.once(BEGIN)
    stage.waiting.clear()
    stage.replies.clear()
    stage.is_waiting = lambda thread: False

    run(played, BEGIN, BEGIN + MINUTE / 2)

    assert stage.replies == []


async def test_playing_goes_on_until_it_is_cancelled(stage):
    began = asyncio.get_running_loop().time()

    def clock():
        return BEGIN + timedelta(seconds=asyncio.get_running_loop().time() - began)

    played = scene.Scene(stage, within=timedelta(seconds=0.5), seed=7)
    playing = asyncio.create_task(scene.play([played], clock))
    await asyncio.sleep(0.6)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing

    assert len([at for acts in stage.acts.values() for at, _ in acts if at > BEGIN]) > 3


def test_a_scene_may_have_a_script_and_numbers_of_its_own(stage):
    stories = {"one": ((0.0, "ask"), (0.5, "answer"))}
    script = scene.Script(stories, [(-1440, "one"), (0, "one")], {"one": 1})
    played = scene.Scene(stage, MINUTE, 3, ("en",), script=script, number=lambda _: "1-2-3")
    run(played, BEGIN, BEGIN + 5 * MINUTE)
    begun = sorted(acts[0][0] for acts in stage.acts.values())

    assert begun[0] - BEGIN < timedelta(hours=-23)
    assert {act for acts in stage.acts.values() for _, act in acts} == {"open", "agent_answers"}
    assert any("1-2-3" in text for text in stage.texts)
