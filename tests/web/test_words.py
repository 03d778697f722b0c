"""Pages in the language, the zone and the words of who reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import UndefinedError

from core.access import Role, Who
from core.web import pages, words
from core.web.times import Times

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANNA = Who("anna", Role.AGENT, title="<Anna>")


def times(language="en", zone="Europe/Berlin", now=NOW):
    return Times(language, zone, now, words.catalogues()[language].gettext)


def after(**span):
    return NOW + timedelta(**span)


@pytest.mark.parametrize(
    ("at", "text", "korean"),
    [
        (after(days=3, hours=4, minutes=59), "in 3 d 04 h", "3일 04시간 남음"),
        (after(hours=2, minutes=5, seconds=59), "in 2 h 05 min", "2시간 05분 남음"),
        (after(minutes=42), "in 42 min", "42분 남음"),
        (after(minutes=9, seconds=3), "in 9 min 03 s", "9분 03초 남음"),
        (NOW, "in 0 min 00 s", "0분 00초 남음"),
        (after(minutes=-12), "12 min late", "12분 지남"),
        (after(days=-1), "1 d 00 h late", "1일 00시간 지남"),
    ],
)
def test_how_far_a_deadline_is_stands_in_words_and_is_never_more_than_there_is(at, text, korean):
    assert times().away(at) == text
    assert times("ko").away(at) == korean


def test_a_time_stands_in_the_persons_zone_and_on_a_closer_look_in_the_marketplaces_too():
    shown = times().instant(after(hours=1), "Asia/Seoul")

    assert ">11:00</time>" in shown
    assert 'title="Mon 23 Nov 11:00 (Europe/Berlin); Mon 23 Nov 19:00 (Asia/Seoul)"' in shown
    assert times("ko", "Asia/Seoul").clock(after(hours=16)) == "11월 24일 (화) 10:00"
    assert times().clock(datetime(2027, 1, 2, 3, 4, tzinfo=UTC)) == "Sat, 2 Jan 2027 04:04"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ((None, None), "", "en"),
        ((None, None), "fr;q=0.9, ko-KR;q=0.8, en;q=0.1", "ko"),
        ((None, "ko"), "en", "ko"),
        (("en", "ko"), "ko", "en"),
        (("xx", None), "ko;q=0, ;;, en;q=much", "en"),
    ],
)
def test_the_language_is_the_persons_then_the_settings_then_the_browsers(
    chosen, accepted, language
):
    assert words.language(chosen, accepted) == language


@pytest.mark.parametrize(("language", "queue"), [("en", "Queue"), ("ko", "대기열")])
def test_a_page_is_written_in_the_language_of_who_reads_it_and_escapes_names(language, queue):
    reader = pages.Audience(ANNA, language, "Europe/Berlin")

    text = pages.render("base.html", reader, NOW, csrf="a-token", path="/")

    assert f'<html lang="{language}">' in text
    assert f'<a href="/" aria-current="page">{queue}</a>' in text
    assert "&lt;Anna&gt;" in text
    assert '<input type="hidden" name="csrf" value="a-token">' in text
    assert 'href="/people"' not in text


def test_who_is_not_known_is_shown_no_way_anywhere():
    text = pages.render("base.html", pages.Audience(None, "en", "UTC"), NOW)

    assert "<nav" not in text
    assert "/sign-out" not in text


def test_a_name_that_no_page_was_given_is_an_error():
    strange = pages.environment("en").from_string("{{ subject }}")

    with pytest.raises(UndefinedError):
        strange.render()


def test_a_threads_path_holds_whatever_stands_in_its_id():
    path = pages.thread_path("ebay-de", "a/b?c#d<ü", "claim")

    assert path == "/claim/ebay-de/a%2Fb%3Fc%23d%3C%C3%BC"
