"""In which language buyers write, where their marketplace does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.arrival import detecting
from core.store import messages
from sla.clock import Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.arrival.news import News
    from core.model import Message
    from core.rules import Rules
    from core.store.messages import Told


def understood(rules: Rules, account: str, found: News) -> News:
    """*found* with the language of what buyers wrote: of what is news alone, before it is stored.

    What was erased says nothing any more, and has none.
    """
    known = rules.accounts.get(account)
    prior = None if known is None else known.language
    new, changed = _spoken(found.new, prior), _spoken(found.changed, prior)
    if not (new or changed):
        return found
    return replace(found, new={**found.new, **new}, changed={**found.changed, **changed})


def _spoken(told: Mapping[str, Told], prior: str | None) -> dict[str, Told]:
    """Those of *told* of which the language is found out now."""
    return {
        id_: _in(language, one)
        for id_, one in told.items()
        if _is_open(one[-1]) and (language := detecting.language(one[-1].body, prior)) is not None
    }


def _is_open(message: Message) -> bool:
    """Whether a buyer says something in it, and nobody in which language."""
    is_theirs = message.party is Party.BUYER and message.kind is Kind.MESSAGE
    return is_theirs and message.language is None and bool(message.body or message.attachments)


def _in(language: str, told: Told) -> Told:
    """*told* as it is stored, known again by what the marketplace tells: that has not changed."""
    id_, _, digest, message = told
    message = message.model_copy(update={"language": language})
    return id_, messages.told(message)[1], digest, message
