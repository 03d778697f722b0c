"""What a profile says in the settings."""

from __future__ import annotations

from typing import Literal

from connectors.webstore.meta.options import Number  # noqa: TC001  # pydantic reads it
from connectors.webstore.meta.pages.options import PageOptions


class InstagramOptions(PageOptions):
    """One professional profile, by the page on which it hangs; *instagram_id* is its own."""

    kind: Literal["instagram"]
    instagram_id: Number

    @property
    def own_id(self) -> str:
        """What the seller is called in pushes and conversations."""
        return self.instagram_id
