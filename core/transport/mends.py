"""What to look at where a mailbox or a mail server fails: which key of the options. Pure.

The keys are those of `core.options.MailAccount`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import BadCredentials, BadPayload, ConnectorError, RateLimited, Unreachable
from core.transport import oauth

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSENT = "is the consent still good? consent again and replace tokens.refresh_token"
TOKENS = {
    "invalid_grant": CONSENT,
    "consent_required": CONSENT,
    "interaction_required": CONSENT,
    "access_denied": CONSENT,
    "invalid_client": "are tokens.client_id and tokens.client_secret right, and not expired?",
    "unauthorized_client": "may tokens.client_id ask for this grant?",
    "invalid_scope": "is tokens.scope right?",
}
OF_TOKENS = f"{oauth.OPERATION} at "
"""How each error begins that comes from where tokens are given."""
LOGIN = frozenset({"login", "530", "534", "535", "538"})


@contextmanager
def telling(key: str, *, by_tokens: bool, within: str | None = None) -> Iterator[None]:
    """What goes wrong in here says what to look at.

    *key* is ``imap``, ``smtp`` or a folder's; *by_tokens*: these enter, no password. *within* is
    the table of the options in which the keys stand, None where that is their own.
    """
    try:
        yield
    except ConnectorError as fault:
        told = mend(fault, key, by_tokens=by_tokens)
        add(fault, f"{told} (in the table {within})" if told and within else told)
        raise


def add(fault: ConnectorError, told: str) -> None:
    """Let *fault* say *told* too, unless that is nothing."""
    if told:
        fault.args = (f"{fault}; {told}",)


def is_of_tokens(fault: ConnectorError) -> bool:
    """Whether *fault* comes from where tokens are given."""
    return str(fault).startswith(OF_TOKENS)


def mend(fault: ConnectorError, key: str, *, by_tokens: bool) -> str:
    """What to look at; nothing where waiting is all that helps."""
    if is_of_tokens(fault):
        return _tokens(fault)
    if isinstance(fault, BadCredentials):
        return _credentials(fault.detail, by_tokens=by_tokens)
    server = "smtp" if key == "smtp" else "imap"
    if isinstance(fault, Unreachable):
        return _connection(fault.detail, server)
    if isinstance(fault, BadPayload) and server != key:
        return f"is there a folder as {key} names it?"
    return ""


def _tokens(fault: ConnectorError) -> str:
    if isinstance(fault, BadCredentials):
        return TOKENS.get(fault.detail, TOKENS["invalid_client"])
    if isinstance(fault, RateLimited):
        return ""
    return "is tokens.token_url right, and does it answer?"


def _credentials(detail: str, *, by_tokens: bool) -> str:
    if detail not in LOGIN:
        return "may user send as sender?"
    if by_tokens:
        return "are user and tokens.scope right, and is IMAP and SMTP allowed for this mailbox?"
    return "are user and password right? Gmail wants an app password, Microsoft 365 tokens"


def _connection(detail: str, server: str) -> str:
    if detail == "tls":
        return f"is {server}.tls right (tls, starttls), and the certificate good for {server}.host?"
    if detail == "dns":
        return f"is {server}.host right?"
    if detail in {"network", "timeout"}:
        return f"are {server}.host, port and tls right, and does it answer?"
    if detail == "server":
        return f"are {server}.port and {server}.tls right? what answers there speaks otherwise"
    return ""
