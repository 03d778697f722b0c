"""Who is told what: by account, marketplace, language, promise and step, at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import NoticeKind
from core.people.ladders import Ladder, Rung
from core.people.person import speaks
from core.routing import Aim, Route, Routing, Subject, Way, vacancies
from sla.calendar import Calendar
from tests.core.people import directory, duty, hours, nights, person, span, team

NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)  # a Monday, 12 o'clock in Berlin
NIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC)
SEVEN = datetime(2026, 11, 24, 6, tzinfo=UTC)
BREACH, WARNING, BLIND = NoticeKind.BREACH, NoticeKind.WARNING, NoticeKind.BLIND

OPS = Route("ops", ("log",), fallback=True)
ANNA = person("anna", "anna-mail", languages=("de", "en"), quiet=nights())
BO = person("bo", "bo-phone", languages=("ko",))
LEAD = person("lead", "lead-phone", quiet=nights(), passes=frozenset({BREACH, 3}))
WHO = directory(
    ANNA,
    BO,
    LEAD,
    teams=[team("desk", "anna", "bo"), team("room", "anna", notifiers=("chat",))],
    duties=[duty("day", "person:lead", (hours(mon="09:00-17:00"), ("anna", "bo")))],
)


def routing(*routes, of=None, **more):
    every = {route.name: route for route in (*routes, OPS)}
    places = {"mk": "empik", "eb": "ebay-de", "am": "amazon-de"}
    return Routing(every, of or {}, more.pop("who", WHO), marketplaces=places, **more)


def told(found, subject, at=NOON):
    return [aim.notifier for aim in found.told(subject, at)]


def subject(kind=BREACH, account="mk", **more):
    return Subject(kind, account, **more)


CONDITIONS = [
    ({"kinds": {BLIND}}, subject(BLIND), subject(BREACH)),
    ({"accounts": {"mk"}}, subject(), subject(account="eb")),
    ({"marketplaces": {"empik"}}, subject(), subject(account="eb")),
    ({"languages": ("de",)}, subject(language="de-AT"), subject(language="ko")),
    ({"languages": ("de-AT",)}, subject(language="de_at"), subject(language="de")),
    ({"languages": ("de",)}, subject(language="DE"), subject()),
    ({"policies": {"day"}}, subject(policy="day"), subject(policy="night")),
    ({"policies": {"day"}}, subject(policy="day@mk"), subject()),
    ({"policies": {"given"}}, subject(policy="given:claim:ACT"), subject(policy="givens")),
    ({"policies": {"given:claim"}}, subject(policy="given:claim:ACT"), subject(policy="given:x:A")),
    ({"steps": {"breach"}}, subject(), subject(WARNING, step=1)),
    ({"steps": {"warning"}}, subject(WARNING, step=2), subject(BREACH)),
    ({"steps": {2}}, subject(WARNING, step=2), subject(WARNING, step=1)),
    ({"steps": {2, "breach"}}, subject(BREACH), subject(BLIND)),
]


@pytest.mark.parametrize(("conditions", "fits", "differs"), CONDITIONS)
def test_a_route_takes_what_meets_its_condition_and_leaves_the_rest_to_the_fallback(
    conditions, fits, differs
):
    shaped = {k: v if isinstance(v, tuple) else frozenset(v) for k, v in conditions.items()}
    own = Route("own", ("pager",), **shaped)
    found = routing(own, of={"mk": ("own",), "eb": ("own",)})

    assert told(found, fits) == ["pager"]
    assert told(found, differs) == ["log"]
    if "accounts" not in conditions and "marketplaces" not in conditions:
        assert list(own.unmet(differs)) == list(conditions)


def test_all_conditions_of_a_route_must_be_met():
    own = Route("own", ("pager",), frozenset({BREACH}), languages=("de",), policies=frozenset("p"))
    found = routing(own, of={"mk": ("own",)})

    assert told(found, subject(language="de", policy="p")) == ["pager"]
    assert told(found, subject(language="de", policy="q")) == ["log"]
    assert list(own.unmet(subject(WARNING))) == ["kinds", "languages", "policies"]


def test_a_route_that_names_accounts_is_theirs_without_being_named_by_them():
    found = routing(
        Route("claims", ("pager",), accounts=frozenset({"mk"})),
        Route("german", ("chat",), marketplaces=frozenset({"ebay-de", "amazon-de"})),
        Route("nobodys", ("lost",)),
    )

    assert told(found, subject()) == ["pager"]
    assert told(found, subject(account="eb")) == ["chat"]
    assert told(found, subject(account="other")) == ["log"]


def test_several_routes_to_one_notifier_tell_it_once_in_the_order_of_the_settings():
    first = Route("first", ("chat", "pager"), tell=("team:room",))
    found = routing(first, Route("second", ("pager", "mail")), of={"mk": ("first", "second")})

    aims = found.told(subject(), NOON)

    assert [aim.notifier for aim in aims] == ["chat", "pager", "mail"]
    assert aims[1].ways == ("first", "second")


TARGETS = [
    (("person:anna",), None, ["anna-mail"]),
    (("team:desk",), None, ["anna-mail", "bo-phone"]),
    (("team:desk",), "ko", ["bo-phone"]),
    (("team:desk",), "de-AT", ["anna-mail"]),
    (("team:desk",), "pl", ["anna-mail", "bo-phone"]),
    (("team:room",), "ko", ["chat"]),
    (("duty:day",), None, ["anna-mail", "bo-phone"]),
    (("duty:day",), "en", ["anna-mail"]),
    (("notifier:siren", "person:bo"), None, ["siren", "bo-phone"]),
    (("person:bo", "team:desk"), None, ["bo-phone", "anna-mail"]),
    (("person:nobody",), None, ["log"]),
]


@pytest.mark.parametrize(("targets", "language", "notifiers"), TARGETS)
def test_a_target_is_whoever_it_means_and_of_several_who_answers_the_language(
    targets, language, notifiers
):
    found = routing(Route("own", (), tell=targets), of={"mk": ("own",)})

    assert told(found, subject(language=language)) == notifiers


def test_an_empty_duty_tells_its_fallback_and_says_so():
    found = routing(Route("own", (), tell=("duty:day",)), of={"mk": ("own",)})

    (aim,) = found.told(subject(), NOON + timedelta(days=1))

    assert aim.notifier == "lead-phone"
    assert aim.ways == ("own/lead!day",)
    assert vacancies(aim.ways) == {"day"}
    assert Way.of("own/lead!day") == Way("own", "lead", "day")


@pytest.mark.parametrize("written", ["desk", "desk/anna", "desk!night", "desk/anna!night"])
def test_a_way_is_read_as_it_was_written(written):
    assert str(Way.of(written)) == written


def test_whoever_is_quiet_is_told_when_that_ends():
    found = routing(Route("own", (), tell=("person:anna",)), of={"mk": ("own",)})

    assert found.told(subject(), NOON) == (Aim("anna-mail", None, ("own/anna",)),)
    assert found.told(subject(), NIGHT) == (Aim("anna-mail", SEVEN, ("own/anna",)),)


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        (subject(BREACH), True),
        (subject(NoticeKind.CORRECTED), True),
        (subject(WARNING, step=3), True),
        (subject(WARNING, step=2), False),
        (subject(BLIND), False),
    ],
)
def test_what_somebody_lets_pass_is_told_at_any_hour(asked, passes):
    found = routing(Route("own", (), tell=("person:lead",)), of={"mk": ("own",)})

    (aim,) = found.told(asked, NIGHT)

    assert (aim.not_before is None) == passes


def test_a_notifier_that_somebody_else_reads_is_told_at_once():
    shared = directory(person("anna", "chat", quiet=nights()), person("bo", "chat"))
    both = Route("own", (), tell=("person:anna", "person:bo"))
    plain = Route("plain", ("chat",), tell=("person:anna",))
    found = routing(both, plain, of={"mk": ("own",), "eb": ("plain",)}, who=shared)

    assert [aim.not_before for aim in found.told(subject(), NIGHT)] == [None]
    assert [aim.not_before for aim in found.told(subject(account="eb"), NIGHT)] == [None]


def test_of_two_who_are_quiet_the_first_to_wake_is_waited_for():
    late = Calendar("Asia/Seoul", dict.fromkeys(range(7), (span("00:00-09:00"),)))
    shared = directory(person("anna", "chat", quiet=nights()), person("bo", "chat", quiet=late))
    found = routing(Route("own", (), tell=("person:anna", "person:bo")), of={"mk": ("own",)},
                    who=shared)  # fmt: skip

    (aim,) = found.told(subject(), NIGHT)

    assert aim.not_before == datetime(2026, 11, 24, 0, tzinfo=UTC)  # 9 o'clock in Seoul


def test_settings_without_people_write_nothing_down():
    """What they say is the same at any time: a route's mute asks them, as it always did."""
    found = routing(
        Route("desk", ("chat",), frozenset({BREACH})), of={"mk": ("desk",)}, who=directory()
    )

    assert found.plain
    assert found.told(subject(), NOON) == (Aim("chat"),)
    assert found.ways("mk", BREACH, "chat") == ("desk",)


def test_the_first_route_with_a_ladder_says_which_is_climbed():
    up = Ladder("up", (Rung(timedelta(minutes=15), ("person:lead",)),))
    found = routing(
        Route("bare", ("chat",)),
        Route("own", ("chat",), frozenset({BREACH}), ladder="up"),
        of={"mk": ("bare", "own")},
        ladders={"up": up},
    )

    assert found.ladder(subject()) == (found.routes["own"], up)
    assert found.ladder(subject(BLIND)) is None
    (aim,) = found.aims("own", up.rungs[0].tell, subject(BLIND), NIGHT)
    assert (aim.notifier, aim.not_before, aim.ways) == ("lead-phone", SEVEN, ("own/lead",))


def test_everything_that_something_leads_to_is_known():
    up = Ladder("up", (Rung(timedelta(minutes=15), ("notifier:siren",)),))
    found = routing(Route("own", ("mail",), ladder="up"), ladders={"up": up})

    assert found.reached() == {
        "log", "mail", "siren", "anna-mail", "bo-phone", "lead-phone", "chat",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("known", "language", "is_one"),
    [
        (("de",), "de", True),
        (("de",), "de-CH", True),
        (("de",), "den", False),
        (("pt-BR",), "pt", False),
        (("pt-br",), "pt-BR", True),
        (("de",), None, False),
        (("de",), "", False),
    ],
)
def test_a_tag_holds_its_own_narrower_ones(known, language, is_one):
    assert speaks(known, language) == is_one


NAMES = st.sampled_from(["mk", "eb", "am", "other"])
LANGUAGES = st.sampled_from([None, "de", "de-AT", "ko", "pl"])
POLICIES = st.sampled_from([None, "day", "day@mk", "given:claim:ACT"])
STEPS = st.sampled_from([None, 1, 2, 3])
TOLD = ["person:anna", "team:desk", "team:room", "duty:day", "notifier:siren", "person:nobody"]
ROUTES = st.builds(
    Route,
    name=st.sampled_from("abc"),
    notifiers=st.lists(st.sampled_from(["chat", "pager"]), max_size=2).map(tuple),
    kinds=st.frozensets(st.sampled_from(NoticeKind), max_size=3),
    tell=st.lists(st.sampled_from(TOLD), max_size=3).map(tuple),
    marketplaces=st.frozensets(st.sampled_from(["empik", "ebay-de"]), max_size=1),
    accounts=st.frozensets(NAMES, max_size=2),
    languages=st.lists(st.sampled_from(["de", "ko"]), max_size=2).map(tuple),
    policies=st.frozensets(st.sampled_from(["day", "given"]), max_size=2),
    steps=st.frozensets(st.sampled_from([1, 2, "warning", "breach"]), max_size=2),
)
SUBJECTS = st.builds(
    Subject,
    kind=st.sampled_from(NoticeKind),
    account=NAMES,
    language=LANGUAGES,
    policy=POLICIES,
    step=STEPS,
)
INSTANTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001  # hypothesis puts the zone there itself
    datetime(2027, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.just(UTC),
)


@given(st.lists(ROUTES, max_size=3), st.sets(st.sampled_from("abc")), SUBJECTS, INSTANTS)
def test_nothing_ever_reaches_nobody_and_nobody_is_told_twice(routes, named, asked, at):
    every = {route.name: route for route in routes}
    found = routing(*routes, of={"mk": tuple(sorted(named & every.keys()))})

    aims = found.told(asked, at)

    assert aims
    assert len({aim.notifier for aim in aims}) == len(aims)
    assert all(aim.not_before is None or aim.not_before > at for aim in aims)
    for aim in aims:
        assert all(Way.of(way).route in found.routes for way in aim.ways)
