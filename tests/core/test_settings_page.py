"""docs/settings.md names every key that the settings may hold, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.configuration import access, board, outward, retention, sections, telemetry, telling
from core.notifiers import registry
from core.settings import Tables

if TYPE_CHECKING:
    from pydantic import BaseModel

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()
NAMED = {
    "accounts": [sections.AccountSection],
    "policies": [sections.PolicySection],
    "calendars": [sections.CalendarSection],
    "notifiers": [kind.options for kind in registry.KINDS.values()],
    "routes": [telling.RouteSection],
    "people": [telling.PersonSection],
    "teams": [telling.TeamSection],
    "duty": [telling.DutySection],
    "ladders": [telling.LadderSection],
}
PLAIN = {
    "store": sections.Store,
    "log": sections.Log,
    "metrics": sections.MetricsSection,
    "poll": sections.Poll,
    "retention": retention.Retention,
    "heartbeat": outward.Heartbeat,
    "board": board.Board,
}
TOGETHER = {
    "[ops], [push]": [sections.Ops, sections.Push],
    "[web]": [access.Web],
    "[otel], [sentry]": [telemetry.Otel, telemetry.Sentry],
}


def keys_of(*models: type[BaseModel]) -> set[str]:
    return {f.alias or name for model in models for name, f in model.model_fields.items()}


def keys_in(heading: str) -> set[str]:
    """The keys in the first column of the tables under a heading."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", part, re.MULTILINE)
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(("name", "model"), PLAIN.items())
def test_each_key_of_a_plain_section_is_explained(name, model):
    assert keys_in(f"[{name}]") == keys_of(model)


@pytest.mark.parametrize(("heading", "models"), TOGETHER.items())
def test_each_key_of_sections_that_stand_together_is_explained(heading, models):
    assert keys_in(heading) == keys_of(*models)


@pytest.mark.parametrize(("name", "models"), NAMED.items())
def test_each_key_of_a_named_section_is_explained(name, models):
    extra = {"versions"} if name == "policies" else set()

    assert keys_in(f"[{name}.NAME]") == keys_of(*models) | extra


def test_each_section_has_its_heading():
    headings = " ".join(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))

    for name in Tables.model_fields:
        assert f"[{name}]" in headings or f"[{name}.NAME]" in headings, name


def test_the_numbers_that_a_marketplace_judges_by_are_explained():
    part = PAGE.partition("`judged_by`: `measure`")[2].partition("\n## ")[0]

    for key in keys_of(sections.Judged) - {"measure"}:
        assert f"`{key}`" in part, key


def test_what_an_account_sends_by_itself_is_explained():
    part = PAGE.partition("[accounts.shop-mail.acknowledge]")[2].partition("```")[0]

    for key in keys_of(sections.AcknowledgeSection):
        assert f"\n{key} = " in part, key


@pytest.mark.parametrize(
    "default",
    ['`dsn` | `"embedded"`', '`state_dir` | `"var"`', "`connections` | `10`", "`slots` | `4`",
     '`notices` | `"180d"`', "`most_bytes` | `10485760`", '`account_label` | `"auto"`'],
)  # fmt: skip
def test_defaults_are_told_as_they_are(default):
    key, told = re.findall(r"`\"?([^`\"]+)\"?`", default)
    values = {
        "dsn": sections.Store().dsn.get_secret_value(),
        "state_dir": str(sections.Store().state_dir),
        "connections": str(sections.Store().connections),
        "slots": str(sections.Poll().slots),
        "notices": f"{retention.Retention().notices.days}d",
        "most_bytes": str(sections.Push().most_bytes),
        "account_label": sections.MetricsSection().account_label,
    }

    assert values[key] == told
    assert default in PAGE
