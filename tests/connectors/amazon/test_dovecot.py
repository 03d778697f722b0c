"""A shop's mailbox at a real Dovecot: certificates, STARTTLS, and many old letters."""

from __future__ import annotations

import asyncio
import re
import ssl
from datetime import timedelta

import pytest

from connectors.amazon import spec
from core.connector import Transport
from core.errors import BadCredentials, Unreachable
from core.loops import utcnow
from core.stage import Watch, walk
from core.transport.http import Http, open_session
from core.transport.mailbox import Limits, Mailboxes
from core.transport.smtp import Smtp
from tests.connectors.amazon.letters import SUPPORT
from tests.connectors.amazon.post import letter
from tests.core import dovecot

pytestmark = pytest.mark.needs("dovecot", "openssl")

OLD, RECENT = 2000, 3
QUICK = Limits(connect=5, answer=20, command=20, opening=20)


@pytest.fixture(scope="module")
def server(long_place):
    place = long_place / "dovecot-of-a-shop"
    place.mkdir()
    with dovecot.serving(place) as running:
        yield running


@pytest.fixture
async def opened(server):
    """A connector of one user: `opened("user1", port=..., trusts=False)`."""
    open_boxes = []

    async with open_session("test") as session:

        def opened(user, *, trusts=True, password=dovecot.PASSWORD, **imap):
            tls = server.trusting() if trusts else ssl.create_default_context()
            boxes = Mailboxes(QUICK, tls)
            open_boxes.append(boxes)
            told = {"host": "localhost", "port": server.tls, "tls": "tls", **imap}
            options = spec.options.model_validate({
                "user": user, "password": password, "imap": told, "smtp": told,
                "sender": SUPPORT, "marketplaces": ["A1PA6795UKMFR9"],
                "authserv_ids": ["mx.shop.example"],
            })  # fmt: skip
            return spec.open(options, Transport(Http(session, Watch()), boxes, Smtp(tls=tls)))

        opened.boxes = open_boxes
        yield opened
        for boxes in open_boxes:
            await boxes.close()


@pytest.mark.parametrize(
    ("imap", "trusts"),
    [({}, False), ({"host": "127.0.0.1"}, True), ({"tls": "starttls"}, False)],
)
async def test_a_certificate_that_is_not_good_ends_the_connection_and_says_so(
    server, opened, imap, trusts
):
    port = server.starttls if imap.get("tls") == "starttls" else server.tls
    amazon = opened("user1", trusts=trusts, port=port, **imap)

    with pytest.raises(Unreachable, match="certificate") as caught:
        await amazon.fetch("mail", None, None, utcnow())

    assert "imap.tls" in str(caught.value)
    assert dovecot.PASSWORD not in str(caught.value)


async def test_starttls_opens_it_and_a_wrong_password_does_not(server, opened):
    way = {"port": server.starttls, "tls": "starttls"}

    assert (await walk(opened("user1", **way), "mail", None, utcnow())).cursor
    with pytest.raises(BadCredentials, match="user and password"):
        await opened("user1", password="wrong", **way).fetch("mail", None, None, utcnow())


async def test_many_old_letters_cost_the_look_back_and_no_more(server, opened):
    """What the server sent is counted by itself: none of the old letters left it."""
    user, now = "user2", utcnow()
    server.boxes(user)
    for number in range(OLD):
        at = now - timedelta(days=400) + timedelta(minutes=number)
        server.drop_in(letter("old " * 400, number=number), at, user, f"{number}", "cur")
    for number in range(RECENT):
        at = now - timedelta(days=number + 1)
        server.drop_in(letter(number=OLD + number), at, user, f"{OLD + number}", "cur")
    amazon = opened(user)

    found = await walk(amazon, "mail", None, now)
    await opened.boxes[0].close()

    assert len(found.messages) == RECENT
    assert await sent_by(server, user) < 200_000


async def sent_by(server, user):
    """How many bytes the server says that it sent to *user*."""
    for _ in range(100):
        said = (server.place / "dovecot.log").read_text()
        found = re.findall(rf"imap\({user}\).*\bout=(\d+)", said)
        if found:
            return sum(map(int, found))
        await asyncio.sleep(0.05)
    raise AssertionError(said[-2000:])
