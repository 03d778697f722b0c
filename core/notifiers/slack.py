"""Notices in a Slack channel: by an incoming webhook, or as a bot that can close what it told.

A webhook gives its messages no name, so what was told by it stands as it is. A bot (`token`, with
the scope ``chat:write``, and `channel`) is given one, and changes the message once it is answered.
Nothing but `plain_text` is shown, with ``& < >`` escaped, and runs of `rich_text`, which are taken
literally: no mention, no link but ours.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/methods/chat.postMessage
https://docs.slack.dev/reference/block-kit/block-elements/link-element
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, SecretStr, model_validator

from core.errors import NotifierError, Unfit
from core.notifiers import posting
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Notice
    from core.notifier import Means, Notifier, Words
    from core.transport.http import Answer

API = "https://slack.com/api/"
HEADER, SECTION = 150, 3000
"""The most characters in each kind of block."""

BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
PASSING = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
})  # fmt: skip
"""What may pass; so may what nobody here knows."""
NEVER = frozenset({
    "channel_not_found", "not_in_channel", "is_archived", "invalid_auth", "not_authed",
    "token_revoked", "token_expired", "account_inactive", "missing_scope", "restricted_action",
    "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "msg_too_long",
    "no_text", "invalid_blocks", "invalid_blocks_format", "ekm_access_denied", "no_permission",
    "org_login_required", "team_access_not_granted", "not_allowed_token_type", "access_denied",
    "invalid_arguments", "two_factor_setup_required", "enterprise_is_restricted",
})  # fmt: skip
CLOSED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""A person has removed it, or the workspace lets nobody change it any more: that is as it is."""


class SlackOptions(posting.PostingOptions):
    """Either *url*, an incoming webhook, or *token* and *channel*, whose `url` is the Web API."""

    kind: Literal["slack"] = "slack"
    url: posting.WebAddress = Field(default=SecretStr(API))
    token: SecretStr | None = None
    channel: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.token is None) != (self.channel is None):
            raise Unfit("token and channel go together; write both, or the url of a webhook")
        if self.token is None and self.url.get_secret_value() == API:
            raise Unfit("says nothing of where to; write url, or token and channel")
        return self


def opened(name: str, options: SlackOptions, means: Means) -> Notifier:
    """A webhook, or a bot."""
    return Slack(name, options, means) if options.token is None else SlackBot(name, options, means)


class Slack(posting.Posting):
    """Posts each notice to an incoming webhook."""

    most = SECTION

    async def send(self, notice: Notice, words: Words) -> None:
        """Post the notice.

        Raises:
            NotifierError: as `posting.post`.
        """
        await posting.post(self._http, self._url, message(notice, words), operation="slack")


class SlackBot(posting.Posting):
    """Posts each notice as a bot, and changes it when it is answered."""

    most = SECTION

    def __init__(self, name: str, options: SlackOptions, means: Means) -> None:
        super().__init__(name, options, means)
        self._channel = options.channel
        self._token = options.token.get_secret_value() if options.token else ""

    async def send(self, notice: Notice, words: Words) -> str:
        """Post the notice; how Slack calls it: the channel's id and the message's time stamp.

        Raises:
            NotifierError: as `posting.post`, and where Slack says why not.
        """
        said = {**message(notice, words), "channel": self._channel}
        told = _told(await self._call("chat.postMessage", said))
        name = (str(told.get("channel") or ""), str(told.get("ts") or ""))
        return " ".join(name) if all(name) else ""

    async def close(self, notice: Notice, words: Words, names: Sequence[str]) -> None:
        """Say in each message *names* that it is over.

        Raises:
            NotifierError: as `send`.
        """
        for name in names:
            channel, _, stamp = name.partition(" ")
            said = {**message(notice, words), "channel": channel, "ts": stamp}
            _told(await self._call("chat.update", said), CLOSED)

    async def _call(self, method: str, said: dict[str, object]) -> Answer:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self._token}",
        }
        url = f"{self._url.rstrip('/')}/{method}"
        return await posting.post(self._http, url, said, operation="slack", headers=headers)


def message(notice: Notice, words: Words) -> dict[str, object]:
    """A notice in Slack's blocks, with what shows where there are none (a phone's own notice)."""
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": _plain(words.subject, HEADER)},
        _text(words.text),
    ]
    buttons = [
        {"type": "button", "text": _plain(said, HEADER), "url": url, "action_id": f"open{n}"}
        for n, (said, url) in enumerate(posting.links(notice, words))
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    shown = {"unfurl_links": False, "unfurl_media": False}
    return {"text": escaped(words.subject), "blocks": blocks, **shown}


def _text(text: str) -> dict[str, object]:
    """The lines of a notice; where some of them lead somewhere, as text that can hold links."""
    lines = [posting.linked(line) for line in posting.cut(text, SECTION).splitlines()]
    if not any(url for _, url in lines):
        return {"type": "section", "text": _plain(text, SECTION)}
    runs: list[dict[str, object]] = []
    for said, url in lines:
        if said:
            runs.append(_run(said) if url is None else _link(said, url))
        runs.append(_run("\n"))
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": runs}]}


def _run(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


def _link(text: str, url: str) -> dict[str, object]:
    return {"type": "link", "url": url, "text": text}


def escaped(text: str) -> str:
    """*text* with what Slack would read as a mention, a link or an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str, most: int) -> dict[str, object]:
    while len(said := escaped(text)) > most:
        text = posting.cut(text, len(text) - max(1, (len(said) - most) // 5))
    return {"type": "plain_text", "text": said or "-", "emoji": False}


def _told(answer: Answer, well: frozenset[str] = frozenset()) -> dict[str, object]:
    """What Slack answered, where it says that it did what was asked, or says one of *well*."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if not isinstance(told, dict) or "ok" not in told:
        raise NotifierError("the receiver's answer cannot be read")
    if told["ok"] is True:
        return told
    why = str(told.get("error"))
    if why in well:
        return {}
    known = why if why in BUSY | PASSING | NEVER else "an error that is not known here"
    asked = answers.retry_after(answer.headers) if why in BUSY else None
    raise NotifierError(f"Slack answered {known}", permanent=why in NEVER, retry_after=asked)
