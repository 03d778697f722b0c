"""A shop's mailbox at a real Dovecot: answers of every mail program, and folders numbered anew."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from core.connector import Transport
from core.loops import utcnow
from core.stage import Watch, walk
from core.transport.http import Http, open_session
from core.transport.mailbox import Limits, Mailboxes
from core.transport.smtp import Smtp
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox import letters
from tests.connectors.webstore.mailbox.letters import ANA, BEN, HOUR, answer, letter
from tests.core import dovecot

pytestmark = pytest.mark.needs("dovecot", "openssl")

QUICK = Limits(connect=5, answer=20, command=20, opening=20)


@pytest.fixture(scope="module")
def server(long_place):
    place = long_place / "dovecot-of-a-store"
    place.mkdir()
    with dovecot.serving(place) as running:
        yield running


@pytest.fixture
async def opened(server):
    """A connector of one user, with options of its own: `opened("user1", sent="Out")`."""
    tls = server.trusting()
    async with open_session("test") as session, Mailboxes(QUICK, tls) as boxes:

        def opened(user, **more):
            where = {"host": "localhost", "port": server.tls, "tls": "tls"}
            told = {"user": user, "password": dovecot.PASSWORD, "imap": where, "smtp": where}
            options = MailboxOptions.model_validate(letters.told(**(told | more)))
            return spec.open(options, Transport(Http(session, Watch()), boxes, Smtp(tls=tls)))

        yield opened


@pytest.mark.parametrize(
    ("user", "folder"),
    [
        ("user21", "Sent"),
        ("user22", "Sent Items"),
        ("user23", "Gesendete Objekte"),
        ("user24", "Envoy&AOk-s"),
    ],
)
async def test_an_answer_of_a_mail_program_with_a_folder_of_its_own_is_found(
    server, opened, user, folder
):
    """Beside the one that the server names: telephones and Outlook keep their own."""
    asked = utcnow() - 2 * HOUR
    server.append(letter(id_="q1@mail.example"), asked, user)
    with server.beside(user) as owner:
        assert owner.create(f'"{folder}"')[0] == "OK"
    told = answer(In_Reply_To="<q1@mail.example>")
    server.append(told, asked + HOUR, user, f'"{folder}"')
    other = answer(id_="a2@shop.example", In_Reply_To="<q1@mail.example>")
    server.append(other, asked + HOUR, user, "Gesendet")

    found = await walk(opened(user), "mail", None, utcnow())

    left = [m for m in found.messages.values() if m.party is Party.SELLER]
    assert {m.id for m in left} == {"a1@shop.example", "a2@shop.example"}
    assert {m.kind for m in left} == {Kind.MESSAGE}
    assert {m.thread for m in left} == {found.messages["q1@mail.example"].thread}


async def test_where_a_folder_for_sent_letters_is_named_no_other_is_read(server, opened):
    user, asked = "user31", utcnow() - 2 * HOUR
    with server.beside(user) as owner:
        assert owner.create("Sent")[0] == "OK"
    raw = answer(In_Reply_To="<q1@mail.example>")
    server.append(raw, asked, user, "Sent")

    assert (await walk(opened(user, sent="Gesendet"), "mail", None, utcnow())).messages == {}


async def test_trap_16_folders_numbered_anew_are_read_again_and_nothing_moves(server, opened):
    """As after a restore: the same letters under another UIDVALIDITY."""
    user, asked = "user32", utcnow() - 3 * HOUR
    server.append(letter(id_="q1@mail.example"), asked, user)
    server.append(answer(In_Reply_To="<q1@mail.example>"), asked + HOUR, user, "Gesendet")
    server.append(letter("And I?", sender=BEN, id_="q2@post.example"), asked + HOUR, user)
    connector = opened(user)
    first = await walk(connector, "mail", None, utcnow())

    for numbers in (server.place / "mail" / user).rglob("dovecot-uidlist"):
        numbers.write_text(re.sub(r"\bV\d+", "V77", numbers.read_text(), count=1))
        for index in numbers.parent.glob("dovecot.index*"):
            index.unlink()
    server.append(letter("New", sender=ANA, id_="q3@mail.example", subject="Hm"), utcnow(), user)
    second = await walk(opened(user), "mail", first.cursor, utcnow() + timedelta(seconds=1))

    again = {m.id: (m.thread, m.sent_at) for m in second.messages.values()}
    assert {m.id: (m.thread, m.sent_at) for m in first.messages.values()}.items() <= again.items()
    assert set(again) - set(first.messages) == {"q3@mail.example"}
