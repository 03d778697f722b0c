"""Signs the links in notices, where the board is reached from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.desk.links import Signer
from core.store import linking, statement

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import Dispatch
    from core.outbox.batch import Takes
    from core.running.state import State


class Signing:
    """Remembers the key of this installation, which never changes."""

    def __init__(self) -> None:
        self._key: bytes | None = None

    async def takes(self, state: State) -> Takes | None:
        """How links are made by the settings of this moment; None: nobody could follow one.

        Raises:
            StoreUnavailable: the key was never read.
        """
        web = state.settings.web
        if web is None or web.public_url is None:
            return None
        if self._key is None:
            async with statement(state.pool) as db:
                self._key = await linking.key(db)
        signer = Signer(self._key, web.public_url, state.settings.board.link_valid)
        directory = state.rules.routing.directory

        def address(dispatch: Dispatch, at: datetime) -> str | None:
            return signer.address(dispatch.notice, dispatch.notifier, dispatch.ways, directory, at)

        return address
