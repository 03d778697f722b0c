"""The pictures in the README, of a board that is seeded; to take them anew:

REPLYBY_PICTURES=docs/pictures .venv/bin/python -m pytest tests/web/test_pictures.py
"""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from core.access import Role
from core.configuration.board import Board
from core.connector import Capabilities, Unwelcome
from sla.policy import Party
from tests.web import board as boards
from tests.web import invented
from tests.web.browser import Showing, backstage, chromium, packed, showing

__all__ = ["backstage", "chromium", "showing"]

SHOWN = Path(__file__).resolve().parents[2] / "docs" / "pictures"
NOW = datetime(2026, 11, 23, 8, 41, 20, tzinfo=UTC)
SIZE = (1440, 900)
AMAZON = Capabilities(
    replies=True,
    unseen_mark=True,
    most_enclosed=10**7,
    unwelcome=tuple(
        Unwelcome(what, "the marketplace's rules") for what in ("link", "address", "phone")
    ),
)


def only_buyers(_thread, to):
    return None if to == {Party.BUYER} else "letters go to buyers only"


@pytest.fixture(scope="module")
def morning(showing: Showing):
    """A busy morning in Berlin; the time stands still."""

    async def seed(db):
        await invented.fill(db, NOW)
        await invented.claimed(db, NOW, "T1", "amazon-de", "jiyoung", 14)
        await invented.claimed(db, NOW, "T5", "amazon-de", "anna", 32)
        await invented.talked(db, NOW)

    showing.stage.rules = rules = invented.rules()
    spec = SimpleNamespace(can=lambda _: AMAZON, refuses=only_buyers, narrows=None)
    showing.stage.accounts["amazon-de"] = SimpleNamespace(
        account=rules.accounts["amazon-de"], spec=spec, options=None, own_mark=False
    )
    showing.stage.board = Board(zone="Europe/Berlin")
    showing.stage.metrics.blind_from.show({"ebay-uk": NOW.timestamp() - 60})
    showing.stage.metrics.unseen_messages_expected.show({"ebay-uk": 6.0})
    showing.db(seed)
    showing.db(lambda db: db.execute(
        "update stream set seen_through = $1 where account = 'ebay-uk'",
        NOW - timedelta(minutes=29),
    ))  # fmt: skip
    showing.backstage.run(boards.person(showing.stage.pool, "jiyoung", now=NOW))
    with showing.away():
        showing.stage.clock = boards.Clock(NOW)
    return showing


def size(path):
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", raw[16:24])


@pytest.mark.parametrize(
    ("name", "path", "scheme", "words"),
    [
        ("board", "/", "light", ("2 are overdue", "1 h 15 min late", "not read since 09:12")),
        ("wall", "/wall", "dark", ("Overdue", "1 h 15 min late", "about 6 messages unseen")),
        (
            "thread",
            "/thread/amazon-de/T1",
            "light",
            (
                "1 h 15 min late",
                "Why this deadline",
                "no phone numbers",
                "Lampe Modell 340",
                "You work on this",
                "Wo bleibt mein Paket?",
            ),
        ),
    ],
)
def test_a_picture_shows_what_the_board_shows(morning, tmp_path, name, path, scheme, words):
    into = Path(os.environ.get("REPLYBY_PICTURES", tmp_path))
    who = {"board": "anna", "wall": "screen", "thread": "jiyoung"}[name]
    with morning.page(Role.LEAD, name=who, color_scheme=scheme) as page:
        page.clock.set_fixed_time(NOW)
        page.goto(path)
        expect(page.locator("time.left").first).to_contain_text(" late")
        if name == "board":
            expect(page.locator("#state")).to_have_text("Live.")
        said = page.inner_text("main")
        (into / f"{name}.png").write_bytes(packed(morning.browser, page.screenshot()))

    assert [word for word in words if word not in said] == []
    assert size(into / f"{name}.png") == size(SHOWN / f"{name}.png") == SIZE
