"""What an error of Magento means, and what one of something that stands before it. Pure.

Magento answers a token that nobody knows and one that lacks a right alike: 401, and the resource
that it would take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.magento.payload import Complaint
from connectors.webstore.remarks import walls
from core.errors import BadCredentials, BadPayload, Refused, Unreachable

if TYPE_CHECKING:
    from core.errors import ConnectorError

BEARER = (
    "is the integration active, may its token be used as a bearer token (Stores > Configuration >"
    " Services > OAuth > Consumer Settings), and has it the resources Sales > Operations > Orders >"
    " Actions (view, comment)?"
)
NO_API = "there is no API at this address: is base_url that of the shop?"


def reading(fault: ConnectorError, operation: str) -> ConnectorError:
    """*fault* of a question, with what to look at."""
    if isinstance(fault, BadCredentials):
        if fault.detail == "403" and not _spoke(fault.raw):
            return walls.unreached(operation)
        return BadCredentials(f"{fault}: {BEARER}", detail=fault.detail, raw=fault.raw)
    if isinstance(fault, BadPayload):
        return walls.hinted(fault, _hint(fault))
    return fault


def before_sending(fault: ConnectorError, operation: str) -> ConnectorError:
    """*fault* of a question without which nothing is sent: so nothing was."""
    if isinstance(fault, BadPayload) and is_gone(fault):
        return Refused(f"{operation}: the order is not there any more", detail=fault.detail)
    if isinstance(fault, BadPayload):
        return Unreachable(f"{fault}; nothing was sent", detail=fault.detail)
    return fault


def sending(fault: BadCredentials, operation: str) -> ConnectorError:
    """*fault* of something that was certainly not done, with what to look at."""
    if fault.detail == "403" and not _spoke(fault.raw):
        return walls.unsent(operation)
    return BadCredentials(f"{fault}: {BEARER}", detail=fault.detail, alone=True, raw=fault.raw)


def is_gone(fault: BadPayload) -> bool:
    """Whether an order is not there any more; an API that is not there is another matter."""
    return fault.detail == "404" and _spoke(fault.raw)


def _hint(fault: BadPayload) -> str:
    if fault.detail == "not_json":
        return walls.NO_JSON
    return NO_API if fault.detail == "404" and not _spoke(fault.raw) else ""


def _spoke(raw: bytes) -> bool:
    """Whether these are Magento's words."""
    try:
        Complaint.model_validate_json(raw)
    except ValidationError:
        return False
    return True
