"""What an Amazon account says in the settings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, field_validator

from connectors.amazon import addresses
from connectors.amazon.marketplaces import BY_ID
from core import languages
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import MailAccount, Part, Secret, SecureUrl, mail_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.amazon.marketplaces import Region


def _address(text: str) -> str:
    """A mail address in small letters.

    Raises:
        Unfit: it is none, or Amazon's own.
    """
    address = mail_address(text)
    if addresses.is_amazon(address):
        raise Unfit("is Amazon's; write the address from which the shop answers")
    return address


Address = Annotated[str, AfterValidator(_address)]


class SpApi(Part):
    """Amazon's own API: it enriches orders; it reads and answers no message (trap 1).

    *secret_made_on* is the day on which the client secret was made: it dies after 180 days.
    """

    seller_id: str = Field(pattern=r"^[A-Z0-9]{5,30}$")
    client_id: str = Field(min_length=1)
    client_secret: Secret
    refresh_token: Secret
    secret_made_on: date | None = None
    base_url: SecureUrl | None = None
    token_url: SecureUrl | None = None


class AmazonOptions(MailAccount):
    """One seller account at Amazon, read from a mailbox.

    *sender* is the address from which the shop answers, which Amazon must have approved
    (trap 15); *also_own* are others from which its people answer. *marketplaces* are ids; the
    first one's zone counts where a letter names none. Without *authserv_ids* no letter is proven,
    clocks start at arrival, and copies and decisions end nothing (trap 47). *confirmed_after* is
    the silence after which a reply counts as relayed.
    *same_subject* is how far apart letters without case and order may be in one thread.
    """

    sender: Address
    also_own: tuple[Address, ...] = ()
    marketplaces: tuple[str, ...] = Field(min_length=1)
    confirmed_after: Duration = timedelta(hours=2)
    same_subject: PositiveDuration = timedelta(days=14)
    returns: bool = True
    sp_api: SpApi | None = None

    @field_validator("marketplaces")
    @classmethod
    def _are_known(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [one for one in ids if one not in BY_ID]
        if unknown:
            raise Unfit("names no marketplace of Amazon's; write ids such as A1PA6795UKMFR9")
        if len({BY_ID[one].region for one in ids}) > 1:
            raise Unfit("names several regions; an account is of one: write one for each")
        return tuple(dict.fromkeys(ids))

    @property
    def own(self) -> frozenset[str]:
        """The addresses from which this account answers, in small letters."""
        return frozenset({self.sender, *self.also_own})

    @property
    def region(self) -> Region:
        """Where the account is: one for all its marketplaces."""
        return BY_ID[self.marketplaces[0]].region


def marketplace(options: AmazonOptions) -> str:
    """The metric label: ``amazon-de``; the country of the first marketplace."""
    return f"amazon-{BY_ID[options.marketplaces[0]].country.lower()}"


def language(options: AmazonOptions) -> str | None:
    """What buyers write at its marketplaces; None where they are of several languages."""
    spoken = {languages.of_country(BY_ID[each].country) for each in options.marketplaces}
    return spoken.pop() if len(spoken) == 1 else None


def identity(options: AmazonOptions) -> str:
    """Which seller this is: by its own id where known, else by mailbox and marketplaces."""
    places = " ".join(sorted(options.marketplaces))
    if options.sp_api:
        return f"{options.sp_api.seller_id} {places}"
    return f"{options.mailbox} {places}"


def budget(options: AmazonOptions) -> str:
    """The limit that accounts share: one user's connections to one mailbox."""
    return f"mailbox {options.mailbox}"


def findings(options: AmazonOptions, others: Sequence[AmazonOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    found = []
    if not options.authserv_ids:
        doubt = "is empty: no letter is proven, and an answer given at Amazon ends no clock"
        found.append(f"authserv_ids: {doubt}; write the name that your mail server signs with")
    if options.loses_its_token:
        doubt = "Microsoft gives another one again and again, and the first ends after 90 days"
        found.append(f"tokens.refresh_token: {doubt}; let the application enter by client_secret")
    if options.sp_api is not None and options.sp_api.secret_made_on is None:
        doubt = "is not set: nobody is told before the client secret dies after 180 days"
        found.append(f"sp_api.secret_made_on: {doubt}; write the day on which it was made")
    if any(budget(other) == budget(options) for other in others):
        doubt = "another account reads this mailbox too, and each sees all of its letters"
        found.append(f"user: {doubt}; give each marketplace account a mailbox of its own")
    return tuple(found)
