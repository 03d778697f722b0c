"""Composed letters in the shapes that Amazon uses; names, ids, addresses, tokens are invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.amazon.letter import Arrival
from connectors.amazon.options import AmazonOptions
from core.transport.mime import Address, Mail, Report

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SENT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ARRIVED = SENT + timedelta(minutes=4)
ORDER = "302-1234567-1234567"
OTHER_ORDER = "302-7654321-7654321"
LOCAL = "k3v9q2m7t1x4b8z"
CASE = "5f0c2a1e-7b6d-4c3f-9a2e-1d0b8c7f6e5a"
OTHER_CASE = "9b1d4c77-0a2f-4e58-8c31-77aa00cc11ee"
BARE = f"{LOCAL}@marketplace.amazon.de"
ALIAS = f"{LOCAL}+{CASE}@marketplace.amazon.de"
SUPPORT = "support@shop.example"
SECRET = "0123456789abcdef0123456789abcdef01234567"
LINK = (
    "https://sellercentral.amazon.de/messaging/no-response-needed"
    f"?t=A1T&m=A1M&mp=A1PA6795UKMFR9&c=ASELLER&h={SECRET}&s=1"
)
OLD_LINK = (
    "https://sellercentral.amazon.de/gp/communication-manager/no-response-needed.html"
    f"?msg=A1M&d=1&mp=A1PA6795UKMFR9&v=1&t={SECRET}"
)
QUESTION = "Guten Tag,\nwann kommt mein Paket? Rufen Sie 0301234567 an."

# Every opening and closing line of the facts, with the language of the seller's wrapper.
WRAPPERS = {
    "en": ("You have received a message.", "Message:", "End message"),
    "en old": ("You have received a message.", "Begin message", "End message"),
    "de": ("Sie haben eine Nachricht erhalten.", "Nachricht:", "Ende der Nachricht"),
    "de old": ("Sie haben eine Nachricht erhalten.", "Anfang der Nachricht", "Ende der Nachricht"),
    "fr": ("Vous avez reçu un message.", "Message :", "Fin du message"),
    "fr old": ("Vous avez reçu un message.", "Début du message", "Fin du message"),
    "fr mojibake": ("Vous avez reÃ§u un message.", "DÃ©but du message", "Fin du message"),
    "it": ("Hai ricevuto un messaggio", "Messaggio:", "Fine messaggio"),
    "it old": ("Hai ricevuto un messaggio", "Inizio messaggio", "Fine messaggio"),
    "es": ("Ha recibido un mensaje", "Message:", "Finalizar mensaje"),
    "es old": ("Ha recibido un mensaje", "Iniciar mensaje", "Finalizar mensaje"),
    "ja": ("メッセージが届きました。", "メッセージはここから", "メッセージはここまで"),
    "pt": ("Você recebeu uma mensagem", "Mensagem:  ", "Encerrar mensagem"),
    "ca": ("You have received a message.", "Begin message / Début du message",
           "End message / Fin du message"),
}  # fmt: skip

SUBJECTS = {
    "en": "Product details inquiry from Amazon customer Ada (Order: {order})",
    "en uk": "Order delivery enquiry from Amazon customer Ada (Order: {order})",
    "en cancel": "Inquiry from Amazon customer Ada (Order: {order})",
    "de": "Frage von Amazon-Kunde Ada (Bestellung: {order})",
    "de close": "Paket nicht angekommen: Gutschrift anfordern(Bestellung: {order})",
    "fr": "Demande de renseignements de la part du client Amazon Ada (Commande {order})",
    "ja": "Amazonのカスタマー Ada 様から商品に関するお問い合わせ(注文: {order})",
    "nl": "Factuuraanvraag van Amazon-klant Ada (Bestelling: {order})",
    "pt": "Detalhes do produto Amazon Ada pergunta do cliente",
}

FOOTER = (
    f"Solve case {LINK}\n\nReport https://sellercentral.amazon.de/messaging/inbox"
    f"?fi=caseId&ss={CASE}&cc={CASE}\n\nWas this helpful? https://sellercentral.amazon.de/gp/"
    "satisfaction/survey-form.html?customAttribute1Value=BBC_MESSAGE_SENT_TO_MERCHANT\n"
    "[commMgrTok:AX0TOKEN]\nSPC-EUAmazon-1935142136520000\n"
    "All messages are retained for two years."
)


def options(**more):
    told = {
        "user": SUPPORT,
        "password": "p4ssw0rd",
        "imap": {"host": "127.0.0.1", "port": 993},
        "smtp": {"host": "127.0.0.1", "port": 465},
        "sender": SUPPORT,
        "marketplaces": ["A1PA6795UKMFR9"],
        "authserv_ids": ["mx.shop.example"],
    }
    return AmazonOptions.model_validate({**told, **more})


def mail(text="", *, sender=ALIAS, name="Ada - Amazon Marketplace", kind=None, **more):
    """A letter; *kind* is Amazon's header, *headers* are more of them."""
    headers = {"x-marketplace-id": ("A1PA6795UKMFR9",)}
    headers |= {"x-space-notification-type": (kind,)} if kind else {}
    headers |= {key: (value,) for key, value in more.pop("headers", {}).items()}
    reply_to = more.pop("reply_to", None)
    told = {
        "message_id": "0102018f-1111-000000@eu-west-1.amazonses.com",
        "headers": headers,
        "sender": Address(name, sender) if sender else None,
        "reply_to": (Address("", reply_to),) if reply_to else (),
        "to": (Address("", SUPPORT),),
        "envelope": (SUPPORT,),
        "subject": SUBJECTS["de"].format(order=ORDER),
        "date": SENT,
        "text": text,
        "html": None,
    }
    return Mail(**{**told, **more})


def wrapped(language="en", words=QUESTION, order=ORDER, footer=FOOTER):
    greeting, opens, closes = WRAPPERS[language]
    line = f"# {order}:\n1 / Steel bottle 750 ml [ASIN: B0EXAMPLE1]\n\n" if order else ""
    begin, end = (f"------------- {one} -------------" for one in (opens, closes))
    return f"{greeting}\n\n{line}{begin}\n\n{words}\n\n{end}\n\n{footer}"


def question(language="en", words=QUESTION, order=ORDER, **more):
    told = {"kind": "BBC_MESSAGE_SENT_TO_MERCHANT", "reply_to": more.get("sender", ALIAS)}
    return mail(wrapped(language, words, order), **{**told, **more})


def notice(kind, text, *, sender="donotreply@amazon.com", subject="", name="Amazon.de", **more):
    told = {"message_id": f"{kind}-1@eu-west-1.amazonses.com", "reply_to": sender}
    return mail(text, sender=sender, name=name, kind=kind, subject=subject, **{**told, **more})


ANSWER = "Guten Tag Ada, Ihr Paket kommt am Montag. Viele Grüße vom Shop."


def copy(order=ORDER, words=ANSWER, **more):
    told = {"subject": "Ihre E-Mail an Ada", "date": SENT + timedelta(hours=1)}
    line = f"# {order}: " if order else ""
    text = (
        f"Hallo Shop, hier ist eine Kopie Ihrer E-Mail an Ada. {line}"
        f"------------- Iniciar mensagem ------------- {words} "
        "------------- Mensagem final ------------- [commMgrTok:AX0TOKEN]"
    )
    return notice("BBC_MESSAGE_CONFIRMATION_TO_MERCHANT", text, **{**told, **more})


def opt_out(order=ORDER, **more):
    text = (
        f"Dear Seller, we could not deliver the message that you sent to Ada for order [{order}], "
        "because the buyer opted out. Put [Important] into the subject."
    )
    html = f'<a href="mailto:{BARE}?subject=%5BImportant%5D">e-mail</a>'
    told = {
        "sender": "auto-communication@amazon.com",
        "subject": "Your message to the buyer was not delivered.",
        "html": html,
        "date": SENT + timedelta(hours=1, seconds=30),
    }
    return notice("BUYER_OPTED_OUT_BSM_MESSAGES", text, **{**told, **more})


CLAIMS = {
    "it": ("Deve rispondere entro 3 giorni di calendario.", timedelta(days=3)),
    "en": ("You must respond within 72 hours.", timedelta(hours=72)),
    "en word": ("Please respond to this claim within three calendar days.", timedelta(days=3)),
    "de": ("Bitte antworten Sie innerhalb von 48 Stunden.", timedelta(hours=48)),
    "fr": ("Vous devez répondre dans un délai de 3 jours calendaires.", timedelta(days=3)),
    "es": ("Debe responder en un plazo de 3 días naturales.", timedelta(days=3)),
    "pt": ("Você deve responder em até 3 dias corridos.", timedelta(days=3)),
    "nl": ("U moet binnen 3 dagen reageren of antwoorden.", timedelta(days=3)),
    "ja": ("3日以内にご返信ください。", timedelta(days=3)),
}


def claim(sentence="", order=ORDER, **more):
    text = (
        f"Dear seller,\nwe received a claim of 119,00 EUR for order {order}.\nWhat must I do?\n"
        f"Nothing for now. If we need more we will write to you. {sentence}\n"
        "Amazon.de\nSPC-EUAmazon-1530521873026036"
    )
    told = {
        "sender": "atoz-guarantee-no-reply@amazon.de",
        "subject": f"Antrag erhalten: Bestellung {order}",
    }
    return notice("A_Z_CLAIM_RESPONDENT_NOTIFY", text, **{**told, **more})


def sent(to=ALIAS, words=ANSWER, **more):
    told = {
        "sender": SUPPORT,
        "name": "Shop Support",
        "to": (Address("", to),),
        "message_id": "outbox-7731@shop.example",
        "subject": f"Re: {SUBJECTS['de'].format(order=ORDER)}",
        "headers": {"in-reply-to": "<0102018f-1111-000000@eu-west-1.amazonses.com>"},
        "date": SENT + timedelta(minutes=50),
    }
    return mail(words, **{**told, **more})


def bounce(action="failed", recipient=ALIAS, of="outbox-7731@shop.example", **more):
    told = {
        "sender": "MAILER-DAEMON@mx.shop.example",
        "name": "Mail Delivery System",
        "subject": "Undelivered Mail Returned to Sender",
        "message_id": "dsn-1@mx.shop.example",
        "reports": (Report(of, recipient, action, "5.1.1" if action == "failed" else "4.4.1"),),
        "automatic": "bounce" if action == "failed" else "delayed",
    }
    return mail("I could not deliver your message.", **{**told, **more})


def arrival(letter, *, at=ARRIVED, trusted=True, is_sent=False):
    return Arrival(letter, at, trusted, is_sent)
