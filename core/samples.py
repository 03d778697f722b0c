"""What a person tries before it runs: a sample of what a source sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import Page


@runtime_checkable
class Translates(Protocol):
    """Is told by its settings what words mean, so that they can be tried."""

    def translate(self, sample: bytes, now: datetime) -> Page:
        """What *sample*, as a source sent it, becomes; without a call.

        Raises:
            BadPayload: nothing of it can be read.
        """
        ...
