"""What an error of a WordPress means, and what one of something that stands before it. Pure.

A WordPress answers errors as JSON with a ``code`` of its own; a firewall, a security plugin, a
maintenance page and a broken theme answer as they like, some with the status 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.remarks import walls
from connectors.webstore.woocommerce.payload import Complaint
from core.errors import BadCredentials, BadPayload

if TYPE_CHECKING:
    from core.errors import ConnectorError

UNHANDED = (
    "does the server hand on the header Authorization? Apache as CGI wants"
    " `CGIPassAuth On` or a rule in .htaccess; keys never go into the address"
)
READ_ONLY = "is the key's permission Read/Write?"
NO_API = (
    "there is no API at this address: is base_url that of the WordPress, is WooCommerce active, and"
    " if the shop has plain permalinks, is permalinks = false?"
)


def reading(fault: ConnectorError, operation: str) -> ConnectorError:
    """*fault* of a question, with what to look at."""
    if isinstance(fault, BadCredentials):
        return _barred(fault, operation)
    if isinstance(fault, BadPayload):
        return _unread(fault)
    return fault


def sending(fault: BadCredentials, operation: str) -> ConnectorError:
    """*fault* of something that was certainly not done, with what to look at."""
    if fault.detail == "403" and _code(fault.raw) is None:
        return walls.unsent(operation)
    return BadCredentials(f"{fault}: {READ_ONLY}", detail=fault.detail, alone=True, raw=fault.raw)


def is_gone(fault: BadPayload) -> bool:
    """Whether an order is not there any more; an API that is not there is another matter."""
    return fault.detail in {"404", "410"} and (_code(fault.raw) or "").endswith("_invalid_id")


def _barred(fault: BadCredentials, operation: str) -> ConnectorError:
    """401 is a key that nobody knows, or that did not arrive; 403 one that may not do this."""
    code = _code(fault.raw)
    if fault.detail == "403" and code is None:
        return walls.unreached(operation)
    if fault.detail == "403":
        told = f"{operation}: the key is good, and its user may not do this (status 403)"
        hint = "make the key for a user who is Shop manager or Administrator"
        return BadCredentials(f"{told}; {hint}", detail="403", alone=True, raw=fault.raw)
    if code == "woocommerce_rest_cannot_view":
        return BadCredentials(f"{fault}: {UNHANDED}", detail=fault.detail, raw=fault.raw)
    return fault


def _unread(fault: BadPayload) -> BadPayload:
    hint = ""
    if fault.detail == "not_json":
        hint = walls.NO_JSON
    elif fault.detail == "404" and _code(fault.raw) in {None, "rest_no_route"}:
        hint = NO_API
    return walls.hinted(fault, hint)


def _code(raw: bytes) -> str | None:
    """WordPress's word for what is wrong; None where WordPress did not speak."""
    try:
        return Complaint.model_validate_json(raw).code
    except ValidationError:
        return None
