"""What a reply may be at its marketplace, told before it leaves: page, API and commands ask here.

Pure. A complaint that blocks is of what is refused every time; any other is of what the
marketplace's rules forbid and may withhold: a person may send it all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from core.desk import contacts, filling
from core.errors import Mistaken
from core.model import UNSEEN
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from core.capabilities import Capabilities
    from core.model import File

Rule = Literal[
    "replies", "empty", "control", "shortest", "longest", "most_files", "enclosed", "most_enclosed",
    "most_each", "linked", "kind", "by_address", "gap", "shut", "link", "address", "phone",
]  # fmt: skip

Facts = Mapping[str, str | int]

MOST_OF_A_RULE = 20
"""So many places of a kind are told at once: who mends these sees the rest."""

SAID: Mapping[Rule, str] = {
    "replies": "this account cannot answer from here; answer at the marketplace",
    "empty": "a reply needs a text",
    "control": "the text holds a control character (%(character)s after %(at)s characters); "
    "remove it",
    "shortest": "a reply has %(least)s characters at least there",
    "longest": "a reply has %(most)s %(unit)s at most there, this one has %(length)s; shorten it",
    "most_files": "a reply has %(most)s files at most there; send less",
    "enclosed": "no files go with a reply from here; send them at the marketplace",
    "most_enclosed": "the files of a reply have %(most)s MB at most there; send less",
    "most_each": "a file has %(most)s MB at most there; send a smaller one than %(name)s",
    "linked": "no file goes with a reply by its address there; name a file of yours",
    "by_address": "%(name)s goes along only by its public address there: name it by that, https://...",
    "kind": "no file of the type %(type)s goes with a reply there: %(name)s",
    "gap": "the text still has a gap, %(name)s; fill it or take it out",
    "shut": "by what is known here the marketplace takes no answer there since %(at)s; see whether "
    "the buyer has written again",
    "link": "the marketplace's rules allow no link that leads elsewhere; take it out",
    "address": "the marketplace's rules allow no mail address; take it out",
    "phone": "the marketplace's rules allow no phone number; take it out",
}
"""What each complaint says, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a reply by *rule*, from character *start* to before *end* of its text.

    Both are None where it is no place in the text. *source*: whose rule it is, where known.
    """

    rule: Rule
    facts: Facts = field(default_factory=dict)
    start: int | None = None
    end: int | None = None
    blocks: bool = True
    source: str = ""

    @property
    def text(self) -> str:
        """What is wrong and how to mend it; of the reply's text only where a gap is."""
        return SAID[self.rule] % self.facts


def complaints(
    text: str,
    can: Capabilities,
    files: Sequence[File] = (),
    known: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[Complaint, ...]:
    """Everything that is wrong with a reply, what blocks it first; *known* are its orders' ids.

    *now* left out: nobody asks whether the time to answer is over.
    """
    found = [*_of_text(text, can), *_of_gaps(text), *_of_files(files, can)]
    if can.until is not None and now is not None and now > can.until:
        found.append(Complaint("shut", {"at": in_utc(can.until)}, blocks=False))
    found += _unwelcome(text, can, known)
    return tuple(sorted(found, key=lambda one: not one.blocks))


def check(text: str, can: Capabilities, files: Sequence[File] = ()) -> None:
    """Refuse what is known to be refused, before it is queued.

    Raises:
        Mistaken: what blocks it, the first of it.
    """
    for one in complaints(text, can, files):
        if one.blocks:
            raise Mistaken(one.text)


def _of_text(text: str, can: Capabilities) -> Iterator[Complaint]:
    if not can.replies:
        yield Complaint("replies")
    if not text.strip():
        yield Complaint("empty")
        return
    for match in islice(UNSEEN.finditer(text), MOST_OF_A_RULE):
        facts: Facts = {"character": f"U+{ord(match[0]):04X}", "at": match.start()}
        yield Complaint("control", facts, match.start(), match.end())
    if can.shortest_reply is not None and len(text) < can.shortest_reply:
        yield Complaint("shortest", {"least": can.shortest_reply})
    if can.longest_reply is not None and (length := can.length(text)) > can.longest_reply:
        facts = {"most": can.longest_reply, "unit": can.longest_in, "length": length}
        yield Complaint("longest", facts, _fitting(text, can), len(text))


def _fitting(text: str, can: Capabilities) -> int:
    """How many characters of *text* fit."""
    most = can.longest_reply or 0
    if can.longest_in == "characters":
        return most
    return len(text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore"))


def _of_gaps(text: str) -> Iterator[Complaint]:
    for start, end, name in islice(filling.gaps(text), MOST_OF_A_RULE):
        yield Complaint("gap", {"name": name}, start, end)


def _of_files(files: Sequence[File], can: Capabilities) -> Iterator[Complaint]:
    sent = [one for one in files if one.url is None]
    if can.most_files is not None and len(files) > can.most_files:
        yield Complaint("most_files", {"most": can.most_files})
    if sent and not can.most_enclosed:
        yield Complaint("enclosed")
    elif sum(len(one.content) for one in sent) > can.most_enclosed:
        yield Complaint("most_enclosed", {"most": can.most_enclosed // 10**6})
    if len(sent) < len(files) and can.linked == frozenset():
        yield Complaint("linked")
    for one in files:
        yield from _of_file(one, can)


def _of_file(one: File, can: Capabilities) -> Iterator[Complaint]:
    if can.most_each is not None and len(one.content) > can.most_each:
        yield Complaint("most_each", {"most": can.most_each // 10**6, "name": one.name})
    fit = can.enclosed if one.url is None else can.linked
    if fit is None or one.media_type in fit or (one.url is None and not can.most_enclosed):
        return
    if one.url is None and (can.linked is None or one.media_type in can.linked):
        yield Complaint("by_address", {"name": one.name})
    elif can.linked or one.url is None:
        yield Complaint("kind", {"type": one.media_type, "name": one.name})


def _unwelcome(text: str, can: Capabilities, known: Collection[str]) -> Iterator[Complaint]:
    rules, told = {rule.what: rule for rule in can.unwelcome}, Counter[str]()
    for one in contacts.found(text, known) if rules else ():
        rule = rules.get(one.what)
        if rule is None or (one.host and contacts.is_within(one.host, rule.but)):
            continue
        told[one.what] += 1
        if told[one.what] > MOST_OF_A_RULE:
            continue
        yield Complaint(
            one.what, {}, one.start, one.end, blocks=rule.is_refused, source=rule.source
        )
