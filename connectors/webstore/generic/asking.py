"""How the store is asked: the tables ``auth`` and ``poll``."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore.generic.moments import Form
from connectors.webstore.generic.paths import Path
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl

HEADER = r"^[A-Za-z0-9!#$&'*+.^_|~-]{1,100}$"
"""The name of a header (RFC 9110)."""

Header = Annotated[str, Field(pattern=HEADER)]
Parameter = Annotated[str, Field(pattern=r"^[^\s&=#?\x00]{1,100}$")]


def address(text: str) -> str:
    """An address without a user's name or a fragment in it.

    Raises:
        Unfit: it has one.
    """
    try:
        parts = urlsplit(text)
        is_one = bool(parts.hostname) and not parts.username and not parts.fragment
    except ValueError:
        is_one = False
    if not is_one:
        raise Unfit("is more than an address; secrets go into the table auth, what is behind # out")
    return text


Address = Annotated[SecureUrl, AfterValidator(address)]


class Auth(Part):
    """The table ``auth``: what goes with every call, to read and to answer.

    ``bearer``: *secret* as a bearer token; ``basic``: *user* and *secret* by HTTP Basic, *secret*
    may be left out; ``header``: *secret* alone in the header *header*; ``query``: in the query
    parameter *parameter*.
    """

    scheme: Literal["bearer", "basic", "header", "query"]
    secret: Secret | None = None
    user: str | None = Field(default=None, min_length=1, pattern=r"^[^:\r\n\x00]+$")
    header: Header | None = None
    parameter: Parameter | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.parameter is not None) != (self.scheme == "query"):
            raise Unfit('has a parameter if, and only if, scheme is "query"; mend one of the two')
        if (self.user is not None) != (self.scheme == "basic"):
            raise Unfit('has a user if, and only if, scheme is "basic"; mend one of the two')
        if (self.header is not None) != (self.scheme == "header"):
            raise Unfit('has a header if, and only if, scheme is "header"; mend one of the two')
        if self.secret is None and self.scheme != "basic":
            raise Unfit("has no secret; write secret, a reference such as env:NAME")
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What goes along."""
        secret = self.secret.get_secret_value() if self.secret else ""
        if self.scheme == "bearer":
            return {"Authorization": f"Bearer {secret}"}
        if self.scheme == "basic":
            both = f"{self.user}:{secret}".encode()
            return {"Authorization": f"Basic {b64encode(both).decode()}"}
        return {self.header: secret} if self.header else {}

    @property
    def params(self) -> dict[str, str]:
        """What goes along in the address."""
        secret = self.secret.get_secret_value() if self.secret else ""
        return {self.parameter: secret} if self.parameter else {}


class Since(Part):
    """The table ``since``: by which query *parameter* the store tells only what is new.

    *form* is how the instant is written, as in ``mapping.time``.
    """

    parameter: Parameter
    form: Form = "iso"


class Paging(Part):
    """The table ``paging``: how one page leads to the next.

    *by* ``page``: a number that grows by one from *first*; ``offset``: how many items were read;
    ``cursor``: what stands at *next* in the answer goes into *parameter*; ``url``: at *next* stands
    the next page's address; ``link``: it stands in the header ``Link`` (RFC 8288, rel="next").
    *size* is how many items a full page has, asked for by *size_parameter*: a page with fewer is
    the last. *alone*: a cursor goes without the other parameters.
    """

    by: Literal["page", "offset", "cursor", "url", "link"]
    parameter: Parameter | None = None
    first: int = Field(default=1, ge=0, le=1)
    size: int | None = Field(default=None, ge=2, le=10_000)
    size_parameter: Parameter | None = None
    next: Path | None = None
    alone: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.next is not None) != (self.by in {"cursor", "url"}):
            raise Unfit('names the place of what comes next if, and only if, it goes by "cursor" or'
                        ' "url"; write next, or remove it')  # fmt: skip
        if self.parameter is not None and self.by in {"url", "link"}:
            raise Unfit("has a parameter where a whole address leads on; remove parameter")
        if self.size_parameter is not None and self.size is None:
            raise Unfit("names a size_parameter and no size; write size")
        if self.alone and self.by != "cursor":
            raise Unfit('says alone, which is for "cursor"; remove it')
        return self

    @property
    def named(self) -> str:
        """The query parameter that leads on."""
        return self.parameter or self.by


class Rate(Part):
    """The table ``rate``: the headers by which the store tells what its limit leaves.

    *left* is how many calls; *reset* how many seconds until there are all again. The last *keep*
    are left to others.
    """

    left: Header
    reset: Header | None = None
    keep: int = Field(default=5, ge=0, le=1_000)


class Poll(Part):
    """The table ``poll``: the address that lists messages, and where in its answer they stand.

    *newest_first*: the list begins with the newest, so that a walk may end before its end.
    """

    url: Address
    items: Path
    since: Since | None = None
    paging: Paging | None = None
    newest_first: bool = False
    rate: Rate | None = None

    @model_validator(mode="after")
    def _needs_no_fixed_parameters(self) -> Self:
        fixed = {part.partition("=")[0] for part in urlsplit(self.url).query.split("&")}
        own = {
            self.since.parameter if self.since else None,
            self.paging.named if self.paging else None,
            self.paging.size_parameter if self.paging else None,
        }
        if fixed & own:
            raise Unfit("has a parameter in url that since or paging writes as well; remove it"
                        " from url")  # fmt: skip
        return self
