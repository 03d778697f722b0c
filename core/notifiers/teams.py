"""Notices in a Microsoft Teams channel or chat, as Adaptive Cards.

By the webhook of a workflow ("Post to a channel when a webhook request is received"), which
answers 202 once the card is taken; the connectors of Office 365 that came before are being retired.
What is shown stands in `TextRun`, which knows no Markdown: nothing in it calls anybody, or becomes
a link but by an action of ours. A card cannot be changed by this way: what was told stands as it
is.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
https://adaptivecards.io/explorer/TextRun.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, SecretStr
from yarl import URL

from core.errors import Unfit
from core.notifiers import posting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.model import Notice
    from core.notifier import Words

CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
VERSION = "1.4"
"""The newest that Teams shows on phones too."""
TEXT = 8_000
"""Characters: a message of more than 28 KB is refused, and one may take several bytes."""
RETIRED = ".webhook.office.com"


def _workflow(url: SecretStr) -> SecretStr:
    if (URL(url.get_secret_value()).host or "").endswith(RETIRED):
        raise Unfit(
            "is a connector of Office 365, which Microsoft retires; make a workflow in Teams "
            "(Post to a channel when a webhook request is received), and write its address"
        )
    return url


class TeamsOptions(posting.PostingOptions):
    """*url* is a workflow's; who has it may post: it is a secret."""

    kind: Literal["teams"] = "teams"
    url: Annotated[posting.WebAddress, AfterValidator(_workflow)]


class Teams(posting.Posting):
    """Posts each notice as a card."""

    most = TEXT

    async def send(self, notice: Notice, words: Words) -> None:
        """Post the notice.

        Raises:
            NotifierError: as `posting.post`.
        """
        await posting.post(self._http, self._url, message(notice, words), operation="teams")


def message(notice: Notice, words: Words) -> dict[str, object]:
    """A notice as the one card of a message."""
    card = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": posting.cut(words.subject, TEXT),
        "msteams": {"width": "Full"},
        "body": list(_body(words)),
        "actions": [
            {"type": "Action.OpenUrl", "title": title, "url": url}
            for title, url in posting.links(notice, words)
        ],
    }
    return {"type": "message", "attachments": [{"contentType": CARD, "content": card}]}


def _body(words: Words) -> Iterator[dict[str, object]]:
    """The subject, and a block for each line: a run knows no line breaks."""
    subject = posting.cut(words.subject, TEXT)
    yield _line({"text": subject, "weight": "Bolder", "size": "Medium"})
    for line in posting.cut(words.text, TEXT).splitlines():
        if line:
            yield {**_line(_run(line)), "spacing": "Small"}


def _run(line: str) -> dict[str, object]:
    """A line, which leads to where its address does."""
    said, url = posting.linked(line)
    opens = {"selectAction": {"type": "Action.OpenUrl", "url": url}} if url else {}
    return {"text": said, **opens}


def _line(run: dict[str, object]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run}]}
