"""Calendar files of duties while the daemon runs: read again when they change, kept when broken."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from core.metrics import Metrics
from core.people import rota
from core.people.duty import Duty
from core.routing import Route, Routing
from core.rules import Rules
from core.running import duty
from tests.core.people import directory, person
from tests.core.test_telling import EVENT

NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)
WHO = (person("anna", "a"), person("bo", "b"))


@dataclass
class Parts:
    """Of the daemon's parts, those that the loop works with."""

    rules: Rules
    metrics: Metrics


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "duty.ics"
    path.write_text(EVENT % "anna")
    return path


@pytest.fixture
def parts(file):
    roster = rota.read(file, "UTC", WHO, NOW)
    who = directory(*WHO, duties=[Duty("week", roster, "person:bo")])
    routes = {"ops": Route("ops", (), fallback=True, tell=("duty:week",))}
    metrics = Metrics()
    metrics.duties.adopt(["week"])
    return Parts(Rules({}, {}, Routing(routes, {}, who)), metrics)


def written(file, text):
    """Another content at another instant, as whatever fetches it writes it."""
    file.write_text(text)
    later = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(later, later))


def on(parts, at=NOW):
    return parts.rules.routing.directory.reached("duty:week", at)


def value(parts, name):
    return parts.metrics.registry.get_sample_value(f"replyby_duty_{name}", {"duty": "week"})


async def test_a_file_that_changed_is_read_again(parts, file):
    place, before = duty.Place(), parts.rules
    await duty.once(parts, place, NOW)
    assert parts.rules is before
    written(file, EVENT % "bo")

    again = await duty.once(parts, place, NOW)

    assert on(parts) == ("b",)
    assert NOW < again <= NOW + timedelta(minutes=1)
    assert (value(parts, "people"), value(parts, "calendar_fresh")) == (1, 1)


@pytest.mark.parametrize("text", ["<html>502</html>", (EVENT % "bo")[:60], ""])
async def test_a_broken_file_changes_nothing_and_is_told_once(parts, file, text):
    place = duty.Place()
    written(file, text)

    with capture_logs() as lines:
        await duty.once(parts, place, NOW)
        await duty.once(parts, place, NOW)

    assert on(parts) == ("a",)
    assert value(parts, "calendar_fresh") == 0
    (line,) = lines
    assert (line["event"], line["duty"]) == ("duty calendar kept as it was", "week")
    assert line["fault"].startswith("is no whole calendar")


async def test_a_file_that_is_gone_changes_nothing_and_is_read_when_it_is_back(parts, file):
    place = duty.Place()
    file.unlink()
    await duty.once(parts, place, NOW)
    assert (on(parts), value(parts, "calendar_fresh")) == (("a",), 0)
    file.write_text(EVENT % "bo")

    await duty.once(parts, place, NOW)

    assert (on(parts), value(parts, "calendar_fresh")) == (("b",), 1)


async def test_what_did_not_change_is_laid_out_anew_before_it_ends(parts, file):
    """The event ends on the 28th: weeks later nobody is on duty, and that is known, not guessed."""
    place, later = duty.Place(), NOW + timedelta(days=30)

    await duty.once(parts, place, later)

    roster = parts.rules.routing.directory.duties["week"].roster
    assert roster.begin <= later < roster.end
    assert (on(parts, later), value(parts, "people")) == (("b",), 0)


async def test_a_file_that_was_broken_at_the_start_is_taken_over_when_it_is_whole(parts, file):
    lost = rota.read_or_not(file.with_name("none.ics"), "UTC", WHO, NOW)
    who = directory(*WHO, duties=[Duty("week", lost, "person:bo")])
    parts.rules = Rules({}, {}, replace(parts.rules.routing, directory=who))
    place = duty.Place()
    await duty.once(parts, place, NOW)
    assert (on(parts), value(parts, "calendar_fresh")) == (("b",), 0)
    file.rename(lost.path)

    await duty.once(parts, place, NOW)

    assert (on(parts), value(parts, "calendar_fresh")) == (("a",), 1)


def test_a_reload_keeps_what_was_read_of_a_file_that_cannot_be_now(parts, file):
    """Another file is another calendar; and what can be read is what counts."""
    before = parts.rules.routing.directory.duties["week"]
    lost = rota.Unread(file, "is no whole calendar")
    elsewhere = rota.Unread(file.with_name("other.ics"), "cannot be read")

    def reloaded(roster):
        who = directory(*WHO, duties=[replace(before, roster=roster, fallback="person:anna")])
        new = Rules({}, {}, replace(parts.rules.routing, directory=who))
        found = duty.kept(parts.rules, new).routing.directory.duties["week"]
        assert found.fallback == "person:anna"
        return found.roster

    assert reloaded(lost) is before.roster
    assert reloaded(elsewhere) is elsewhere
    assert reloaded(before.roster) is before.roster


async def test_a_reload_in_between_is_not_undone(parts, file):
    place = duty.Place()
    written(file, EVENT % "bo")
    reading = asyncio.create_task(duty.once(parts, place, NOW))
    await asyncio.sleep(0)  # by now it reads, on another thread
    parts.rules = reloaded = Rules({}, {}, Routing({}, {}, directory(person("cy", "c"))))

    await reading

    assert parts.rules is reloaded
