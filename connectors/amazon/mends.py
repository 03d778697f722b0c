"""What to look at where a mailbox or a mail server fails: which key of the options. Pure."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import BadCredentials, BadPayload, ConnectorError, RateLimited, Unreachable
from core.transport import oauth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.amazon.options import AmazonOptions

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
def telling(key: str, options: AmazonOptions) -> Iterator[None]:
    """What goes wrong in here says what to look at.

    *key* is ``imap``, ``smtp``, ``sp_api`` or a folder's.
    """
    try:
        yield
    except ConnectorError as fault:
        if told := mend(fault, key, options):
            fault.args = (f"{fault}; {told}",)
        raise


def mend(fault: ConnectorError, key: str, options: AmazonOptions) -> str:
    """What to look at; nothing where waiting is all that helps."""
    of_tokens = str(fault).startswith(OF_TOKENS)
    if key == "sp_api":
        return _interface(fault, options, of_tokens=of_tokens)
    if of_tokens:
        return _tokens(fault)
    if isinstance(fault, BadCredentials):
        return _credentials(fault.detail, options)
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


def _interface(fault: ConnectorError, options: AmazonOptions, *, of_tokens: bool) -> str:
    """Where SP-API lies elsewhere than at Amazon's own addresses; of the rest it tells itself."""
    key = "token_url" if of_tokens else "base_url"
    if not isinstance(fault, Unreachable) or not getattr(options.sp_api, key):
        return ""
    return f"is sp_api.{key} right, and does it answer?"


def _credentials(detail: str, options: AmazonOptions) -> str:
    if detail not in LOGIN:
        return "may user send as sender?"
    if options.tokens:
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
