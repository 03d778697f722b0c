"""A shop's opening hours move its own goals, of every kind, and no window that shuts by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from core import settings
from sla.calendar import Calendar
from tests.acceptance import premises

ACCOUNT = """
[accounts.shop]
connector = "webstore"
calendar = "shop-hours"
sandbox = true
options = {{ {options} }}

[calendars.shop-hours]
zone = "Europe/Berlin"
hours = {{ mon-sat = ["09:00-17:00"] }}
holidays = "DE"
"""
PUSHED = 'endpoint = "http://127.0.0.1:8081/push/webstore/shop"'


@pytest.mark.parametrize("kind", sorted(spec.kinds))
def test_goals_count_on_the_hours_and_contracts_round_the_clock(tmp_path, kind):
    needed = [PUSHED] if "endpoint" in spec.kinds[kind].model_fields else []
    options = ", ".join([f'kind = "{kind}"', *needed])
    path = tmp_path / "settings.toml"
    path.write_text(premises.settings(ACCOUNT.format(options=options), "1d"))
    at = datetime(2026, 11, 22, tzinfo=UTC)

    found = settings.load(path, {"webstore": spec}, {}, sandbox=True, now=at).accounts["shop"]

    goals = [p for p in found.promises if p.role == "goal"]
    contracts = [p for p in found.promises if p.role == "contract"]
    assert goals
    assert {(p.name.endswith("@shop"), p.calendar) for p in goals} == {(True, found.hours)}
    assert all(p.calendar == Calendar.always() for p in contracts)
    assert (kind in {"whatsapp", "messenger", "instagram"}) <= bool(contracts)
