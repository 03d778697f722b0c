"""The tree of errors. Each class has a `reason`, which is also the metric's label.

    Error
      SettingsError                   stop at the start, name the key path
      ConnectorError                  one account's trouble; never stops the daemon
        Unreachable                   try again, with backoff
        RateLimited                   try again then
        BadCredentials                stop polling the account, tell a person once
        BadPayload                    set the payload aside, go on with the rest, tell a person
        Refused                       the marketplace said no to a reply: it was not sent
        OutcomeUnknown                a reply may have been sent: never retried blindly
      NotifierError                   send the notice later, or park it
      StoreUnavailable                loops wait and try again; /readyz says no
        StoreImpaired                 as above: the database answers, and cannot do its work
        StoreGaveUp                   as above: it answers, and gave up this one transaction
      SchemaMismatch                  stop at the start: migrate, or run the version that fits
      Unstorable                      set the value aside, store its neighbours
      LeaseLost                       another worker has the stream: drop the result
      Mistaken                        what a person asked for cannot be: say so, do nothing
        NotAllowed                    as above: they may not do it
        Unsavable                     as above: a macro has faults, each is said

No message of an error holds a secret, a body, a buyer's name or address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from core.said import Said

if TYPE_CHECKING:
    from core.said import Fact


class Error(Exception):
    """The root: everything that this program raises on purpose."""

    reason: ClassVar[str] = "error"


class SettingsError(Error):
    """The settings cannot be used. *complaints* hold one line each: key path, fault, the mend."""

    reason = "settings"

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class ConnectorError(Error):
    """One account's trouble. *detail* is a closed, short word for metrics (an HTTP status, say)."""

    reason = "connector"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class Unreachable(ConnectorError):
    """No usable answer: network, timeout, 5xx. Try again, with backoff.

    *retry_after* in seconds, None where the marketplace did not say.
    """

    reason = "unreachable"

    def __init__(self, message: str, *, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class RateLimited(ConnectorError):
    """The marketplace asks to wait; *retry_after* in seconds, None where it did not say."""

    reason = "rate_limited"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, detail="429")
        self.retry_after = retry_after


class BadCredentials(ConnectorError):
    """The marketplace no longer accepts our key: the account is blind until a person acts.

    *alone*: the key itself is good, and may not do this one thing: it blinds the stream for which
    it was asked, and stops no other. *raw* is what was answered: never kept, never logged.
    """

    reason = "bad_credentials"

    def __init__(
        self, message: str, *, detail: str = "", alone: bool = False, raw: bytes = b""
    ) -> None:
        super().__init__(message, detail=detail)
        self.alone = alone
        self.raw = raw


class BadPayload(ConnectorError):
    """An answer that cannot be read as a whole. *raw* is kept aside, never logged."""

    reason = "bad_payload"

    def __init__(self, message: str, *, raw: bytes = b"", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.raw = raw


class Refused(ConnectorError):
    """The marketplace refused a reply: it was certainly not sent. The text is theirs, cut short.

    *unanswerable*: it will take no other either, for who is written to opted out, or is gone.
    """

    reason = "refused"

    def __init__(self, message: str, *, detail: str = "", unanswerable: bool = False) -> None:
        super().__init__(message, detail=detail)
        self.unanswerable = unanswerable


class OutcomeUnknown(ConnectorError):
    """A reply left and no answer came: it may have been sent. Read the thread before anything.

    *retry_after* in seconds, for what may be sent twice; None where it did not say. *message_id*
    is under which id it will be read, if it arrived.
    """

    reason = "outcome_unknown"

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        retry_after: float | None = None,
        message_id: str | None = None,
    ) -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after
        self.message_id = message_id


class NotifierError(Error):
    """A notice was not delivered; *permanent* says that trying again cannot help."""

    reason = "notifier"

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class StoreUnavailable(Error):
    """The database cannot be reached: loops wait and try again.

    *mend* is what a person looks at, None where only `MEND` is known: that holds for any database.
    """

    reason = "store_unavailable"
    MEND: ClassVar[str] = "is the database running, and store.dsn right?"

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        super().__init__(message)
        self.mend = mend


class StoreImpaired(StoreUnavailable):
    """The database answers and cannot do its work: a full disk, say, or files that are gone."""

    reason = "store_impaired"
    MEND = "has the database's disk room, and is all of it there?"


class StoreGaveUp(StoreUnavailable):
    """The database gave up a transaction: it may be this one's own doing, and others go through.

    *for_another*: for another's sake, with which it was in each other's way; again, it may succeed.
    """

    def __init__(self, message: str, *, for_another: bool = False) -> None:
        super().__init__(message)
        self.for_another = for_another


class LeaseLost(Error):
    """The fence has moved: another worker reads this stream, and what we read is dropped."""

    reason = "lease_lost"


class SchemaMismatch(Error):
    """The database's schema is not what this program knows; the text says what to do."""

    reason = "schema"


class Unstorable(Error):
    """A value that PostgreSQL cannot hold; the text names the kind of fault, never the value."""

    reason = "unstorable"


class Mistaken(Error):
    """What a person asked for cannot be done; the text says why and how to mend it.

    *said* is that without *hint*, which is for a terminal alone: the command to look with.
    Without *facts* the text stands as it is.
    """

    reason = "mistaken"

    def __init__(self, text: str, /, *, hint: str = "", **facts: Fact) -> None:
        self.said = Said(text if facts else text.replace("%", "%%"), facts)
        super().__init__("; ".join(filter(None, (str(self.said), hint))))


class NotAllowed(Mistaken):
    """What a person asked for is not theirs to do: their role, or the accounts they see.

    *place* is the account and the thread that it was about, where the request does not name them.
    """

    reason = "not_allowed"
    place: tuple[str, str] | None = None

    def about(self, account: str, thread: str) -> NotAllowed:
        """The same, with its place: for the audit trail."""
        self.place = (account, thread)
        return self


class Unfit(ValueError):
    """A value of the settings cannot be used; the text is fixed and holds nothing of the value.

    Of what any other ValueError says, what was written is taken out before it is told.
    """
