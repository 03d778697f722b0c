"""What a person at a terminal does about orders, against SP-API on loopback."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.model import Stream
from core.orders import enriching
from core.reading.walk import Reader
from core.store import deeds, orders
from sla.wording import in_utc
from tests.connectors.amazon.spapi.conftest import ORDER
from tests.core import seeds, terminal

WRONG = "302-9999999-9999999"

SETTINGS = """
[accounts.shop]
connector = "amazon"
[accounts.shop.options]
user = "shop"
password = "env:TEST_PASSWORD"
imap = { host = "127.0.0.1", port = 1, tls = "none" }
smtp = { host = "127.0.0.1", port = 1, tls = "none" }
sender = "support@shop.example"
marketplaces = ["A1PA6795UKMFR9"]
[accounts.shop.options.sp_api]
seller_id = "%(seller_id)s"
client_id = "%(client_id)s"
client_secret = "env:TEST_SECRET"
refresh_token = "env:TEST_REFRESH"
base_url = "%(base_url)s"
token_url = "%(token_url)s"
[accounts.plain]
connector = "amazon"
[accounts.plain.options]
user = "plain"
password = "env:TEST_PASSWORD"
imap = { host = "127.0.0.1", port = 1, tls = "none" }
smtp = { host = "127.0.0.1", port = 1, tls = "none" }
sender = "plain@shop.example"
marketplaces = ["A1PA6795UKMFR9"]
"""


@pytest.fixture
def command(selling, address, tmp_path, monkeypatch):
    """Gives a command beside the stand-in: its exit code, what it printed and complained of."""
    told = selling.options()
    (tmp_path / "settings.toml").write_text(terminal.settings(SETTINGS % told))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    monkeypatch.setenv("TEST_PASSWORD", "a-password")
    monkeypatch.setenv("TEST_SECRET", told["client_secret"])
    monkeypatch.setenv("TEST_REFRESH", told["refresh_token"])
    with terminal.log_as_before():
        yield terminal.give_beside


async def test_what_may_be_done_is_shown_with_what_it_takes(command, selling):
    selling.orders[ORDER].allows = ("confirmOrderDetails", "warranty")

    code, out, err = await command("actions", "shop", ORDER)

    assert (code, err) == (0, "")
    assert out == (
        f"{ORDER} allows now:\n"
        "  confirmOrderDetails: --text (1 to 2000 characters)\n"
        "  warranty: --file (1 to 5), --from, --until\n"
        "  the buyer reads de-DE\n"
    )


async def test_a_message_is_sent_once_and_shown_as_done(command, selling, pool):
    text = "Is your door on the left?"
    code, out, _ = await command("act", "shop", ORDER, "confirmDeliveryDetails", "--text", text)
    again, _, complaint = await command(
        "act", "shop", ORDER, "confirmDeliveryDetails", "--text", text
    )
    _, shown, _ = await command("actions", "shop", ORDER, "--json")

    assert (code, out) == (
        0, f"shop {ORDER}: confirmDeliveryDetails is done; it is no reply, and ends no clock\n",
    )  # fmt: skip
    assert again == 1
    assert complaint.endswith("--again does it once more\n")
    assert [one.body["text"] for one in selling.said] == [text]
    (done,) = json.loads(shown)["done"]
    assert (done["action"], done["state"]) == ("confirmDeliveryDetails", "done")
    async with pool.acquire() as db:
        assert [one.state for one in await deeds.of_order(db, "shop", ORDER)] == ["done"]


async def test_a_file_and_a_period_go_along(command, selling, tmp_path):
    (tmp_path / "card.pdf").write_bytes(b"%PDF-1.7")

    code, _, err = await command(
        "act", "shop", ORDER, "warranty", "--file", "card.pdf",
        "--from", "2026-11-21", "--until", "2028-11-20",
    )  # fmt: skip

    assert (code, err) == (0, "")
    (said,) = selling.said
    assert said.files == (b"%PDF-1.7",)
    assert said.body["attachments"][0]["fileName"] == "card.pdf"


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (("act", "shop", ORDER, "invoice", "--file", "none.pdf"), 1, "none.pdf cannot be read"),
        (("act", "shop", ORDER, "warranty", "--from", "2026-11-21"), 2, "go together"),
        (("act", "shop", ORDER, "reply", "--text", "x"), 1, "replyby: reply is none of"),
        (("act", "plain", ORDER, "invoice"), 1, "can do nothing about orders from here"),
        (("actions", "plain", ORDER), 1, "can do nothing about orders from here"),
        (("actions", "shap", ORDER), 1, "no account is called shap"),
        (("actions", "shop", WRONG), 1, f"Amazon knows no order {WRONG}, or not of this account"),
        (
            ("act", "shop", WRONG, "confirmOrderDetails", "--text", "x"),
            1,
            f"knows no order {WRONG}",
        ),
    ],
)
async def test_what_cannot_be_done_says_why_on_one_line(command, selling, args, code, why):
    done, out, err = await command(*args)

    assert (done, out) == (code, "")
    assert why in err
    assert code == 2 or len(err.splitlines()) == 1
    assert selling.said == []


async def test_nobody_knows_is_said_and_nothing_is_tried_again(command, api):
    number = api.faults.order("drop", operation="sendMessage")

    code, _, err = await command("act", "shop", ORDER, "confirmOrderDetails", "--text", "x")

    assert code == 1
    assert "outcome_unknown: confirmOrderDetails of" in err
    assert "may have been done; look at the order there before anything else" in err
    assert api.faults.orders[number].hits == 1


async def test_an_order_is_asked_for_while_its_buyer_waits_and_shown_beside_the_thread(
    command, pool, partner, selling, now
):
    """From Amazon's answer over the loop of the daemon and its table to the terminal."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now, "shop")
        await seeds.put_stream(db, now, "shop", "mail", seen_through=now)
        await seeds.put_thread(db, now, "T1", "shop")
        await db.execute("update thread set order_ids = $1", [ORDER])
        await seeds.put_clock(db, now + timedelta(hours=1), account="shop")
        account = seeds.account("shop")
        reader = Reader(account, Silent(partner), {"mail": Stream("mail", seeds.MINUTE)}, "shop")

        await enriching.once(pool, {"shop": reader}, now)

        (kept,) = await orders.of(db, "shop", [ORDER])
    code, out, _ = await command("explain", "shop", "T1")
    _, shown, _ = await command("explain", "shop", "T1", "--json")

    assert kept.status == "shipped"
    assert code == 0
    assert f"  order {ORDER}: shipped, by the seller, bought {in_utc(kept.bought_at)}" in out
    assert "parcel in transit, 19.90 EUR, as of" in out
    assert "    1 x Steel bottle 750 ml (B0EXAMPLE1 SKU-1)" in out
    assert json.loads(shown)["orders"][0]["items"][0]["product"] == "B0EXAMPLE1"
    assert selling.orders[ORDER].buyer not in out + shown


class Silent:
    """An account of which only the orders are read."""

    def __init__(self, partner):
        self.orders = partner.orders

    async def check(self): ...
    async def fetch(self, stream, cursor, position, now): ...


async def test_what_we_refuse_ourselves_is_no_deed(command, pool):
    assert (await command("act", "shop", ORDER, "reply", "--text", "x"))[0] == 1

    async with pool.acquire() as db:
        assert await deeds.of_order(db, "shop", ORDER) == []
