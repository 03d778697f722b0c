"""The keys of notices: one shape for each thing that is told once. Rule: clock.md, section 7."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from core.told import CLOSING, OPENING, NoticeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from core.told import Notice

_TROUBLES: Mapping[NoticeKind, str] = {
    NoticeKind.BLIND: "reading",
    NoticeKind.ACCOUNT_DOWN: "reading",
    NoticeKind.ACCOUNT_UP: "reading",
    NoticeKind.PUSH_SILENT: "pushes",
    NoticeKind.PUSH_HEARD: "pushes",
    NoticeKind.DISK_LOW: "disk",
    NoticeKind.DISK_FREED: "disk",
}
_ENDS = CLOSING | {NoticeKind.ACCOUNT_UP, NoticeKind.PUSH_HEARD, NoticeKind.DISK_FREED}


def step(clock: int, revision: int, number: int) -> str:
    """A warning or the breach: the step *number* (from 1) of a clock."""
    return f"{clock}/{revision}/{number}"


def corrected(clock: int, revision: int) -> str:
    """A breach that was told and is taken back."""
    return f"{clock}/{revision}/corrected"


def answered(clock: int, by: str) -> str:
    """A clock of which somebody was told has ended *by* a message, or at an instant."""
    return f"{clock}/answered/{by}"


def moved(clock: int, revision: int) -> str:
    """A deadline that came nearer."""
    return f"{clock}/{revision}/moved"


def escalation(notice: int, ladder: str, rung: int) -> str:
    """A rung (from 1) of the *ladder* that a notice climbs."""
    return f"{notice}/escalation/{ladder}/{rung}"


def refused(clock: int, message: str) -> str:
    """A reply that the marketplace refused."""
    return f"{clock}/refused/{message}"


def unknown(message: str) -> str:
    """A reply of which nobody knows whether it was sent; *message* is our own id of it."""
    return f"{message}/unknown"


def account(name: str, kind: NoticeKind, since: datetime) -> str:
    """What befell an account as a whole at *since*."""
    return f"{name}/{kind.value}/{since.isoformat()}"


def troubled(name: str, kind: NoticeKind, since: datetime, troubles: Iterable[str]) -> str:
    """Troubles that were learnt of while what befell the account at *since* goes on."""
    return f"{account(name, kind, since)}/{','.join(troubles)}"


def review(policy: str, day: date) -> str:
    """A promise whose review date has passed."""
    return f"{policy}/review/{day.isoformat()}"


def expiring(account: str, credential: str, since: datetime) -> str:
    """A key that ends soon, told at *since*."""
    return f"{account}/credential_expiring/{credential}/{since.isoformat()}"


def service(kind: NoticeKind, since: datetime) -> str:
    """What befell the service as a whole, told at *since*; and its end."""
    return f"service/{kind.value}/{since.isoformat()}"


def parked(notice: int, notifier: str) -> str:
    """A notice that could not be delivered."""
    return f"{notice}/parked/{notifier}"


def flood(notifier: str, notice: int) -> str:
    """What came too fast for *notifier* to be told one by one; *notice* is the first of it."""
    return f"{notifier}/flood/{notice}"


def is_flood(key: str) -> bool:
    """Whether *key* is that of a flood's digest, not of a first walk's.

    ``apart`` is one account's flood, by itself (`core.store.digests.APART`).
    """
    return key.split("/")[1:2] in (["flood"], ["apart"])


def muted(notifier: str, mute: int) -> str:
    """What was not told to *notifier* because of the mute of that number."""
    return f"{notifier}/muted/{mute}"


def mute_of(key: str | None) -> int | None:
    """The number of the mute after which *key*'s digest leaves; None: it is no such digest's."""
    parts = (key or "").split("/")
    return int(parts[2]) if parts[1:2] == ["muted"] else None


def quiet(notifier: str, until: datetime) -> str:
    """What waits for the end of the quiet hours of those whom *notifier* tells."""
    return f"{notifier}/quiet/{until.isoformat()}"


def quiet_until(key: str | None) -> datetime | None:
    """When the quiet hours ended of which *key*'s digest tells; None: it tells of none."""
    parts = (key or "").split("/")
    return datetime.fromisoformat(parts[2]) if parts[1:2] == ["quiet"] else None


def number(key: str) -> int | None:
    """The number of the step that *key* tells (from 1); None: it tells none."""
    said = key.rpartition("/")[2]
    return int(said) if key.count("/") == 2 and said.isdecimal() else None


def restored(account: str, at: datetime) -> str:
    """What of *account* had not left when its database was brought back *at*, or came due then."""
    return f"{account}/restored/{at.isoformat()}"


def restored_at(key: str) -> datetime | None:
    """When the database was brought back of whose gap *key*'s digest tells; None: of none."""
    parts = key.split("/")
    return datetime.fromisoformat(parts[2]) if parts[1:2] == ["restored"] else None


def rest(digest: str, notice: int) -> str:
    """What is told of *digest* after it has left; *notice* is the first of it."""
    return f"{digest}/{notice}"


def only(digest: str) -> str:
    """The one notice of a flood's *digest*: it leaves as what it is, under its own key."""
    return f"{digest}/only"


def is_only(digest: str) -> bool:
    """Whether *digest* holds one notice, which leaves as what it is."""
    return digest.endswith("/only")


def is_digest(digest: str | None) -> bool:
    """Whether what leaves under *digest* leaves as one, not as the one notice that it is."""
    return digest is not None and not is_only(digest)


def incident(notice: Notice) -> str:
    """Under which key a receiver keeps what *notice* tells of, until its end is told.

    That of a clock is the same for all its steps, that of a trouble for all that is told of it.
    """
    if notice.clock is not None and notice.kind in OPENING | CLOSING:
        return f"{notice.account}/clock/{notice.clock}"
    kind = notice.kind
    if kind is NoticeKind.ESCALATION:
        kind = NoticeKind(str(dict(notice.facts).get("of", kind)))
    if kind in _TROUBLES:
        return f"{notice.account or 'service'}/{_TROUBLES[kind]}"
    return notice.key


def trouble(kind: NoticeKind) -> str | None:
    """Of which trouble of an account, or of the service, *kind* tells; None: of none."""
    return _TROUBLES.get(kind)


def is_end(notice: Notice) -> bool:
    """Whether *notice* tells that what stands under its `incident` is over."""
    return notice.kind in _ENDS
