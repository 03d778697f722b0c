"""An answer as a letter, which must really go out, and as the row by which the shop shows it. Pure.

A row that is added mails nobody (trap 13). The letter's subject carries the tags by which the shop
joins the buyer's own answer to the thread when it reads its mailbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from connectors.webstore import letters
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread
    from core.transport.outgoing import Outgoing

NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return phrase("in a shop's customer service there is nobody to answer but the buyer")
    if not thread.reply_to.get("mail"):
        return phrase(
            "this thread names no mail address of a buyer; answer in the shop's back office"
        )
    return None


def check(thread: Thread, draft: Draft) -> None:
    """Refuse what cannot be sent, before anything leaves.

    Raises:
        Refused: it says why.
    """
    letters.check(draft, refuses(thread, draft.to))


def letter(thread: Thread, draft: Draft, mail: Mail, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's words below it.

    Raises:
        Refused: it would go to nobody, or cannot be sent.
    """
    check(thread, draft)
    return letters.letter(thread, draft, mail, subject(thread), now)


def subject(thread: Thread) -> str:
    """The order, and the tags: ``#ct`` and the thread's number, ``#tc`` and its token.

    PrestaShop finds them anywhere in a subject (AdminCustomerThreadsController.php, syncImap).
    """
    words = ["Re:", *thread.order_ids[:1], f"[#ct{thread.id}]"]
    token = thread.reply_to.get("token")
    return " ".join(words) + (f"[#tc{token}]" if token else "")


def row(thread: Thread, draft: Draft, employee: int) -> bytes:
    """The row that shows it in the back office: what was written, without the words quoted."""
    fields = {
        "id_employee": str(employee),
        "id_customer_thread": thread.id,
        "message": draft.body,
        "private": "0",
        "read": "1",
    }
    told = "".join(f"<{name}>{_said(value)}</{name}>" for name, value in fields.items())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<prestashop><customer_message>{told}</customer_message></prestashop>".encode()


def _said(value: str) -> str:
    whole = value.encode("utf-8", "replace").decode()
    return escape(NO_XML.sub("\ufffd", whole), {"\r": "&#13;"})
