"""Letters as they travel, invented by a seed: Amazon's relay and notices, and answers that quote.

A buyer's letter is what the relay makes of it: a wrapper in the seller's language around the
buyer's words, as text and as HTML, under the headers that three servers and two signatures leave.
"""

from __future__ import annotations

import base64
import quopri
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
SHOP = "support@shop.example"
SERVER = "mx.shop.example"
"""Who signs the results that the benchmark believes."""

PASSES = (
    "\r\n\tdkim=pass header.d=amazon.de header.s=tk2;\r\n\tdkim=pass header.d=amazonses.com;"
    "\r\n\tspf=pass smtp.mailfrom=eu-west-1.amazonses.com;\r\n\tdmarc=pass header.from=amazon.de"
)
KILOBYTE = 1_000
SIZE = 6 * KILOBYTE
"""Bytes of a letter's text and HTML together, before they are encoded."""

GREETING, OPENS, CLOSES, SUBJECT, WORDS = range(5)
LANGUAGES = (
    ("You have received a message.", "Message:", "End message",
     "Product details inquiry from Amazon customer {name} (Order: {order})",
     "where is my parcel? The tracking has said the same thing for three days now. "),
    ("Sie haben eine Nachricht erhalten.", "Nachricht:", "Ende der Nachricht",
     "Frage von Amazon-Kunde {name} (Bestellung: {order})",
     "wo bleibt mein Päckchen? Laut Sendungsverfolgung geht es seit Tagen nicht weiter. "),
    ("Vous avez reçu un message.", "Message :", "Fin du message",
     "Demande de renseignements de la part du client Amazon {name} (Commande {order})",
     "où est mon colis ? Le suivi n'a pas changé depuis trois jours, ça m'inquiète. "),
    ("Hai ricevuto un messaggio", "Messaggio:", "Fine messaggio",
     "Richiesta di informazioni dal cliente Amazon {name} (Ordine: {order})",
     "dov'è il mio pacco? La spedizione è ferma da tre giorni, perché? "),
    ("Ha recibido un mensaje", "Message:", "Finalizar mensaje",
     "Consulta del cliente de Amazon {name} (Pedido: {order})",
     "¿dónde está mi paquete? El envío no se mueve desde hace tres días. "),
    ("You have received a message.", "Message:", "End message",
     "Inquiry from Amazon customer {name} (Order: {order})",
     "荷物はいつ届きますか。三日前から追跡の表示が変わりません。"),
)  # fmt: skip
NAMES = ("Ada", "Björn", "Chloé", "Daniele", "Elena", "花子")
TLDS = ("co.uk", "de", "fr", "it", "es", "nl")
MARKETPLACES = (
    "A1F83G8C2ARO7P", "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "APJ6JRA9NG5V4", "A1RKKUPIHCS9HS",
    "A1805IZSGTT6HS",
)  # fmt: skip
ENCODINGS = ("quoted-printable", "base64", "8bit")
LEGAL = (
    "Amazon keeps copies of all messages that are sent and received by this service for two years. "
)
NOTICES = (
    ("BBC_MESSAGE_CONFIRMATION_TO_MERCHANT", "donotreply@amazon.com", "Your e-mail to Ada",
     "------------- Begin message ------------- On its way."),
    ("BUYER_OPTED_OUT_BSM_MESSAGES", "auto-communication@amazon.com", "Not delivered",
     "We could not deliver your message to Ada. Put [Important] first."),
    ("A_Z_CLAIM_RESPONDENT_NOTIFY", "atoz-guarantee-no-reply@amazon.de", "Antrag erhalten",
     "Bitte antworten Sie innerhalb von 48 Stunden."),
    ("RETURN_REQUEST", "donotreply@amazon.com", "Return request",
     "Please respond within 24 hours."),
)  # fmt: skip
"""Type, sender, subject and begin of what Amazon itself writes."""

CELL = (
    '<tr><td style="padding:0 0 8px 0;font-family:Arial,sans-serif;font-size:13px;color:#111111">'
    "<b>&nbsp;</b>{}</td></tr>\n"
)


class Buyer(NamedTuple):
    """Who writes, in which language, about which order."""

    alias: str
    name: str
    language: int
    order: str


def buyer(draw: random.Random, *, has_case: bool = True) -> Buyer:
    """Somebody; without a case the relay address alone is known."""
    language = draw.randrange(len(LANGUAGES))
    local = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=15))
    case = f"+{UUID(int=draw.getrandbits(128))}" if has_case else ""
    order = f"302-{draw.randrange(10**7):07}-{draw.randrange(10**7):07}"
    alias = f"{local}{case}@marketplace.amazon.{TLDS[language]}"
    return Buyer(alias, NAMES[language], language, order)


def buyers(
    count: int, size: int = SIZE, *, seed: int = 5, has_case: bool = True, has_order: bool = True
) -> list[bytes]:
    """*count* buyers' letters, each with *size* bytes of text and HTML."""
    draw = random.Random(seed)
    return [
        question(draw, buyer(draw, has_case=has_case), size, has_order=has_order)
        for _ in range(count)
    ]


def question(draw: random.Random, who: Buyer, size: int = SIZE, *, has_order: bool = True) -> bytes:
    """A buyer's letter: two fifths of *size* are text, a quarter of that the buyer's words."""
    said = LANGUAGES[who.language]
    subject = said[SUBJECT].format(name=who.name, order=who.order)
    if not has_order:
        subject = subject.partition("(")[0]
    words = _filled(said[WORDS], size // 10)
    about = f"# {who.order}:\n1 / Steel bottle 750 ml [ASIN: B0EXAMPLE1]\n\n" if has_order else ""
    begin, end = (f"------------- {said[each]} -------------" for each in (OPENS, CLOSES))
    text = f"{said[GREETING]}\n\n{about}{begin}\n\n{words}\n\n{end}\n\n"
    text += _filled(f"{_footer(draw, who)}{LEGAL}", 2 * size // 5 - len(text.encode()))
    html = f"<html><body><p>{said[GREETING]}</p><pre>{words}</pre><table>\n"
    room = size - len(text.encode()) - len(html.encode())
    html += "".join(CELL.format(LEGAL) for _ in range(room // len(CELL.format(LEGAL))))
    kind = "BBC_MESSAGE_SENT_TO_MERCHANT"
    sender = f"{_word(f'{who.name} - Amazon Marketplace')} <{who.alias}>"
    return _relayed(draw, sender, subject, kind, who, (text, f"{html}</table></body></html>\n"))


def _footer(draw: random.Random, who: Buyer) -> str:
    host = f"https://sellercentral.amazon.{TLDS[who.language]}"
    return (
        f"Solve case {host}/messaging/no-response-needed?t=A1T&m=A1M"
        f"&mp={MARKETPLACES[who.language]}&c=ASELLER&h={draw.getrandbits(160):040x}&s=1\n\n"
        f"Was this helpful? {host}/gp/satisfaction/survey-form.html"
        "?customAttribute1Value=BBC_MESSAGE_SENT_TO_MERCHANT\n[commMgrTok:AX0TOKEN]\n"
        "SPC-EUAmazon-1935142136520000\n"
    )


def notices(count: int, *, seed: int = 6) -> list[bytes]:
    """What else Amazon writes: copies (HTML alone), opt-outs, claims, returns, by turns."""
    draw = random.Random(seed)
    return [_notice(draw, buyer(draw), turn) for turn in range(count)]


def _notice(draw: random.Random, who: Buyer, turn: int) -> bytes:
    kind, sender, subject, said = NOTICES[turn % len(NOTICES)]
    cells = (
        f"Order # {who.order}",
        f"{said} {LEGAL * 8}",
        "------------- End message -------------",
    )
    html = f"<html><body><table>{''.join(map(CELL.format, cells))}</table></body></html>"
    return _relayed(draw, f"Amazon <{sender}>", subject, kind, who, (None, html))


def _relayed(
    draw: random.Random,
    sender: str,
    subject: str,
    kind: str,
    who: Buyer,
    bodies: tuple[str | None, str],
) -> bytes:
    """The letter under the headers of its way: the shop's servers, a signature of Amazon's."""
    at = format_datetime(AT + timedelta(seconds=draw.randrange(86_400)))
    key = f"{draw.getrandbits(128):032x}"
    signature = base64.b64encode(draw.randbytes(256)).decode()
    head = [
        f"Return-Path: <{key}-000000@eu-west-1.amazonses.com>",
        f"Delivered-To: {SHOP}",
        *(f"Received: from host{hop}.example (host{hop}.example [192.0.2.{hop}])\r\n"
          f"\tby {SERVER} with ESMTPS id {key}{hop};\r\n\t{at}" for hop in (1, 2, 3)),
        f"Authentication-Results: {SERVER};{PASSES}",
        *(f"DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=relaxed/simple;\r\n\td={domain};"
          f" t=1795334651; h=Date:From:Reply-To:To:Message-ID:Subject;\r\n\tbh={signature[:44]};"
          f"\r\n\tb={signature}" for domain in ("amazon.de", "amazonses.com")),
        f"Date: {at}",
        f"From: {sender}",
        f"Reply-To: {who.alias if 'marketplace' in sender else sender}",
        f"To: {SHOP}",
        f"Message-ID: <{key}-000000@eu-west-1.amazonses.com>",
        f"Subject: {_word(subject)}",
        f"X-Space-Notification-Type: {kind}",
        f"X-Marketplace-ID: {MARKETPLACES[who.language]}",
        "Feedback-ID: ::1.eu-west-1.abc:AmazonSES",
        "X-SES-Outgoing: 2026.11.22-54.240.1.1",
    ]  # fmt: skip
    return "\r\n".join([*head, *_alternative(draw, *bodies)]).encode()


def _alternative(draw: random.Random, text: str | None, html: str) -> Iterator[str]:
    """The content and the last headers: text and HTML, or HTML alone."""
    how = draw.choices(ENCODINGS, (6, 2, 2))[0]
    if text is None:
        yield from ("MIME-Version: 1.0", *_part(html, "html", how))
        return
    mark = f"=_Part_{draw.getrandbits(48):x}"
    yield from ("MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{mark}"', "")
    for said, kind in ((text, "plain"), (html, "html")):
        yield f"--{mark}"
        yield from _part(said, kind, how)
    yield f"--{mark}--\r\n"


def _part(said: str, kind: str, how: str) -> tuple[str, ...]:
    if how == "8bit":
        told = said
    else:
        encode = quopri.encodestring if how == "quoted-printable" else base64.encodebytes
        told = encode(said.encode()).decode()
    head = f"Content-Type: text/{kind}; charset=UTF-8", f"Content-Transfer-Encoding: {how}", ""
    return (*head, told.replace("\n", "\r\n"))


def _word(said: str) -> str:
    """*said* as a header takes it: encoded where it is not ASCII."""
    return said if said.isascii() else f"=?UTF-8?B?{base64.b64encode(said.encode()).decode()}?="


def _filled(said: str, size: int) -> str:
    """*said* again and again, about *size* bytes of it, once at least; a line is a sentence."""
    times = max(1, size // len(said.encode()))
    return "\n".join([said] * times)


# Answers that quote ---------------------------------------------------------------------------

HEADS = (
    "On Sat, 21 Nov 2026 at 18:04, Ada - Amazon Marketplace <{alias}> wrote:",
    "Am 21.11.2026 um 18:04 schrieb Ada - Amazon Marketplace <{alias}>:",
    "Le sam. 21 nov. 2026 à 18:04, Ada <{alias}> a écrit :",
    "Il giorno sab 21 nov 2026 alle ore 18:04 Ada <{alias}> ha scritto:",
    "El sáb, 21 nov 2026 a las 18:04, Ada (<{alias}>) escribió:",
    "Op za 21 nov 2026 om 18:04 schreef Ada <{alias}>:",
    "-----Original Message-----\nFrom: Ada <{alias}>\nSent: 21 November 2026\nSubject: Frage",
    f"{'_' * 32}\nVon: Ada <{{alias}}>\nGesendet: 21. November 2026\nAn: Shop\nBetreff: Frage",
    "2026年11月21日(土) 18:04 Ada <{alias}>:",
)  # fmt: skip
"""How mail programs introduce what they quote."""

ANSWER = (
    "Hello,\n\nyour parcel left us on Monday; here is what the carrier says:\n\n"
    "- picked up: Monday\n- in the depot: Tuesday\n\nNote: nothing else is known yet.\n\n"
    "Kind regards\nYour shop\n"
)


def answers(count: int, size: int = SIZE, *, seed: int = 7) -> list[bytes]:
    """*count* letters that left for buyers, each above what it answers, quoted by turns."""
    draw = random.Random(seed)
    return [_answer(draw, buyer(draw), turn, size) for turn in range(count)]


def _answer(draw: random.Random, who: Buyer, turn: int, size: int) -> bytes:
    head = HEADS[turn % len(HEADS)].format(alias=who.alias)
    quoted = _filled(LANGUAGES[who.language][WORDS], max(0, size - len(ANSWER) - len(head)))
    lines: Sequence[str] = quoted.split("\n")
    if head.endswith(":"):
        lines = [f"> {line}" for line in lines]
    text = "\n".join([ANSWER, head, "", *lines, ""])
    subject = LANGUAGES[who.language][SUBJECT].format(name=who.name, order=who.order)
    headers = [
        f"Date: {format_datetime(AT)}",
        f"From: Shop Support <{SHOP}>",
        f"To: {who.alias}",
        f"Message-ID: <{draw.getrandbits(128):032x}@shop.example>",
        f"In-Reply-To: <{draw.getrandbits(128):032x}-000000@eu-west-1.amazonses.com>",
        f"Subject: {_word(f'Re: {subject}')}",
        "MIME-Version: 1.0",
    ]
    how = draw.choices(ENCODINGS, (6, 2, 2))[0]
    return "\r\n".join([*headers, *_part(text, "plain", how)]).encode()
