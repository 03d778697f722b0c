"""Reads one shop's mailbox, and answers its buyers from there."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from connectors.amazon import answering, mapping, reading, trust
from connectors.amazon.letter import Arrival, Pieces
from connectors.amazon.mends import telling
from connectors.amazon.offer import MAIL
from connectors.amazon.reading import Place
from core.connector import Sent
from core.errors import OutcomeUnknown, SettingsError
from core.model import SetAside
from core.transport import mime, outgoing
from core.transport.login import Login
from core.transport.oauth import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.amazon.identity import Memory
    from connectors.amazon.options import AmazonOptions, Server
    from core.connector import Transport
    from core.model import Draft, Page, Thread
    from core.transport.mailbox import Letter, Letters
    from core.transport.oauth import OAuth

ALTOGETHER = 55.0
"""Seconds for an answer and for keeping its copy: less than core gives a reply."""

REMEMBERED = timedelta(days=90)
"""How long letters without a case are remembered at least."""

FEWER = 4
"""After a page that was cut off the next one has so many times fewer letters, until one succeeds:
those that take long to read must not hold up the rest for ever."""

log = structlog.get_logger()


class Amazon:
    """One account. What it remembers between two walks stands in the cursor."""

    def __init__(self, options: AmazonOptions, transport: Transport) -> None:
        if transport.mailboxes is None or transport.smtp is None:
            raise SettingsError(["an Amazon account reads and sends mail; nothing here does"])
        grant = _grant(options)
        tokens = transport.mailboxes.tokens(transport.http, grant, _replaced) if grant else None
        self._options = options
        self._mailbox = transport.mailboxes.open(_login(options, options.imap, tokens))
        self._smtp = transport.smtp
        self._outbox = _login(options, options.smtp, tokens)
        self._most = reading.MOST
        self._remembered = max(REMEMBERED, options.same_subject, options.look_back)

    async def check(self) -> None:
        """Log in where letters are read and where they are sent; send none."""
        with telling("imap", self._options):
            await self._mailbox.check()
        for key in ("inbox", "sent", "junk"):
            if folder := getattr(self._options, key):
                with telling(key, self._options):
                    await self._mailbox.check(folder)
        with telling("smtp", self._options):
            await self._smtp.check(self._outbox)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """The next letters of all folders."""
        if stream == MAIL:
            return await self._mail(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    async def wait(self, stop: asyncio.Event) -> bool:
        """Listen to the inbox (IMAP IDLE)."""
        with telling("imap", self._options):
            return await self._mailbox.wait(stop, self._options.inbox)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send *draft* as one letter; what becomes of it is told by letters, later (trap 14)."""
        began = monotonic()
        letter = answering.letter(thread, draft, self._options, now)
        raw = outgoing.composed(letter)
        try:
            with telling("smtp", self._options):
                await self._smtp.send(
                    self._outbox, letter.sender.address, letter.recipient.address, raw
                )
        except OutcomeUnknown as fault:
            fault.message_id = letter.message_id
            raise
        await self._keep(raw, now, ALTOGETHER - (monotonic() - began))
        return Sent(letter.message_id)

    async def _keep(self, raw: bytes, at: datetime, seconds: float) -> None:
        """Keep a copy of what was sent where the provider does not; no harm where that fails."""
        keeps, folder = self._options.saves_sent, self._options.sent
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._mailbox.append_to_sent(raw, at, folder, keeps=keeps)

    async def _mail(self, cursor: str | None, position: str | None, now: datetime) -> Page:
        place = Place.read(position or cursor)
        if position is None:
            place = place.begun(now - self._options.look_back)
        most, self._most = self._most, max(1, self._most // FEWER)
        folders = await self._folders()
        got = await reading.portion(self._read, list(folders), place, now, most)
        pieces = await self._pieces(got.letters, folders, place.memory, now)
        after = replace(got.place, memory=pieces.memory.since(now - self._remembered))
        written = (after if got.more else after.ended()).write()
        self._most = min(reading.MOST, 2 * most)
        return replace(
            pieces.page(), cursor=written, position=written if got.more else None, more=got.more
        )

    async def _folders(self) -> dict[str, bool]:
        """The folders to read, the inbox first, and whether what lies there left from here."""
        options = self._options
        junk, sent = options.junk, options.sent
        if junk is None or sent is None:
            with telling("imap", options):
                found = await self._mailbox.folders()
            junk, sent = junk or found.get("junk"), sent or found.get("sent")
        named = {options.inbox: False, junk: False, sent: True}
        return {name: is_sent for name, is_sent in named.items() if name}

    async def _read(
        self, folder: str, position: str | None, since: datetime, limit: int
    ) -> Letters:
        options = self._options
        named = {options.sent: "sent", options.junk: "junk", options.inbox: "inbox"}
        with telling(named.get(folder, "imap"), options):
            return await self._mailbox.read(folder, position, since, limit)

    async def _pieces(
        self, letters: Iterable[Letter], folders: dict[str, bool], memory: Memory, now: datetime
    ) -> Pieces:
        """What comes of *letters*; between two of them others have their turn."""
        every: list[Pieces] = []
        for letter in letters:
            every.append(self._piece(letter, memory, now, is_sent=folders[letter.folder]))
            memory = every[-1].memory
            await asyncio.sleep(0)
        return mapping.joined(every, memory)

    def _piece(self, letter: Letter, memory: Memory, now: datetime, *, is_sent: bool) -> Pieces:
        if letter.lack == "unfetched":
            return Pieces(set_aside=(_unfetched(letter),), memory=memory)
        mail = mime.read(letter.raw)
        trusted = trust.of(mail, self._options.authserv_ids)
        arrival = Arrival(mail, letter.arrived_at or now, trusted, is_sent)
        pieces = mapping.pieces([arrival], self._options, memory, now)
        aside = list(pieces.set_aside)
        if letter.lack and pieces.messages:
            aside.append(_too_large(pieces.messages[0].id, letter))
        if not is_sent and trust.is_unheard(mail, self._options.authserv_ids):
            aside.append(_unheard(letter))
        return replace(pieces, set_aside=tuple(aside))


def _login(options: AmazonOptions, server: Server, tokens: OAuth | None) -> Login:
    password = options.password.get_secret_value() if options.password else None
    return Login(server.host, server.port, options.user, password, tokens, server.tls)


def _grant(options: AmazonOptions) -> Grant | None:
    """By what tokens are asked for, for reading and sending alike; None: there is a password."""
    told = options.tokens
    if told is None:
        return None
    return Grant(
        told.token_url,
        told.client_id,
        told.client_secret.get_secret_value() if told.client_secret else None,
        told.refresh_token.get_secret_value() if told.refresh_token else None,
        told.scope,
    )


def _replaced(_: str) -> None:
    """Say that the provider gave another refresh token, which is known only until we end."""
    log.warning("refresh token replaced", mend="see tokens.refresh_token in the connector's README")


def _unfetched(letter: Letter) -> SetAside:
    name = f"{letter.folder}:{letter.uidvalidity}:{letter.uid}"
    return SetAside(name, "unfetched: the server does not give this letter", _facts(letter))


def _too_large(message: str, letter: Letter) -> SetAside:
    return SetAside(
        message, "too large: only its begin was read, files are missing", _facts(letter)
    )


def _unheard(letter: Letter) -> SetAside:
    """Kept once for all letters, by one name: a wrong name in the settings, most likely."""
    said = "unproven: none of authserv_ids spoke about a letter of Amazon's, and another server did"
    return SetAside("authserv_ids", said, _facts(letter))


def _facts(letter: Letter) -> bytes:
    arrived = letter.arrived_at and letter.arrived_at.isoformat()
    told = {"folder": letter.folder, "uid": letter.uid, "size": letter.size, "arrived_at": arrived}
    return json.dumps(told).encode()
