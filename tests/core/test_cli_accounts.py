"""What `accounts` says: how each account is read, and whether its pushes come."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from core.arrival import rhythm
from core.arrival.rhythm import HOUR
from core.loops import utcnow
from core.store import heartbeats
from tests.core import pulses, seeds, terminal

SETTINGS = terminal.settings("""
[accounts.shop]
connector = "webstore"
options = { kind = "whatsapp", endpoint = "http://127.0.0.1:8081/push/webstore/shop" }
sandbox = true
[accounts.phone]
connector = "webstore"
options = { kind = "whatsapp", endpoint = "http://127.0.0.1:8081/push/webstore/phone" }
sandbox = true
silence = "12h"
[accounts.fresh]
connector = "webstore"
options = { kind = "whatsapp", endpoint = "http://127.0.0.1:8081/push/webstore/fresh" }
sandbox = true
[accounts.mk]
connector = "mirakl"
sandbox = true
options = { operator = "empik" }
""")
WEEKS = 9


@pytest.fixture
def given(address, tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    terminal.ask(address, seed)
    with terminal.log_as_before():
        yield partial(terminal.give)


async def seed(db):
    now = utcnow()
    for account in ("shop", "phone", "fresh", "mk"):
        await seeds.put_account(db, now, account, since=now - timedelta(days=99))
    await seeds.put_stream(db, now, "mk", "messages", seen_through=now)
    await seeds.put_stream(db, now, "mk", "incidents", seen_through=now)
    begin = rhythm.floor(now - WEEKS * timedelta(weeks=1), HOUR)
    came = pulses.pushes(Random(1), 300, WEEKS, sunday=0.5, begin=begin)
    for hour, slots in pulses.by_hour(at for at in came if at < now).items():
        await heartbeats.mark(db, ["shop"], hour, slots)
    await heartbeats.mark(db, ["phone"], rhythm.floor(now, HOUR), rhythm.bit(now))
    await heartbeats.listened(db, rhythm.masks(begin, now))


def rows(given):
    return {row["account"]: row for row in json.loads(given("accounts", "--json")[1])}


def test_it_says_how_each_account_is_read_and_whether_its_pushes_come(given):
    found = rows(given)

    assert {name: (row["read"], row["pushes"]) for name, row in found.items()} == {
        "shop": ("by pushes only", "as usual"),
        "phone": ("by pushes only", "as allowed"),
        "fresh": ("by pushes only", "never came"),
        "mk": ("ok", "none"),
    }


def test_it_says_how_often_they_come_and_when_their_silence_is_told(given):
    found = rows(given)

    assert found["shop"]["usually"].endswith(" times a day")
    assert found["shop"]["pushed_at"] < found["shop"]["silent_from"]
    assert found["phone"]["usually"] is None
    assert found["phone"]["silent_from"] is not None
    assert found["fresh"]["silent_from"] is None


def test_a_silence_that_is_told_stands_there(given, address):
    async def fall_silent(db):
        now = utcnow()
        await db.execute("insert into pushing (account, silent_since) values ('shop', $1)", now)

    terminal.ask(address, fall_silent)

    assert rows(given)["shop"]["pushes"] == "silent"


def test_a_key_refused_beside_the_pushes_stands_there(given, address):
    async def refuse(db):
        now = utcnow()
        for account, health in (("shop", "bad_credentials"), ("phone", "ok"), ("mk", "forbidden")):
            await seeds.put_stream(db, now, account, "number", carries_clocks=False)
            await db.execute("update stream set health = $2 where account = $1 and stream = $3",
                             account, health, "number")  # fmt: skip

    terminal.ask(address, refuse)

    assert {name: row["read"] for name, row in rows(given).items()} == {
        "shop": "by pushes only, bad_credentials",
        "phone": "by pushes only",
        "fresh": "by pushes only",
        "mk": "ok",
    }


def test_people_get_a_table(given):
    code, table, _ = given("accounts")

    assert code == 0
    assert table.splitlines()[0].split()[:2] == ["ACCOUNT", "MARKETPLACE"]
    assert len(table.splitlines()) == 5
