"""What the connector offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.connector import Capabilities, Credential, Unwelcome
from core.model import Stream
from core.options import FLOOR
from core.transport.login import is_loopback
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.amazon.options import AmazonOptions

MAIL, PERFORMANCE = "mail", "performance"

KINDS = frozenset({
    ThreadKind.MESSAGE, ThreadKind.CLAIM, ThreadKind.RETURN, ThreadKind.CANCELLATION,
    ThreadKind.DISPUTE,
})  # fmt: skip
"""What letters are about."""

SHORTEST = 1
"""How many characters an answer has at least; Amazon publishes no most for an answer by mail."""

MOST_ENCLOSED = 10 * 10**6
"""How many bytes of files an answer takes along (Seller Central: attachments up to 10 MB)."""

GUIDELINES = "sellercentral.amazon.com: Communication Guidelines"
UNWELCOME = (
    Unwelcome("link", GUIDELINES, but=frozenset({
        "amazon.com", "amazon.ca", "amazon.com.mx", "amazon.com.br", "amazon.co.uk", "amazon.de",
        "amazon.fr", "amazon.it", "amazon.es", "amazon.nl", "amazon.pl", "amazon.se",
        "amazon.com.be", "amazon.ie", "amazon.com.tr", "amazon.ae", "amazon.sa", "amazon.eg",
        "amazon.in", "amazon.co.jp", "amazon.com.au", "amazon.sg", "amazon.co.za",
    })),
    Unwelcome("address", GUIDELINES),
    Unwelcome("phone", GUIDELINES),
)  # fmt: skip
"""What messages to buyers may not hold (read 2026-11-23). A secure link that the order cannot do
without is allowed, which only a person can tell; Amazon blocks what it takes for the others."""

OPERATIONS = (
    "token", "getOrder", "getMessagingActionsForOrder", "GetAttributes", "sendMessage",
    "createUploadDestination", "putFile", "getReports", "createReport", "getReportDocument",
    "getDocument", "getMarketplaceParticipations",
)  # fmt: skip
"""The words that name our calls in metrics: SP-API's own, its nine typed messages as one. A mailbox
is asked by IMAP, which is none."""

SECRET = "client secret of SP-API"  # noqa: S105  # its name
SECRET_LASTS = timedelta(days=180)
"""After that calls fail (developer-docs.amazon.com/sp-api: rotating-your-apps-lwa-credentials,
read 2026-11-21)."""

NUMBERS = Stream(
    PERFORMANCE,
    timedelta(hours=1),
    carries_clocks=False,
    floor=timedelta(minutes=5),
    kinds=frozenset(),
    limited_alone=True,
)
"""Amazon's own numbers: looked at hourly, for nobody says when a report is made."""
PLAYED = replace(NUMBERS, every=timedelta(minutes=1), floor=timedelta(seconds=1))
"""A stand-in on this machine makes them sooner."""


def streams(options: AmazonOptions) -> tuple[Stream, ...]:
    """One for all folders, for a thread's letters lie in several and one memory joins them.

    Each page moves the cursor: what was read of a folder is read whatever becomes of the walk. With
    SP-API there is one for Amazon's own numbers too.
    """
    floor = timedelta(seconds=1) if is_loopback(options.imap.host) else FLOOR
    mail = Stream(MAIL, options.poll_every, ascending=True, floor=floor, kinds=KINDS)
    if options.sp_api is None:
        return (mail,)
    host = urlsplit(options.sp_api.base_url or "").hostname
    return mail, (PLAYED if host and is_loopback(host) else NUMBERS)


def can(options: AmazonOptions) -> Capabilities:
    """What Amazon by mail offers beyond reading.

    Its mark "no response needed" and most answers given in Seller Central are seen by nobody here.
    """
    has_api = options.sp_api is not None
    return Capabilities(
        replies=True,
        waits=True,
        reports=has_api,
        enriches=has_api,
        acts=has_api,
        unseen_mark=True,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        most_enclosed=MOST_ENCLOSED,
        unwelcome=UNWELCOME,
        verdicts=True,
        letters=True,
        confirmed_after=options.confirmed_after,
    )


def credentials(options: AmazonOptions) -> tuple[Credential, ...]:
    """The client secret, where its day is written down; it ends as that day began."""
    if options.sp_api is None or options.sp_api.secret_made_on is None:
        return ()
    made_at = datetime.combine(options.sp_api.secret_made_on, time(tzinfo=UTC))
    return (Credential(SECRET, made_at + SECRET_LASTS, made_at),)
