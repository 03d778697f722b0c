"""Notices by e-mail: plain text, one message a notice to all recipients.

The Message-ID is made of the notice's key, so a mail that is sent again can be told from a new one.
"""

from __future__ import annotations

import asyncio
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from socket import gethostname
from typing import TYPE_CHECKING, Annotated, Any, Literal

import aiosmtplib
import structlog
from pydantic import AfterValidator, Field, SecretStr, model_validator

from core.errors import NotifierError, Unfit
from core.notifier import NotifierOptions, Settled, stable_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from core.model import Notice
    from core.notifier import Means, Words

log = structlog.get_logger()

SECONDS = 25.0
CONNECTIONS = 4
KEPT = 1000


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    try:
        known = Address(name, addr_spec=address)
    except (ValueError, IndexError):
        known = Address()
    if not (known.domain and known.addr_spec.isascii() and text.isprintable()):
        raise Unfit("is no mail address; write it like desk@example.com")
    return text


Mailbox = Annotated[str, AfterValidator(_mailbox)]


class EmailOptions(NotifierOptions):
    """*port* follows from *tls* where it is left out: 25, 587 for starttls, 465 for tls."""

    kind: Literal["email"] = "email"
    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: Mailbox = Field(alias="from")
    to: tuple[Mailbox, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise Unfit("user and password go together; write both or neither")
        if self.password is not None and self.tls == "none":
            raise Unfit("the password would travel unencrypted; set tls to starttls or tls")
        return self


class Email(Settled):
    """Sends through one SMTP server, a connection a message and a few at once.

    Recipients that were refused for now are tried again alone, as long as this process lives.
    """

    def __init__(self, name: str, options: EmailOptions, means: Means) -> None:  # noqa: ARG002  # every kind is opened alike
        super().__init__(name, options)
        self._options = options
        self._to = tuple(parseaddr(each)[1] for each in options.to)
        self._left: dict[str, tuple[tuple[str, ...], bool]] = {}
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._tls = None if options.tls == "none" else ssl.create_default_context()

    async def send(self, notice: Notice, words: Words) -> None:
        """Send to every recipient that has not taken this notice yet.

        Raises:
            NotifierError: permanent when the server refuses the mail, the login, or everybody.
        """
        to, reached = self._left.get(notice.key, (self._to, False))
        refused = await self._codes(compose(notice, words, self._options), to)
        later = tuple(each for each in to if 400 <= refused.get(each, 0) < 500)
        never = sum(code >= 500 for code in refused.values())
        reached = reached or len(refused) < len(to)
        if never:
            log.warning("recipients refused", notifier=self.name, recipients=never)
        if later:
            self._keep(notice.key, later, reached=reached)
            raise NotifierError(f"{len(later)} of {len(self._to)} recipients refused for now")
        self._left.pop(notice.key, None)
        if not reached:
            raise NotifierError("every recipient was refused", permanent=True)

    def _keep(self, key: str, left: tuple[str, ...], *, reached: bool) -> None:
        self._left[key] = (left, reached)
        if len(self._left) > KEPT:
            self._left.pop(next(iter(self._left)))

    async def _codes(self, message: EmailMessage, to: tuple[str, ...]) -> Mapping[str, int]:
        """The SMTP status by recipient that was refused."""
        try:
            async with self._free:
                refused, _ = await aiosmtplib.send(message, recipients=to, **self._connection())
        except aiosmtplib.SMTPRecipientsRefused as fault:
            return {each.recipient: each.code for each in fault.recipients}
        except aiosmtplib.SMTPResponseException as fault:
            said = f"the mail server answered {fault.code}"
            raise NotifierError(said, permanent=fault.code >= 500) from None
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise NotifierError(f"the mail server is away: {type(fault).__name__}") from None
        return {address: code for address, (code, _) in refused.items()}

    def _connection(self) -> dict[str, Any]:
        given = self._options
        return {
            "sender": parseaddr(given.sender)[1],
            "hostname": given.host,
            "port": given.port,
            "username": given.user,
            "password": given.password.get_secret_value() if given.password else None,
            "use_tls": given.tls == "tls",
            "start_tls": given.tls == "starttls",
            "tls_context": self._tls,
            "local_hostname": gethostname(),
            "timeout": SECONDS,
        }


def compose(notice: Notice, words: Words, options: EmailOptions) -> EmailMessage:
    """The mail for *notice*; header values are one line each, the text is UTF-8."""
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<{stable_id(notice)}@{parseaddr(options.sender)[1].split('@')[1]}>"
    message["Date"] = words.at
    message["From"] = options.sender
    message["To"] = ", ".join(options.to)
    message["Subject"] = " ".join(words.subject.split())
    message["Auto-Submitted"] = "auto-generated"
    take = f"I take it: {words.act_url}" if words.act_url else None
    links = "\n".join(filter(None, (words.url, take)))
    text = f"{words.text}\n\n{links}\n" if links else f"{words.text}\n"
    message.set_content(text, charset="utf-8", cte="quoted-printable")
    return message
