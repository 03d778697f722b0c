"""What a page says in the settings."""

from __future__ import annotations

from typing import Literal

from connectors.webstore.meta.pages.options import PageOptions


class MessengerOptions(PageOptions):
    """One page, whose token *access_token* is."""

    kind: Literal["messenger"]
