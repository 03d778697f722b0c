"""`replyby check` at the stand-in: who answers, who answers in part, and who does not."""

from __future__ import annotations

import json

import pytest

from connectors.ebay.sandbox.applications import SCOPE, SCOPES
from core.commands import checking
from core.loops import utcnow
from tests.core import seeds, terminal
from tests.core.pages import HOUR

MESSAGES = f"{SCOPE}/commerce.message"
ACCOUNT = """
[accounts.{name}]
connector = "ebay"
[accounts.{name}.options]
client_id = "{client_id}"
client_secret = "env:TEST_SECRET"
refresh_token = "env:TEST_{variable}"
seller = "{seller}"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
"""


@pytest.fixture
def check(sandbox, market, address, pool, tmp_path, monkeypatch, capsys):
    """What the command prints of accounts with these scopes: `check(shop=SCOPES)`.

    And whether all is well.
    """
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))

    async def check(*, as_json=False, **scopes):
        content = ""
        for name, granted in scopes.items():
            seller = market.add_seller(f"seller-{name}", scopes=granted)
            told = sandbox.options(seller)
            monkeypatch.setenv("TEST_SECRET", told["client_secret"])
            monkeypatch.setenv(f"TEST_{name.upper()}", told["refresh_token"])
            if not granted:
                seller.application.revoke(seller)
            written = {"name": name, "variable": name.upper(), **told, **told["hosts"]}
            content += ACCOUNT.format(**written)
        path = tmp_path / "settings.toml"
        path.write_text(terminal.settings(content))
        with terminal.log_as_before():
            well = await checking.check(path, offline=False, sandbox=True, as_json=as_json)
        return capsys.readouterr().out, well

    return check


def without(*scopes):
    return [scope for scope in SCOPES if scope not in scopes]


async def test_an_account_that_may_not_do_one_thing_is_forbidden_and_answers_in_part(check):
    out, well = await check(whole=SCOPES, part=without(MESSAGES))

    lines = {line.partition(":")[0]: line for line in out.splitlines() if "accounts." in line}
    assert lines["accounts.whole"] == "accounts.whole: whole answers"
    told = lines["accounts.part"]
    assert told.startswith("accounts.part: forbidden: ")
    assert "the consent lacks the scope commerce.message" in told
    assert told.endswith("the rest answers: dossiers, disputes")
    assert "2 accounts (1 answers, 1 in part), " in out.splitlines()[-1]
    assert not well


async def test_an_account_whose_key_is_refused_answers_not_even_in_part(check):
    out, well = await check(gone=())

    assert "accounts.gone: bad_credentials: " in out
    assert "1 account (0 answer), " in out.splitlines()[-1]
    assert not well


async def test_for_a_script_each_account_has_its_reason(check):
    out, _ = await check(as_json=True, whole=SCOPES, part=without(MESSAGES), gone=())

    told = json.loads(out)["accounts"]
    assert told["whole"] is None
    assert {name: told[name].partition(":")[0] for name in ("part", "gone")} == {
        "part": "forbidden", "gone": "bad_credentials",
    }  # fmt: skip


async def test_who_answers_in_part_is_not_read_again_for_that(check, pool):
    """What was refused to the daemon is refused still."""
    async with pool.acquire() as db:
        for name in ("whole", "part"):
            await seeds.put_account(db, utcnow(), name)
            await seeds.put_stream(db, utcnow(), name, every=HOUR)
        await db.execute(
            "update stream set health = 'forbidden', next_due = now() + interval '1 hour'"
        )

    await check(whole=SCOPES, part=without(MESSAGES))

    rows = await pool.fetch("select account, next_due > now() as waits from stream")
    assert {row["account"]: row["waits"] for row in rows} == {"whole": False, "part": True}
