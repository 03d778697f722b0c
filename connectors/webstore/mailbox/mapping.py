"""Letters to our words. Pure: whatever a letter is, it becomes a message, a verdict or a set-aside.

A buyer's letter opens a waiting, or joins it. What ends one is a letter to the buyer that lies
where letters left from here, whoever wrote it with whichever program, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.webstore.mailbox import joining, letter, sorts
from connectors.webstore.mailbox.sorts import IN_BULK, WEAK, Sort
from core.model import Page, Verdict
from core.transport import filing, subjects
from sla.clock import Delivery, Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connectors.webstore.mailbox.letter import Arrival, Letter
    from connectors.webstore.mailbox.memory import Memory
    from connectors.webstore.mailbox.options import MailboxOptions
    from core.model import Message, SetAside, Thread
    from core.transport.letter import Report


BOUNCED = (
    "bounced: an answer did not arrive, and nobody here knows which: perhaps of another account of"
    " the shop's; look at whom it went to, and answer there in another way"
)


@dataclass(slots=True)
class Reading:
    """What comes of letters, taken in the order of their arrival; *memory* changes with each."""

    options: MailboxOptions
    memory: Memory
    messages: dict[str, Message] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def take(self, arrival: Arrival) -> str | None:
        """Read one letter: the id of its message, None where it became none.

        One at which this fails is set aside, with the places in our code: those behind it are read.
        """
        try:
            one = letter.read(arrival, self.options)
            return _TAKERS[one.sort](self, joining.named(one, self.memory))
        except Exception as bug:  # noqa: BLE001  # one letter nobody foresaw must not stop a mailbox
            self.set_aside.append(filing.unforeseen(arrival.mail, bug))
            return None

    def page(self) -> Page:
        """As a page without a cursor."""
        return Page(
            messages=tuple(self.messages.values()),
            threads=tuple(self.threads),
            set_aside=tuple(self.set_aside),
            verdicts=tuple(self.verdicts.values()),
        )

    def put(self, message: Message) -> str:
        """Keep *message*; of one that comes twice, its earliest instant."""
        known = self.messages.setdefault(message.id, message)
        if message.sent_at and known.sent_at and message.sent_at < known.sent_at:
            self.messages[message.id] = message
        return message.id


def read(
    arrivals: Iterable[Arrival], options: MailboxOptions, memory: Memory
) -> tuple[Page, Memory]:
    """What comes of *arrivals* in their order, and the memory after them."""
    reading = Reading(options, memory.copy())
    for arrival in arrivals:
        reading.take(arrival)
    return reading.page(), reading.memory


def _bought(reading: Reading, one: Letter) -> str | None:
    """A buyer's letter: it opens a waiting, or joins the one that is open.

    Of somebody to whom the shop passed the conversation on it is a note, and no question.
    """
    memory, options = reading.memory, reading.options
    thread = joining.by_letters(one, memory, options)
    if thread is not None and joining.is_by_another(one, thread, memory):
        joining.note(one, thread, memory)
        return reading.put(one.message(_id(thread), Party.SELLER, Kind.INTERNAL))
    thread = thread or joining.by_people(one, memory, options.same_subject)
    if thread is None and one.is_junk and options.believes_junk:
        reading.set_aside.append(one.aside("junk: as the mailbox's server thinks"))
        return None
    thread = thread or joining.anew(one)
    joining.note(one, thread, memory)
    joining.note_ties(one, thread, memory)
    joining.note_buyer(one, thread, memory)
    state = one.state(_id(thread))
    reading.threads.append(state)
    if "address" not in state.reply_to:
        said = "no address: a question that cannot be answered from here"
        reading.set_aside.append(one.aside(said, quiet=False))
    message = one.message(_id(thread), Party.BUYER, Kind.MESSAGE)
    return reading.put(message.model_copy(update={"doubtful": _is_doubtful(one)}))


def _is_doubtful(one: Letter) -> bool:
    """Whether nothing may answer it by itself: it is forged, or junk, or shows a machine's sign.

    However weak that is; but a form's letter is a machine's by its nature, and its buyer a person.
    """
    is_made = one.mail.automatic != "no" and one.sort is not Sort.FORM
    return is_made or one.is_forged or one.is_junk


def _sent(reading: Reading, one: Letter) -> str | None:
    """A letter that left: an answer where it goes to who waits, else a note.

    One that answers nothing that is known is neither: the shop writes first, or to somebody else.
    """
    if not one.people:
        said = "sent: to nobody outside the shop but marketplaces"
        reading.set_aside.append(one.aside(said))
        return None
    memory = reading.memory
    thread = _where_it_answers(reading, one)
    if thread is None:
        reading.set_aside.append(one.aside("sent: it answers nothing that is known"))
        return None
    joining.note(one, thread, memory)
    joining.note_beside(one, thread, memory)
    is_its_buyers = joining.is_to_its_buyer(one, thread, memory)
    if not is_its_buyers and subjects.passes_on(one.mail.subject):
        joining.note_others(one, thread, memory)
    within = reading.options.same_subject
    is_answer = _is_ours(one) or joining.is_answer(one, thread, memory, within)
    if not is_its_buyers or not is_answer:
        return reading.put(one.message(_id(thread), Party.SELLER, Kind.INTERNAL))
    joining.note_ties(one, thread, memory)
    joining.note_answered(one, thread, memory)
    kind = Kind.AUTOMATIC if _is_made(one) else Kind.MESSAGE
    return reading.put(one.message(_id(thread), Party.SELLER, kind))


def _where_it_answers(reading: Reading, one: Letter) -> str | None:
    """The thread of a letter that left; that of its recipients, where it answers somebody else's.

    Two letters of a form may have one id.
    """
    memory, options = reading.memory, reading.options
    thread = _is_ours(one) or joining.by_letters(one, memory, options)
    if thread is not None and joining.is_to_its_buyer(one, thread, memory):
        return thread
    thread = joining.by_people(one, memory, options.same_subject) or thread
    if thread is None and (one.answers or subjects.answers(one.mail.subject)):
        return joining.anew(one)
    return thread


def _is_ours(one: Letter) -> str | None:
    """The thread that stands in the id of a letter that left from here; None of any other."""
    return sorts.own_token([one.id])


def _own(reading: Reading, one: Letter) -> str | None:
    """A letter that came in and names one of us: a note where it belongs to a thread.

    It ends nothing, for anybody can write such a sender; and it never takes the place of the letter
    that it may be a copy of.
    """
    told = reading.memory.letter(one.id)
    thread = None if one.is_forged else joining.by_letters(one, reading.memory, reading.options)
    if (told and told.mark) or sorts.own_token([one.mail.message_id]):
        reading.set_aside.append(one.aside("own: a copy of what left from here"))
        return None
    if thread is None:
        quiet = one.sorted.quiet or one.is_forged
        reading.set_aside.append(one.aside(one.sorted.said, quiet=quiet))
        return None
    id_ = f"copy:{filing.digest(one.id, 32)}"
    return reading.put(one.message(_id(thread), Party.SELLER, Kind.INTERNAL, id_))


def _vacation(reading: Reading, one: Letter) -> str | None:
    """An answer that nobody wrote: shown where it belongs to a thread; it asks nothing."""
    thread = joining.by_letters(one, reading.memory, reading.options)
    if thread is None:
        reading.set_aside.append(one.aside(one.sorted.said))
        return None
    joining.note(one, thread, reading.memory)
    return reading.put(one.message(_id(thread), Party.BUYER, Kind.AUTOMATIC))


def _reported(reading: Reading, one: Letter) -> str | None:
    """A report on a letter of ours: what failed is refused, so that its waiting goes on.

    A delay is none.
    """
    failed = [each for each in one.mail.reports if each.action == "failed"]
    told = [each.message_id for each in one.mail.reports if each.message_id]
    about = next(iter(told), None) or _named_in(one)
    thread = _thread_of(about, reading.memory)
    is_failure = bool(failed) or (not one.mail.reports and one.mail.automatic == "bounce")
    if about is None or thread is None:
        is_told = is_failure and _may_be_ours(about, failed, reading.memory)
        said = BOUNCED if is_told else "report: of a letter that is not known here"
        reading.set_aside.append(one.aside(said, quiet=not is_told))
        return None
    if is_failure and _concerns(failed, about, thread, reading.memory):
        reading.verdicts[one.id] = Verdict(
            id=one.id, delivery=Delivery.REFUSED, at=one.at, message_id=about
        )
    return reading.put(one.message(_id(thread), Party.MARKETPLACE, Kind.SYSTEM))


def _may_be_ours(about: str | None, failed: list[Report], memory: Memory) -> bool:
    """Whether what is not known here may have been an answer.

    One of another account, which mails under the same address; or one in place of whose id a
    provider put its own, to somebody who was answered from here.
    """
    if about is not None and sorts.OWN_ID_WHOLE.fullmatch(about):
        return True
    return any(joining.was_answered(each.recipient, memory) for each in failed if each.recipient)


def _concerns(failed: list[Report], about: str, thread: str, memory: Memory) -> bool:
    """Whether it did not reach the buyer: a colleague's letter may have gone to others too."""
    named = [each.recipient for each in failed if each.recipient]
    if not named or sorts.own_token([about]):
        return True
    return any(joining.is_buyers(each, thread, memory) for each in named)


def _named_in(one: Letter) -> str | None:
    """The reply of ours of which a report in plain words tells, as older servers write them."""
    found = sorts.OWN_ID_WHOLE.search(one.mail.text[: letter.MOST])
    return found[0] if found else next((each for each in one.answers), None)


def _thread_of(message_id: str | None, memory: Memory) -> str | None:
    if message_id is None:
        return None
    known = memory.letter(message_id)
    return known.thread if known else sorts.own_token([message_id])


def _aside(reading: Reading, one: Letter) -> None:
    """No message: of a marketplace, a list, a machine, or of nobody."""
    reading.set_aside.append(one.aside(one.sorted.said, quiet=one.sorted.quiet))


def _is_made(one: Letter) -> bool:
    """Whether a letter that left says that nobody wrote it.

    One of ours says so itself, or a person wrote it, whatever the address from which it left.
    """
    weak = WEAK | IN_BULK if _is_ours(one) else WEAK
    return one.mail.automatic != "no" and not weak.issuperset(one.mail.signs)


def _id(thread: str) -> str:
    return f"{joining.PREFIX}{thread}"


_TAKERS: Mapping[Sort, Callable[[Reading, Letter], str | None]] = {
    Sort.BUYER: _bought,
    Sort.FORM: _bought,
    Sort.SENT: _sent,
    Sort.OWN: _own,
    Sort.REPORT: _reported,
    Sort.VACATION: _vacation,
    Sort.MARKETPLACE: _aside,
    Sort.AUTOMATIC: _aside,
    Sort.NOBODYS: _aside,
}
