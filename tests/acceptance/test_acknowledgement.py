"""A closed shop with its daemon as a process: one letter by itself, whenever the daemon dies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest

from core.loops import utcnow
from core.sandbox import mail
from tests.acceptance import auction_house, premises
from tests.acceptance.beside import Beside
from tests.acceptance.shop import shop_at
from tests.connectors.webstore.mailbox import letters
from tests.connectors.webstore.mailbox.letters import ANA, BEN, SUPPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.sandbox.mail import Mail
    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.paired, pytest.mark.timeout(200)]

TEXT = "Thank you, your message has arrived. We answer when we are here."
ACCOUNT = """
[accounts.mail]
connector = "webstore"
calendar = "desk"

[accounts.mail.acknowledge]
text = "{text}"

[accounts.mail.options]
kind = "mailbox"
user = "{user}"
password = "env:MAIL_PASSWORD"
imap = {{ host = "127.0.0.1", port = {imap}, tls = "none" }}
smtp = {{ host = "127.0.0.1", port = {smtp}, tls = "none" }}
sender = "{user}"
own_domains = ["shop.example"]
poll_every = "1s"

[calendars.desk]
zone = "UTC"
hours = {{ {day} = ["09:00-17:00"] }}
"""
SAID = "select id, kind, origin from message where party = 'seller'"
ASKED = "select count(*) from message where party = 'buyer'"
STATES = "select state, automatic from reply order by id"
SLOW = 20.0
"""Seconds for which the server keeps quiet about a letter that it has taken."""


def closed_day() -> str:
    """A day of the week that is neither today nor next to it."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return days[(utcnow() + timedelta(days=3)).weekday()]


@dataclass
class Closed:
    beside: Beside
    server: Mail
    shop: Shop

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in auction_house.rows(self.beside, self.shop, query)]

    def comes(self, raw: bytes) -> None:
        """A letter arrives now."""
        self.beside.run(self.server.deliver(SUPPORT, raw, utcnow()))

    def until(self, holds: Any, seconds: float = 40) -> None:
        self.shop.until(lambda: bool(holds()), seconds)

    def running(self) -> list[dict[str, Any]]:
        done = self.shop.command("threads", "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def closed(place) -> Iterator[Closed]:
    with Beside() as beside:
        server = beside.enter(mail.opened({SUPPORT: "p4ssword"}))
        told = ACCOUNT.format(
            text=TEXT, user=SUPPORT, imap=server.imap_port, smtp=server.smtp_port, day=closed_day()
        )
        with shop_at(place, premises.settings(told, "1d")) as shop:
            shop.environ["MAIL_PASSWORD"] = "p4ssword"
            shop.start()
            made = Closed(beside, server, shop)
            made.until(lambda: made.rows(premises.WALKED) == [(1,)])
            yield made


def test_a_buyer_is_told_once_and_the_clock_runs_on(closed):
    closed.comes(letters.letter(id_="q1@mail.example", at=utcnow()))
    closed.until(lambda: closed.rows(STATES) == [("accepted", True)])

    (left,) = closed.server.taken
    told = message_from_bytes(left.raw, policy=default)
    assert left.recipients == (ANA,)
    assert (told["Auto-Submitted"], told["Subject"]) == ("auto-replied", "Automatic reply")
    closed.comes(letters.letter("And when?", In_Reply_To=told["Message-ID"], at=utcnow()))
    closed.until(
        lambda: closed.rows("select count(*) from message where party = 'buyer'") == [(2,)]
    )

    (row,) = closed.running()
    why = closed.shop.command("explain", "mail", row["thread"]).stdout
    assert row["promise"] == "webstore-mailbox-message@mail"
    assert row["acknowledged_at"] is not None
    assert "automatic acknowledgement 1: accepted" in why
    assert "is automatic: it is no answer here" in why
    assert "of working time count" in why
    assert [kind for _, kind, _ in closed.rows(SAID)] == ["automatic"]
    assert len(closed.server.taken) == 1
    assert closed.shop.total("replyby_acknowledgements_total", outcome="sent") == 1


def test_a_daemon_that_is_killed_while_the_letter_leaves_sends_no_second(closed):
    closed.server.faults.order("smtp_slow", times=1, seconds=SLOW)
    closed.comes(letters.letter(id_="q1@mail.example", at=utcnow()))
    closed.until(lambda: closed.server.taken)
    closed.shop.kill()
    closed.shop.start()
    auction_house.rows(closed.beside, closed.shop, "update reply set next_try_at = now()")
    closed.until(lambda: closed.rows(STATES) == [("unknown", True)])

    raw = closed.server.taken[0].raw
    closed.beside.run(closed.server.deliver(SUPPORT, raw, utcnow(), "Sent"))
    closed.until(lambda: closed.rows(STATES) == [("accepted", True)])
    closed.comes(letters.letter(id_="q2@mail.example", sender=BEN, at=utcnow()))
    closed.until(lambda: len(closed.rows(STATES)) == 2)
    closed.until(lambda: len(closed.server.taken) == 2)

    assert [one.recipients for one in closed.server.taken] == [(ANA,), (BEN,)]
    assert [row["account"] for row in closed.running()] == ["mail", "mail"]
    assert {(kind, origin) for _, kind, origin in closed.rows(SAID)} == {("automatic", "ours")}
    assert closed.shop.notices() == []
