"""What stands before a shop and answers in its place: firewalls, plugins, maintenance pages. Pure.

They answer as they like: HTML with 403, which is no word about a key, or with 200.
"""

from __future__ import annotations

from core.errors import BadPayload, Refused, Unreachable

BEFORE = (
    "what stands before the shop refuses us, the shop itself has said nothing: let its firewall or"
    " security plugin pass this machine to the API"
)
NO_JSON = (
    "this is no word of the API: does a plugin, a maintenance page or a notice of PHP answer in its"
    " place?"
)


def unreached(operation: str) -> Unreachable:
    """A question that a wall answered with 403."""
    return Unreachable(f"{operation}: {BEFORE} (status 403)", detail="403")


def unsent(operation: str) -> Refused:
    """Something sent that a wall answered with 403: it did not get there."""
    return Refused(f"{operation}: {BEFORE} (status 403)", detail="403")


def hinted(fault: BadPayload, hint: str) -> BadPayload:
    """*fault* with what to look at; as it is where nothing is known."""
    return BadPayload(f"{fault}: {hint}", raw=fault.raw, detail=fault.detail) if hint else fault
