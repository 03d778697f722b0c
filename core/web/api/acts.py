"""What programs say to do, and what comes of it, as the API's document has it."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

from core.web.answer import MOST_FILES
from core.web.api.models import Claim, Id, Number  # noqa: TC001  # pydantic reads what fields are
from core.web.api.problems import Problem
from core.web.api.routes import WHOLE, Given, Said

MOST_TEXT = 100_000
Text = Annotated[str, StringConstraints(max_length=MOST_TEXT)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x20][^\x00-\x1f]*$")
]
Party = Literal["buyer", "marketplace"]
Seen = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{1,4000}$")]
Address = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https://[!-~]+$")]
Variety = Annotated[
    str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")
]
Parties = Annotated[tuple[Party, ...], Field(min_length=1, max_length=2)]


class Taking(Said):
    """*over*: from whoever has it, for who may."""

    over: bool = False


class Taken(Problem):
    """The thread is another's: whose, and until when."""

    claim: Claim | None = None


def _decoded(text: object) -> bytes:
    """The bytes that *text* stands for.

    Raises:
        ValueError: it stands for none.
    """
    try:
        found = b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:  # its own words quote what was sent
        raise ValueError("no base64 (RFC 4648, section 4)") from None
    if not found:
        raise ValueError("no bytes in base64")
    return found


Base64 = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "minLength": 4,
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        },
        mode="validation",
    ),
]


class Enclosed(Said):
    """A file that goes along, in base64. Of which type it is, its content says, not its name."""

    name: Annotated[
        str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")
    ]
    content: Base64 = Field(repr=False)


class Kept(Said):
    """Files that go along again: those of your own *reply* that was taken back, by *numbers*."""

    reply: Number
    numbers: Annotated[
        tuple[Annotated[int, Field(ge=0, le=MOST_FILES), WHOLE], ...],
        Field(min_length=1, max_length=MOST_FILES),
    ]


class Along(Said):
    """What goes along: *files*, others by their public addresses (*linked*), others *kept*."""

    files: Annotated[tuple[Enclosed, ...], Field(max_length=MOST_FILES)] = ()
    linked: Annotated[tuple[Address, ...], Field(max_length=MOST_FILES)] = ()
    kept: Kept | None = None


class Draft(Along):
    """A text that may become a reply, and what would go along."""

    text: Text


class Complaint(Given):
    """What is wrong with a reply, from character *start* to before *end*, where it is at a place.

    What *blocks* is refused every time; the rest leaves if it is sent `despite` it.
    """

    rule: str
    text: str
    start: int | None
    end: int | None
    blocks: bool
    source: str


class Checked(Given):
    """Everything that is wrong with a text; none: it can be sent."""

    complaints: tuple[Complaint, ...]


class Key(Said):
    """With one key one reply comes of it, however often it is sent."""

    key: Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[!-~]+$")] = (
        Field(
            alias="Idempotency-Key",
            description="one reply comes of one key, however often it is sent: 8 to 200 letters, "
            "digits and signs of ASCII, without blanks",
        )
    )


class Writing(Along):
    """A reply. *seen* is what its writer had seen, as `answers` says it; null: nobody asks.

    *despite*: although the marketplace's rules forbid something in it. *follow_up_at*: by when it
    promises another answer.
    """

    text: Text = Field(min_length=1)
    to: Parties = ("buyer",)
    seen: Seen | None = None
    despite: bool = False
    follow_up_at: AwareDatetime | None = None


class Queued(Given):
    """It leaves after *undo_until*. *again*: it was queued by that key before."""

    reply: int
    undo_until: AwareDatetime
    again: bool


class Beaten(Given):
    """Who was faster, and how far they are; or who has written since: *state* `buyer`.

    To go on all the same, say that this was *seen*.
    """

    by: str | None = None
    at: AwareDatetime
    state: str
    seen: str
    until: AwareDatetime | None = None


class Unsent(Problem):
    """It does not leave: what is wrong with it, or who was faster."""

    complaints: tuple[Complaint, ...] | None = None
    beaten: Beaten | None = None


class Reply(Given):
    """A reply and what became of it, as far as anybody knows."""

    id: int
    account: str
    thread: str
    state: str
    body: str
    to: Annotated[tuple[str, ...], BeforeValidator(sorted)]
    written_by: str | None
    queued_at: AwareDatetime
    left_at: AwareDatetime | None
    settled_at: AwareDatetime | None
    reason: str | None
    follow_up_at: AwareDatetime | None


class File(Given):
    """A file of a reply, by its *number*; *size* null: it goes along by its address."""

    number: int
    name: str
    media_type: str
    size: int | None


class OneReply(Reply):
    """A reply with its files: they are here until it has left, or was given up."""

    files: tuple[File, ...]


class Statement(Given):
    """What somebody said of a thread: that no reply is needed, or that it was answered there."""

    id: str
    kind: str
    level: str | None
    sent_at: AwareDatetime


class Promise(Given):
    """What the buyer was promised, and by when."""

    due_at: AwareDatetime
    started_at: AwareDatetime


class Foreseen(Given):
    """What a mark of a *level* would end, and what would go on: names of promises."""

    level: str
    ends: tuple[str, ...]
    goes_on: tuple[str, ...]


class Answers(Given):
    """What goes on about a thread beside what was written, and what a reply to it can be.

    *refused*: why nobody can be answered from here, empty where somebody can. *levels* are the ways
    in which no reply can be needed, *foreseen* what each would end; *others* who is writing at this
    moment. Of files *most_enclosed* is how many bytes they may have in all, *most_each* one of
    them; *enclosed* and *linked* are the media types that are taken, null: any. Until *until* an
    answer is taken, null: nobody knows of an end.
    """

    seen: str
    refused: str
    parties: tuple[str, ...]
    levels: tuple[str, ...]
    longest_reply: int | None
    shortest_reply: int | None
    most_files: int | None
    most_enclosed: int
    most_each: int | None
    enclosed: tuple[str, ...] | None
    linked: tuple[str, ...] | None
    until: AwareDatetime | None
    foreseen: tuple[Foreseen, ...]
    others: tuple[str, ...]
    claim: Claim | None
    replies: tuple[Reply, ...]
    said: tuple[Statement, ...]
    promises: tuple[Promise, ...]


class Mark(Said):
    """`decided`: here; `marked`: the marketplace's own mark, which nobody here can see, was set.

    *seen*: as of a reply.
    """

    level: Literal["decided", "marked"]
    seen: Seen | None = None


class What(Said):
    """What was said, by its id."""

    said: Id


class Answered(Said):
    """When it was answered at the marketplace, and whom. *seen*: as of a reply."""

    at: AwareDatetime
    to: Parties = ("buyer",)
    seen: Seen | None = None


class Promised(Said):
    """By when another answer is promised."""

    due_at: AwareDatetime


class Moved(Promised):
    """By when it is promised now, and why."""

    reason: Reason


class Why(Said):
    """Why it is withdrawn."""

    reason: Reason


class Spoken(Said):
    """In which language a thread is; *language* null: in that of its messages.

    *stands* is the thread's `language_set` as you saw it: null where nobody had said one.
    """

    language: Variety | None
    stands: Variety | None = None


class How(Given):
    """`promised`: it runs; `with_reply`: it begins when the reply has left that is waiting."""

    how: Literal["promised", "with_reply"]
