"""Which letter this is: by Amazon's own header, else by sender and shape; how far to believe it.

What is unknown is shown, never dropped; and nothing that is not proven may end a waiting, nor take
one back. A letter is proven where the mailbox's own server says that Amazon signed it. What ends
something needs more: whoever holds a signed letter can put a header above it and send it on. So its
sender must fit its type, and its shape too where the signature does not cover the type (trap 47).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.amazon import addresses, trust

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from connectors.amazon.addresses import Alias
    from connectors.amazon.body import Words
    from core.transport.mime import Mail

TYPE = "x-space-notification-type"
MARKETPLACE = "x-marketplace-id"


class Sort(StrEnum):
    """What a letter is."""

    BUYER = "buyer"
    COPY = "copy"
    OPT_OUT = "opt_out"
    REFUSAL = "refusal"
    CANCELLATION = "cancellation"
    RETURN = "return"
    REFUND = "refund"
    CLAIM = "claim"
    DECISION = "decision"
    CHARGEBACK = "chargeback"
    SYSTEM = "system"
    SENT = "sent"
    BOUNCE = "bounce"
    LOOK_ALIKE = "look_alike"
    FOREIGN = "foreign"


class Standing(StrEnum):
    """How far a letter is to be believed.

    `proven`: Amazon signed it. `unproven`: nobody checked; it may open a waiting and undo an
    answer, which costs a look if it lies, but never end anything. `forged`: the check failed; it is
    shown and told, and neither starts nor ends anything (trap 47).
    """

    PROVEN = "proven"
    UNPROVEN = "unproven"
    FORGED = "forged"


TYPES = {
    "BBC_MESSAGE_SENT_TO_MERCHANT": Sort.BUYER,
    "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT": Sort.COPY,
    "BUYER_OPTED_OUT_BSM_MESSAGES": Sort.OPT_OUT,
    "BRC_SELLER_NOTIFICATION": Sort.CANCELLATION,
    "RETURN_REQUEST": Sort.RETURN,
    "REFUND_ISSUED": Sort.REFUND,
    "A_Z_CLAIM_RESPONDENT_NOTIFY": Sort.CLAIM,
    "A_Z_CLAIM_RESPONDENT_CLOSE": Sort.DECISION,
}

ENDING = frozenset({Sort.COPY, Sort.DECISION, Sort.REFUND})
"""What may end a waiting or a dossier."""

_DECIDED = (
    "decision",
    "décision",
    "decisione",
    "entscheidung",
    "decisión",
    "decisão",
    "beslissing",
)
_REFUNDED = (
    "refund",
    "erstatt",
    "rembours",
    "rimbors",
    "reembols",
    "terugbetal",
    "返金",
)
_NOTICES = frozenset({addresses.COPIES, addresses.OPT_OUTS, addresses.CLAIMS})
"""From where Amazon writes to sellers; no confirmation of an order, which any buyer has, is."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a letter is, how far it is believed, and the buyer's alias that it names, if any.

    *doubt* says why it ends nothing although its type says so and Amazon signed it.
    """

    sort: Sort
    standing: Standing
    alias: Alias | None = None
    doubt: str = ""


def sorted_as(
    mail: Mail,
    words: Words,
    *,
    trusted: bool | None,
    is_sent: bool = False,
    own: AbstractSet[str] = frozenset(),
) -> Sorted:
    """What *mail* is.

    *trusted* says whether Amazon signed it (True), the check failed (False) or nobody checked.
    *is_sent* says that it lies where letters lie that left; *own* are the addresses from which
    this account answers, in small letters.
    """
    standing = _standing(trusted)
    alias = _alias(mail)
    if is_sent:
        written = addressee(mail)
        return Sorted(Sort.SENT if written else Sort.FOREIGN, Standing.PROVEN, written)
    sender = mail.sender.address if mail.sender else ""
    if _is_report(mail, words, sender):
        return Sorted(Sort.BOUNCE, standing, _bounced(mail))
    if sender.lower() in own:
        return Sorted(Sort.FOREIGN, standing)  # a copy of our own letter: only where it left counts
    told = TYPES.get(_type(mail))
    if standing is Standing.PROVEN and told in ENDING and not _ends(mail, words, sender):
        found = _without_type(mail, words, sender)
        return Sorted(found, standing, alias, f"{told} by a type that anybody may have added")
    if not addresses.is_amazon(sender):
        return Sorted(_foreign(mail, alias, standing), standing, alias)
    return Sorted(_amazons(mail, words, sender), standing, alias)


def addressee(mail: Mail) -> Alias | None:
    """The buyer to whom *mail* goes; the first, where it goes to several."""
    copied = (one for name in ("to", "cc") for one in mail.headers.get(name, ()))
    to = (found for one in mail.to if (found := addresses.alias(one.address)))
    return next(to, None) or next(iter(addresses.aliases(" ".join(copied))), None)


def _standing(trusted: bool | None) -> Standing:  # noqa: FBT001  # its only meaning
    if trusted is None:
        return Standing.UNPROVEN
    return Standing.PROVEN if trusted else Standing.FORGED


def _alias(mail: Mail) -> Alias | None:
    """The buyer's alias: the one to answer to, else the sender's; with its case where one has it.

    The case sometimes stands only in the envelope (trap 3).
    """
    told = [one.address for one in mail.reply_to]
    told += [mail.sender.address] if mail.sender else []
    found = [alias for one in told if (alias := addresses.alias(one))]
    if not found:
        return None
    envelope = [alias for one in mail.envelope if (alias := addresses.alias(one))]
    same = [one for one in (*found, *envelope) if one.buyer == found[0].buyer]
    return next((one for one in same if one.case), same[0])


def _is_report(mail: Mail, words: Words, sender: str) -> bool:
    """Whether *mail* says what became of another: signs alone make none of a letter of Amazon's."""
    if mail.reports:
        return not words.is_wrapped
    return mail.automatic in {"bounce", "delayed"} and not addresses.is_amazon(sender)


def _bounced(mail: Mail) -> Alias | None:
    """The buyer whom a letter of ours did not reach."""
    named = [each.recipient for each in mail.reports if each.recipient]
    found = (addresses.alias(one) for one in (*named, *mail.headers.get("x-failed-recipients", ())))
    return next((one for one in found if one), None)


def _foreign(mail: Mail, alias: Alias | None, standing: Standing) -> Sort:
    """A letter that is not from an address of Amazon's.

    A mailing list may put its own address in the place of the sender: then the alias is the one to
    answer to, and Amazon's signature must hold. Without it, it is somebody who pretends.
    """
    sender, known = mail.sender, TYPES.get(_type(mail))
    if standing is Standing.PROVEN and (alias or known not in {None, Sort.BUYER}):
        return known or Sort.BUYER
    if alias or known:
        return Sort.LOOK_ALIKE
    pretends = sender is not None and addresses.pretends(sender.name, sender.address)
    return Sort.LOOK_ALIKE if pretends else Sort.FOREIGN


def _type(mail: Mail) -> str:
    return mail.header(TYPE).strip().upper()


def _types(mail: Mail) -> tuple[str, ...]:
    told = (value.strip().upper() for value in mail.headers.get(TYPE, ()))
    return tuple(dict.fromkeys(told))


def _ends(mail: Mail, words: Words, sender: str) -> bool:
    """Whether a signed letter of a type that ends something is to be believed to be of it.

    Which headers Amazon signs is published nowhere: where the type is not among them, the shape has
    to say the same.
    """
    sort, who = TYPES[_type(mail)], addresses.local(sender)
    is_relays = addresses.is_relay(sender) and who == "no-reply"
    fits = is_relays or (addresses.is_system(sender) and who in _NOTICES)
    if not fits or len(_types(mail)) > 1 or (sort is Sort.COPY and not words.is_wrapped):
        return False
    return trust.signs(mail, TYPE) is not False or _looks(sort, mail, who)


def _looks(sort: Sort, mail: Mail, who: str) -> bool:
    """Whether *who* usually writes letters of this *sort*, which end something, and so."""
    subject = mail.subject.casefold()
    if sort is Sort.COPY:
        return who == addresses.COPIES
    if sort is Sort.DECISION:
        return who == addresses.CLAIMS and any(word in subject for word in _DECIDED)
    return who == addresses.COPIES and any(word in subject for word in _REFUNDED)


def _without_type(mail: Mail, words: Words, sender: str) -> Sort:
    """What a letter is whose type is not believed: by another that it has, else by its shape."""
    others = (found for one in _types(mail) if (found := TYPES.get(one)) and found not in ENDING)
    if other := next(others, None):
        return other
    if not addresses.is_system(sender):
        return Sort.SYSTEM
    return _by_shape(mail, words, addresses.local(sender))


def _amazons(mail: Mail, words: Words, sender: str) -> Sort:
    """A letter from an address of Amazon's: by its type, else by sender and shape."""
    kind = _type(mail)
    if kind in TYPES:
        return TYPES[kind]
    if addresses.alias(sender):
        # Of a type that nobody knows yet it is a buyer's where it looks like one: unknown is open.
        return Sort.BUYER if words.is_wrapped or not kind else Sort.SYSTEM
    if not kind and addresses.is_relay(sender) and mail.header("in-reply-to").strip():
        return Sort.REFUSAL  # Amazon's letters answer nothing, but for one that was not relayed
    return Sort.SYSTEM if kind else _by_shape(mail, words, addresses.local(sender))


def _by_shape(mail: Mail, words: Words, sender: str) -> Sort:
    """A letter of Amazon's own without a type: old ones, and what some forwarders leave of them."""
    subject, text = mail.subject.casefold(), f"{mail.text}\n{mail.html or ''}"
    if sender == addresses.CLAIMS:
        return Sort.DECISION if any(word in subject for word in _DECIDED) else Sort.CLAIM
    if sender == addresses.OPT_OUTS and "[import" in text.casefold():
        return Sort.OPT_OUT
    if sender == addresses.COPIES:
        if words.is_wrapped:
            return Sort.COPY
        if "/cancel-order" in text:
            return Sort.CANCELLATION
    return Sort.CHARGEBACK if "chargeback" in subject else Sort.SYSTEM
