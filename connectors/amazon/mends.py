"""What to look at where SP-API fails: which key of the options. Pure."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ConnectorError, Unreachable
from core.transport import mends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.amazon.options import SpApi


@contextmanager
def telling(given: SpApi) -> Iterator[None]:
    """What goes wrong in here says what to look at; of most SP-API tells itself."""
    try:
        yield
    except ConnectorError as fault:
        mends.add(fault, _mend(fault, given))
        raise


def _mend(fault: ConnectorError, given: SpApi) -> str:
    """What to look at where it lies elsewhere than at Amazon's own addresses."""
    key = "token_url" if mends.is_of_tokens(fault) else "base_url"
    if not isinstance(fault, Unreachable) or not getattr(given, key):
        return ""
    return f"is sp_api.{key} right, and does it answer?"
