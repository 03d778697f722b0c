"""Which folder is for what: by what the server says (RFC 6154), then by name. Pure."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.transport.imap_client import Listed

Role = Literal["inbox", "sent", "junk"]

USES: Mapping[Role, str] = {"sent": "\\sent", "junk": "\\junk"}
NEVER = {"\\noselect", "\\nonexistent", "\\all", "\\flagged", "\\trash", "\\drafts"}
# Where a mailbox keeps its own folders; a folder "Sent" elsewhere is somebody else's.
HOMES = {"", "inbox", "[gmail]", "[google mail]"}

NAMES: Mapping[Role, tuple[str, ...]] = {
    "sent": (
        "sent", "sent items", "sent messages", "sent mail", "sent-mail", "outbox sent",
        "gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten",
        "envoyés", "éléments envoyés", "messages envoyés", "courrier envoyé", "objets envoyés",
        "enviados", "elementos enviados", "mensajes enviados", "correo enviado", "enviadas",
        "itens enviados", "mensagens enviadas", "e-mails enviados",
        "inviati", "posta inviata", "elementi inviati", "messaggi inviati",
        "verzonden", "verzonden items", "verzonden berichten", "verzonden objecten",
        "wysłane", "elementy wysłane", "skickat", "skickade objekt", "skickade", "sendt",
        "sendt post", "sendte elementer", "sendte", "lähetetyt", "lähetetyt viestit",
        "odeslaná pošta", "odeslané", "odoslané", "odoslaná pošta", "elküldött elemek",
        "elküldött", "trimise", "elemente trimise", "gönderilmiş öğeler", "gönderilmiş postalar",
        "gönderilenler", "gönderilmiş", "отправленные", "надіслані", "изпратени",
        "απεσταλμένα", "送信済みアイテム", "送信済みメール", "送信済み", "보낸 편지함",
        "보낸편지함",
        "已发送", "已发送邮件", "已傳送郵件", "寄件備份", "البريد المرسل", "العناصر المرسلة",
    ),
    "junk": (
        "junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail", "bulk",
        "spamverdacht", "werbung", "unerwünscht", "unerwünschte werbung",
        "courrier indésirable", "indésirables", "pourriel", "pourriels",
        "correo no deseado", "no deseado", "correo basura", "lixo eletrônico", "lixo eletrónico",
        "lixo electrónico", "correio não solicitado", "posta indesiderata", "indesiderata",
        "posta non desiderata", "ongewenste e-mail", "ongewenst", "ongewenste reclame", "reclame",
        "wiadomości-śmieci", "niechciane", "skräppost", "skräp", "uønsket e-post", "søppelpost",
        "uønsket mail", "uønsket post", "roskaposti", "nevyžádaná pošta", "nevyžiadaná pošta",
        "levélszemét", "mesaje nedorite", "önemsiz", "önemsiz e-posta", "gereksiz", "спам",
        "нежелательная почта", "небажана пошта", "ανεπιθύμητα", "ανεπιθύμητη αλληλογραφία",
        "迷惑メール", "정크 메일", "정크메일", "스팸메일함", "스팸함", "垃圾邮件", "垃圾郵件",
        "البريد العشوائي", "البريد غير الهام",
    ),
}  # fmt: skip


def roles(listed: Iterable[Listed]) -> dict[Role, str]:
    """The folders to read by what they are for; one that is not there is left out.

    The inbox is always there and always called so (RFC 3501, 5.1).
    """
    readable = [each for each in listed if not each.flags & NEVER]
    found: dict[Role, str] = {"inbox": "INBOX"}
    for role, use in USES.items():
        named = next((each.name for each in readable if use in each.flags), None)
        named = named or _by_name(readable, NAMES[role])
        if named is not None:
            found[role] = named
    return found


def named(listed: Iterable[Listed], role: Role) -> tuple[str, ...]:
    """All folders of the mailbox's own that are called as those for *role* are, in any language.

    Each mail program keeps what it sends in a folder of its own, whatever the server names.
    """
    readable = (each for each in listed if not each.flags & NEVER)
    return tuple(each.name for each in readable if _own_name(each) in NAMED[role])


def _by_name(listed: Iterable[Listed], names: tuple[str, ...]) -> str | None:
    """The folder with the first of these *names*."""
    at_home = {_own_name(each): each.name for each in listed}
    return next((at_home[name] for name in map(_plain, names) if name in at_home), None)


def _own_name(listed: Listed) -> str:
    """The folder's name without those that it lies in, empty where these are not the mailbox's."""
    home, _, name = (
        listed.name.rpartition(listed.delimiter) if listed.delimiter else ("", "", listed.name)
    )
    return _plain(name) if _plain(home) in HOMES else ""


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


NAMED = {role: frozenset(map(_plain, names)) for role, names in NAMES.items()}
