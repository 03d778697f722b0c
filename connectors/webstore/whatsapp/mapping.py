"""What of a push becomes ours. Pure: all knowledge of WhatsApp's words is here.

One address may be told of several numbers: each change says of which. A part that cannot be read is
set aside, its neighbours are read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from connectors.webstore import orders
from connectors.webstore.meta import envelope, refusals, window
from connectors.webstore.meta.envelope import Told
from connectors.webstore.whatsapp import content, identity, offer
from connectors.webstore.whatsapp.identity import Person
from connectors.webstore.whatsapp.payload import Place, Value
from core.model import MAX_LINE, Message, Page, SetAside, Thread, Verdict
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.webstore.meta.envelope import Envelope
    from connectors.webstore.whatsapp.payload import Contact, Echo, Entry, Incoming, Status

ARRIVED = frozenset({"delivered", "read", "played"})
"""What proves that a reply is there; ``sent`` proves that it has left."""

UNKNOWN = "unknown: a type of message that is not documented; it waits as any other"
KEYS = ("id",)


def told(
    found: Envelope,
    homes: Mapping[str, str],
    own: str,
    now: datetime,
    patterns: Mapping[str, str | None] | None = None,
) -> Told:
    """What *found* holds for the accounts in *homes*, by number; *own* keeps what is nobody's.

    *patterns* find the orders that people name, by account.
    """
    finds = patterns or {}
    result, gathered = Told(), dict[str, _Gathered]()
    odd = list(found.aside)
    for change in _changes(found.entries, odd):
        if str(change.get("field")) not in offer.FIELDS:
            result.topics.add(offer.MORE)
            continue
        value = change.get("value")
        number = _number(value)
        if number is None:
            odd.append(salvage.set_aside("", "metadata: no number", change))
            continue
        account = homes.get(number)
        if account is None:
            result.strange += 1
            continue
        page = gathered.setdefault(account, _Gathered(now, finds.get(account)))
        result.topics |= page.add(value)
    if odd:
        gathered.setdefault(own, _Gathered(now)).aside += odd
    result.pages = {account: page.page() for account, page in gathered.items() if page.has_any}
    return result


def _changes(entries: Sequence[Mapping[str, Any]], odd: list[SetAside]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        fit, aside = envelope.objects(entry.get("changes"), "changes")
        odd += aside
        yield from fit


def _number(value: Any) -> str | None:
    try:
        return Place.model_validate(value).metadata.phone_number_id
    except ValidationError:
        return None


@dataclass(slots=True)
class _Gathered:
    """What one account is told."""

    now: datetime
    pattern: str | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)

    @property
    def has_any(self) -> bool:
        return bool(self.messages or self.threads or self.verdicts or self.aside)

    def page(self) -> Page:
        return Page(
            messages=tuple(self.messages.values()),
            threads=tuple(self.threads.values()),
            verdicts=tuple(self.verdicts.values()),
            set_aside=tuple(self.aside),
        )

    def add(self, value: Any) -> set[str]:
        """Take in what a change holds; the topics that are in it."""
        try:
            read = salvage.read(Value, value, KEYS)
        except ValidationError:
            self.aside.append(salvage.set_aside("", "value: misshapen", value))
            return {offer.MORE}
        self.aside += [_nameless(one) for one in read.aside]
        said = read.value
        for one in said.messages or ():
            self._asked(one, said)
        for echo in said.echoes or ():
            self._answered(echo, said)
        for status in said.statuses or ():
            self._became(status, said)
        lists = {
            offer.MESSAGES: said.messages, offer.ECHOES: said.echoes,
            offer.STATUSES: said.statuses,
        }  # fmt: skip
        return {topic for topic, listed in lists.items() if listed} or {offer.MORE}

    def _asked(self, one: Incoming, beside: Value) -> None:
        """A message of the buyer's; one that asks nothing moves no window."""
        who = Person(*beside.both(one.sender, one.sender_user), one.group or "")
        at = window.dated(envelope.instant(one.timestamp), self.now)
        asks = content.asks(one)
        if asks and one.type not in content.KNOWN:
            raw = json.dumps(one.model_dump(), default=str).encode()
            self.aside.append(SetAside(identity.message_id(one.id), UNKNOWN, raw))
        said = self._say(one, who, Party.BUYER, Kind.MESSAGE if asks else Kind.SYSTEM)
        named = orders.named([said.body], self.pattern) if asks else ()
        name = _shown(who, beside.contacts or ())
        self._state(who, name, at or self.now if asks else None, named)

    def _answered(self, one: Echo, beside: Value) -> None:
        """What somebody wrote in the app: an answer given elsewhere."""
        who = Person(*beside.both(one.to, one.to_user), one.group or "")
        says = content.asks(one)
        self._say(one, who, Party.SELLER, Kind.MESSAGE if says else Kind.SYSTEM)
        self._state(who, "", None)

    def _say(self, one: Entry, who: Person, party: Party, kind: Kind) -> Message:
        said, is_ours = content.said(one), party is Party.SELLER
        message = Message(
            id=identity.message_id(one.id),
            thread=who.thread,
            party=party,
            kind=kind,
            to=frozenset({Party.BUYER if is_ours else Party.SELLER}),
            delivery=Delivery.CONFIRMED if is_ours else None,
            sent_at=envelope.instant(one.timestamp),
            body=said.body,
            attachments=said.files,
        )
        self.messages[message.id] = message
        return message

    def _state(
        self, who: Person, name: str, asked_at: datetime | None, named: tuple[str, ...] = ()
    ) -> None:
        """The chat as it is told here; what does not ask gives way to any other state.

        It is about the orders that were *named* last.
        """
        thread = Thread(
            id=who.thread,
            kind=ThreadKind.CHAT,
            buyer=name[:MAX_LINE],
            order_ids=named,
            as_of=window.FAINT if asked_at is None else asked_at,
            reply_to={"kind": "whatsapp", **_reached(who), **window.kept(asked_at)},
        )
        self.threads[thread.id] = orders.newest(self.threads.get(thread.id), thread)

    def _became(self, status: Status, beside: Value) -> None:
        """What became of a message of ours, which is known by its mark.

        It is documented to come with what left and what arrived; so what failed counts without it
        too, unless it bears another's mark, or befalls templates alone.
        """
        at = envelope.instant(status.timestamp) or self.now
        mark, sent = status.mark or "", identity.message_id(status.id)
        is_ours = mark.startswith(identity.MARK)
        if is_ours and status.status in ARRIVED:
            self._judge(sent, Delivery.CONFIRMED, at, status)
        if is_ours and status.status in {"sent", *ARRIVED}:
            self._judge(mark, Delivery.CONFIRMED, at, status)
        if status.status == "failed" and (is_ours or (not mark and not _is_templates(status))):
            self._judge(sent, Delivery.REFUSED, at, status)
            self._explain(status, Person(*beside.both(status.recipient, status.recipient_user)), at)

    def _judge(self, message: str, how: Delivery, at: datetime, status: Status) -> None:
        id_ = f"{message}/{status.status}"
        if len(message) <= MOST_MARK and "\0" not in message:
            self.verdicts[id_] = Verdict(id_, how, at, message_id=message)

    def _explain(self, status: Status, who: Person, at: datetime) -> None:
        """Why it failed, in our words, as a line of the chat."""
        if not (who.phone or who.user):
            return
        why = refusals.words(_code(status)) or "Meta does not say why"
        self._state(who, "", None)
        id_ = f"{identity.message_id(status.id)}/failed"
        self.messages[id_] = Message(
            id=id_,
            thread=who.thread,
            party=Party.MARKETPLACE,
            kind=Kind.SYSTEM,
            to=frozenset({Party.SELLER}),
            sent_at=at,
            body=f"A reply was not delivered: {why}.",
        )


MOST_MARK = 512
"""Characters of a mark (Cloud API: ``biz_opaque_callback_data``)."""


def _reached(who: Person) -> dict[str, str]:
    """How they are answered, and by what other accounts know them."""
    told = {"to": who.phone, "user": who.user, "group": who.group, "phone": who.e164}
    return {name: value for name, value in told.items() if value}


def _shown(who: Person, contacts: Sequence[Contact]) -> str:
    """The name that is shown: what they call themselves, else how they are reached."""
    theirs = [c for c in contacts if who.phone and c.wa_id == who.phone]
    theirs += [c for c in contacts if who.user and c.user_id == who.user]
    profile = next((one.profile for one in theirs if one.profile is not None), None)
    if profile is not None and profile.name:
        return profile.name
    if profile is not None and profile.username:
        return f"@{profile.username}"
    return who.e164


def _code(status: Status) -> refusals.Code | None:
    errors = [one for one in status.errors or () if isinstance(one, dict)]
    return refusals.read(errors[0]) if errors else None


def _is_templates(status: Status) -> bool:
    code = _code(status)
    return code is not None and code.code in refusals.TEMPLATES


def _nameless(one: SetAside) -> SetAside:
    """*one* by a digest of its id, in which a number may stand."""
    return SetAside(identity.message_id(one.source_id), one.reason, one.raw, one.quiet)
