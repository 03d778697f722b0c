"""What the stand-in knows: apps, tokens, and the lines on which people write to a business."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

Kind = Literal["whatsapp", "messenger", "instagram"]
Author = Literal["person", "api", "elsewhere"]

OBJECTS: dict[Kind, str] = {
    "whatsapp": "whatsapp_business_account",
    "messenger": "page",
    "instagram": "instagram",
}
WINDOW, HUMAN = timedelta(hours=24), timedelta(days=7)
QUIET = frozenset({"reaction", "system", "request_welcome", "revoke", "edit"})


@dataclass(slots=True)
class Habits:
    """How Meta behaves; tests and people change it.

    *statuses* follow each message that was taken, *apart* seconds one from the next; *fails_with*
    is a code with which the last of them is a failure. *refuses_at*: a message outside the window
    is refused at once, or by a status. *disables_after*: so long a page's pushes may fail.
    *signs*, *repeats*, *shuffles*: how pushes are signed, whether each comes twice, and whether
    statuses come in the wrong order.
    """

    statuses: tuple[str, ...] = ("sent", "delivered", "read")
    apart: float = 1.0
    fails_with: int | None = None
    refuses_at: Literal["once", "status"] = "once"
    again_after: timedelta = timedelta(minutes=1)
    gives_up_after: timedelta = timedelta(days=7)
    disables_after: timedelta = timedelta(hours=1)
    signs: Literal["right", "wrong", "none", "base64", "reserialised"] = "right"
    repeats: bool = False
    shuffles: bool = False
    marks_failures: bool = True
    token_status: int = 401


@dataclass(slots=True)
class Token:
    """A key of an account; *expires_at* None: it does not end."""

    text: str
    expires_at: datetime | None = None
    is_valid: bool = True

    def is_good(self, now: datetime) -> bool:
        return self.is_valid and (self.expires_at is None or now < self.expires_at)


@dataclass(slots=True)
class Subscription:
    """What an app is pushed of one kind of object."""

    callback_url: str
    fields: set[str]
    active: bool = True


@dataclass(slots=True)
class App:
    id: str
    secret: str
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it calls by as itself."""
        return f"{self.id}|{self.secret}"


@dataclass(slots=True)
class Person:
    """Somebody who does not exist. *id* is the number at WhatsApp, else the id for the page.

    *user_id* is the business's own id at WhatsApp; *shows_number*: the number is told too.
    """

    id: str
    name: str
    user_id: str = ""
    username: str = ""
    shows_number: bool = True


@dataclass(slots=True)
class Said:
    """A message. *more* is what its type holds, *mark* what the sender sent along.

    *fails_with*: it was taken, and never leaves; its status says so.
    """

    id: str
    person: Person
    author: Author
    at: datetime
    type: str = "text"
    more: dict[str, Any] = field(default_factory=dict)
    mark: str = ""
    tag: str = ""
    fails_with: int | None = None

    @property
    def text(self) -> str:
        return str(self.more.get("body", ""))


@dataclass(frozen=True, slots=True)
class Template:
    """What a business wrote beforehand, and Meta judges."""

    name: str
    language: str = "en"
    category: str = "UTILITY"
    status: str = "APPROVED"


@dataclass(slots=True)
class Line:
    """A number, a page or a profile. *node* is what an app subscribes to, *own* its id in pushes.

    *fields* are what the app is pushed of *node*; None: it is not subscribed. *override* is another
    address of the node, *own_override* one of the line itself: it stands before all others.
    """

    kind: Kind
    id: str
    node: str
    own: str
    app: App
    token: Token
    display: str = ""
    quality: str = "GREEN"
    fields: set[str] | None = None
    override: str | None = None
    own_override: str | None = None
    templates: list[Template] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def with_(self, person: Person) -> list[Said]:
        """What was said with *person*, oldest first."""
        return [one for one in self.said if one.person is person]

    def is_waiting(self, person: Person) -> bool:
        told = [one for one in self.with_(person) if one.type not in QUIET]
        return bool(told) and told[-1].author == "person"

    def shuts_at(self, person: Person, within: timedelta = WINDOW) -> datetime | None:
        """When the window for *person* shuts; None: it never was open."""
        asked = [
            one.at for one in self.with_(person)
            if one.author == "person" and one.type not in QUIET
        ]  # fmt: skip
        return asked[-1] + within if asked else None

    @property
    def place(self) -> str | None:
        """Where news of it are pushed to now."""
        if self.fields is None:
            return None
        if self.own_override or self.override:
            return self.own_override or self.override
        one = self.app.subscriptions.get(OBJECTS[self.kind])
        return one.callback_url if one is not None and one.active else None


@dataclass(slots=True)
class Graph:
    """Everything at Meta; *on_said* hears of each message, *on_status* of what became of one."""

    clock: Callable[[], datetime]
    random: Random
    habits: Habits = field(default_factory=Habits)
    apps: dict[str, App] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    on_said: Callable[[Line, Said], None] = lambda _line, _said: None
    _count: int = 0

    def number(self) -> str:
        """A number that no other has."""
        self._count += 1
        return f"{10**14 + self.random.randrange(10**13) * 1000 + self._count % 1000}"

    def add_app(self) -> App:
        app = App(self.number(), f"{self.random.getrandbits(128):032x}")
        self.apps[app.id] = app
        return app

    def add_line(self, kind: Kind, app: App | None = None) -> Line:
        """A new number, page or profile, of an app that nothing is pushed to yet."""
        app = app or self.add_app()
        id_, node, own = self.number(), self.number(), self.number()
        if kind != "whatsapp":
            node, own = id_, id_ if kind == "messenger" else own
        token = Token(f"EAA{self.random.getrandbits(256):064x}")
        line = Line(kind, id_, node, own, app, token, display=f"1555{self.number()[-7:]}")
        self.lines[id_] = line
        return line

    def add_person(self, line: Line, name: str = "Ana Kowalska", phone: str = "") -> Person:
        """Somebody new on *line*; at WhatsApp with *phone*, where it is given."""
        number = self.number()
        id_ = phone.lstrip("+") or f"4860{number[-7:]}"
        id_ = id_ if line.kind == "whatsapp" else number
        person = Person(id_, name, user_id=f"PL.{number}" if line.kind == "whatsapp" else "")
        line.people[id_] = person
        return person

    def says(
        self,
        line: Line,
        person: Person,
        text: str = "",
        *,
        at: datetime | None = None,
        author: Author = "person",
        type_: str = "text",
        **more: Any,
    ) -> Said:
        """*person* writes, or the seller does: in the app or page (``elsewhere``)."""
        content = {"body": text, **more} if type_ == "text" else more
        said = Said(self._id(line, person), person, author, at or self.clock(), type_, content)
        return self._put(line, said)

    def takes(
        self,
        line: Line,
        person: Person,
        text: str,
        mark: str,
        *,
        tag: str = "",
        fails_with: int | None = None,
    ) -> Said:
        """A message of ours is taken."""
        id_, content = self._id(line, person), {"body": text}
        said = Said(id_, person, "api", self.clock(), "text", content, mark, tag, fails_with)
        return self._put(line, said)

    def find(self, line: Line, *names: str | None) -> Person | None:
        """Whoever is called so there."""
        wanted = {name for name in names if name}
        return next((p for p in line.people.values() if {p.id, p.user_id} & wanted), None)

    def holder(self, token: str) -> Line | None:
        """Whose token it is."""
        return next((one for one in self.lines.values() if one.token.text == token), None)

    def _put(self, line: Line, said: Said) -> Said:
        line.said.append(said)
        self.on_said(line, said)
        return said

    def _id(self, line: Line, person: Person) -> str:
        """An id as Meta makes them: at WhatsApp the person's number stands in it."""
        if line.kind == "whatsapp":
            told = f"\x1d\x16{person.id}\x15{self.number()}".encode()
            return f"wamid.{b64encode(told).decode()}"
        return f"m_{self.random.getrandbits(160):040x}"
