"""Whole letters, as bytes: what the reader of letters makes of them is understood here."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import mapping, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from core.transport import mime
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.amazon.letters import (
    ALIAS,
    ANSWER,
    ARRIVED,
    BARE,
    CASE,
    FOOTER,
    LINK,
    NOW,
    ORDER,
    QUESTION,
    SECRET,
    SENT,
    SUPPORT,
    WRAPPERS,
    options,
    wrapped,
)  # fmt: skip

DONE = "mx.shop.example; dkim=pass header.d=amazon.de"


def letter(text=None, html=None, *, sender=f'"Ada - Amazon Marketplace" <{ALIAS}>', kind=None,
           subject=f"Frage von Amazon-Kunde Ada (Bestellung: {ORDER})", **headers):  # fmt: skip
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, SUPPORT, subject
    mail["Date"] = format_datetime(SENT)
    mail["Message-ID"] = "<0102018f-1111-000000@eu-west-1.amazonses.com>"
    mail["Authentication-Results"] = DONE
    mail["X-Marketplace-ID"] = "A1PA6795UKMFR9"
    if kind:
        mail["X-Space-Notification-Type"] = kind
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    if text is not None:
        mail.set_content(text, cte="base64")
    if html is not None and text is not None:
        mail.add_alternative(html, subtype="html")
    elif html is not None:
        mail.set_content(html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def read(raw, memory=None, **more):
    found = mime.read(raw)
    told = options()
    arrival = Arrival(found, ARRIVED, trust.of(found, told.authserv_ids), **more)
    return mapping.pieces([arrival], told, memory or Memory(), NOW)


def notice(kind, html, sender="donotreply@amazon.com", subject="Notice", **headers):
    return read(
        letter(None, html, sender=f"Amazon <{sender}>", kind=kind, subject=subject, **headers)
    )


BOTH = f"<html><body># {ORDER}:<br><pre>{QUESTION}</pre><a href='{LINK}'>x</a></body></html>"


@pytest.mark.parametrize("language", WRAPPERS)
@pytest.mark.parametrize("html", [None, BOTH])
def test_a_buyers_letter_is_understood_in_every_language(language, html):
    raw = letter(wrapped(language), html, kind="BBC_MESSAGE_SENT_TO_MERCHANT", Reply_To=ALIAS)
    pieces = read(raw)
    (message,) = pieces.messages

    assert (message.body, message.thread) == (QUESTION, f"case:{CASE}")
    assert (message.sent_at, message.visible_at) == (SENT, ARRIVED)
    assert pieces.links[message.id].get_secret_value() == LINK


def test_html_alone_is_enough():
    footer = FOOTER.replace("&", "&amp;").replace("\n", "<br>")
    html = f"<p>Hello</p># {ORDER}:<br><pre>{QUESTION}</pre><p>{footer}</p>"
    pieces = read(letter(None, html, subject="Frage"))
    (message,) = pieces.messages

    assert (message.body, message.order_id) == (QUESTION, ORDER)
    assert SECRET not in message.model_dump_json()
    assert pieces.links[message.id].get_secret_value() == LINK


def test_the_envelope_may_carry_the_case():
    raw = letter(wrapped(footer=""), sender=f"Ada <{BARE}>", Delivered_To=ALIAS)

    assert read(raw).messages[0].thread == f"case:{CASE}"
    assert read(raw).threads[0].reply_to["alias"] == ALIAS


def test_a_letter_that_nobody_signed_is_suspicious():
    raw = letter(wrapped()).replace(b"dkim=pass", b"dkim=none")
    pieces = read(raw)

    assert pieces.messages[0].kind is Kind.SYSTEM
    assert pieces.set_aside[0].reason.startswith("suspicious")


COPIES = {
    "lines": "<p>------------- Iniciar mensagem -------------</p><p>{}</p>"
    "<p>------------- Mensagem final -------------</p>",
    "one line": "------------- Iniciar mensagem ------------- {} ------------- Mensagem final "
    "-------------",
    "quoted": "<p>------------- Begin message -------------</p><blockquote>{}</blockquote>"
    "<p>------------- End message -------------</p>",
    "breaks": "------------- Begin message -------------<br>{}<br>------------- End message "
    "-------------<br>",
}


@pytest.mark.parametrize("shape", COPIES)
def test_a_copy_is_understood_in_each_shape(shape):
    html = f"<div>Kopie an Ada zu {ORDER}<br>{COPIES[shape].format(ANSWER)} Gruss</div>"
    pieces = notice("BBC_MESSAGE_CONFIRMATION_TO_MERCHANT", html)
    (message,) = pieces.messages
    (verdict,) = pieces.verdicts

    assert (message.party, message.kind, message.body) == (Party.SELLER, Kind.INTERNAL, ANSWER)
    assert verdict.delivery is Delivery.CONFIRMED
    assert verdict.order_id == ORDER
    assert ANSWER in " ".join(verdict.text.split())


def test_an_opt_out_names_buyer_and_order():
    html = (
        "<h1><p>Gentile Venditore,</p><p>non siamo stati in grado di recapitare il messaggio che "
        f"hai inviato a Ada il 2026-11-22 per l'ordine [{ORDER}].</p><p>Puoi includere "
        f'[Importante] nella <a href="mailto:{BARE}?subject=3D [Importante]">e-mail</a>.</p></h1>'
    )
    pieces = notice("BUYER_OPTED_OUT_BSM_MESSAGES", html, "auto-communication@amazon.com")
    (verdict,) = pieces.verdicts

    assert (verdict.delivery, verdict.order_id) == (Delivery.REFUSED, ORDER)
    assert verdict.buyer
    assert "Ada" in verdict.text


def test_a_claim_gives_its_deadline_out_of_running_text():
    html = (
        f"<table><tr><td>Gentile Shop,<br><br>abbiamo ricevuto un reclamo di 119,00&nbsp;€ per "
        f"l'ordine {ORDER}.<br><br>Cosa devo fare?<br>Al momento nulla. Se serve altro, la "
        "contatteremo tramite e-mail. Deve rispondere entro 3 giorni di calendario. <br><br>Per "
        "maggiori informazioni: https://sellercentral.amazon.it/help/x</td></tr></table>"
    )
    pieces = notice("A_Z_CLAIM_RESPONDENT_NOTIFY", html, "atoz-guarantee-no-reply@amazon.it")
    ((thread, given),) = pieces.given

    assert thread == f"claim:{ORDER}"
    assert given.due_at == SENT + timedelta(days=3)
    assert given.sentence == "Deve rispondere entro 3 giorni di calendario."


@pytest.mark.parametrize(
    ("line", "n"), [("Autorizzato automaticamente da Amazon", 0), ("In attesa", 1)]
)
def test_a_return_is_a_dossier_unless_amazon_settled_it(line, n):
    html = (
        f"<ul><li><b>Order ID:</b> {ORDER}</li><li><b>Data della richiesta:</b> 2026-11-22</li>"
        f"<li><b>Autorizzazione:\n</b> {line}</li></ul><table><tr><th>ASIN</th><th>Motivo del reso"
        "</th></tr><tr><td>B0EXAMPLE1</td><td>Rotto</td></tr></table>"
    )
    pieces = notice("RETURN_REQUEST", html)

    assert pieces.threads[0].id == f"return:{ORDER}"
    assert len(pieces.given) == n


def test_a_bounce_is_read_from_its_report():
    report = (
        b"From: MAILER-DAEMON@mx.shop.example\r\nTo: support@shop.example\r\nSubject: failed\r\n"
        b"Message-ID: <dsn-1@mx.shop.example>\r\nReturn-Path: <>\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
        b"--r\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
        b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Final-Recipient: rfc822; "
        + ALIAS.encode()
        + b"\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--r\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <outbox-7731@shop.example>\r\n\r\n--r--\r\n"
    )
    (verdict,) = read(report).verdicts

    assert (verdict.message_id, verdict.thread) == ("outbox-7731@shop.example", f"case:{CASE}")


def test_a_letter_that_left_is_known_by_its_own_id():
    raw = letter(ANSWER, sender=f"Shop <{SUPPORT}>", subject=f"Re: Frage ({ORDER})")
    raw = raw.replace(f"To: {SUPPORT}".encode(), f"To: {ALIAS}".encode())
    (message,) = read(raw, is_sent=True).messages

    assert (message.id, message.delivery) == (
        "0102018f-1111-000000@eu-west-1.amazonses.com", Delivery.ACCEPTED,
    )  # fmt: skip
    assert message.thread == f"case:{CASE}"


def test_a_vacation_answer_of_the_buyer_asks_nothing():
    raw = letter(wrapped(), Auto_Submitted="auto-replied")

    assert read(raw).messages[0].kind is Kind.AUTOMATIC


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff", b"From: x", b"Subject: \xe9\xe8\r\n\r\n\xff" * 3, b"\n" * 1000]
)
def test_what_is_hardly_a_letter_is_kept(raw):
    pieces = read(raw)

    assert pieces.messages or pieces.set_aside


WHOLE = letter(wrapped("fr"), BOTH, kind="BBC_MESSAGE_SENT_TO_MERCHANT", Reply_To=ALIAS)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=4)), max_size=8),
    st.integers(0, len(WHOLE)),
    st.booleans(),
)
def test_a_damaged_letter_is_kept(changes, end, is_sent):
    raw = bytearray(WHOLE[: len(WHOLE) if end % 3 else end])
    for place, part in changes:
        raw[place : place + len(part)] = part
    pieces = read(bytes(raw), is_sent=is_sent)

    assert pieces.messages or pieces.set_aside
    assert LINK not in "\n".join(m.body for m in pieces.messages)
