"""A seeded board and programs that ask it: for the tests of the API."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import aiohttp

from core import ingest
from core.access import Role, Who
from core.connector import Capabilities, Unwelcome
from core.desk import answering, tokens
from core.model import File, Message, Page, Thread
from core.store import macros as stored
from core.store import people, transaction
from core.store.macros import Macro
from sla.policy import Party
from tests.core import seeds
from tests.web import board

NOW = board.NOW
HOUR = timedelta(hours=1)
CAN = Capabilities(
    replies=True, longest_reply=200, unseen_mark=True, unwelcome=(Unwelcome("link", "the rules"),),
    most_enclosed=1_000, most_files=2, enclosed=frozenset({"application/pdf", "text/plain"}),
    linked=frozenset({"application/pdf"}),
)  # fmt: skip
SPEC = SimpleNamespace(can=lambda _: CAN, refuses=None, narrows=None, reported=None)
THREADS = ("T1", "T/2", "주문 3?", "T%2F4")
TEXTS = {"de": "Guten Tag! {{agent}}", "en": "Hello! {{agent}}"}


def configured(name):
    return SimpleNamespace(account=seeds.account(name), spec=SPEC, options=None, own_mark=False,
                           promises=(seeds.policy("contract", marketplace_mark=True),))  # fmt: skip


async def seeded(pool):
    """Two accounts; in the first the buyers of `THREADS` wait, in the other one of ``T9``."""
    contract = seeds.policy("contract", marketplace_mark=True)
    rules = seeds.rules(
        accounts=("mk", "other"), policies=dict.fromkeys(("mk", "other"), (contract,))
    )
    accounts = {name: configured(name) for name in ("mk", "other")}
    async with transaction(pool) as db:
        for account, names in (("mk", THREADS), ("other", ("T9",))):
            await seeds.put_account(db, NOW, account)
            await seeds.put_stream(db, NOW, account, seen_through=NOW)
            page = Page(
                messages=tuple(asked(n, name) for n, name in enumerate(names)),
                threads=tuple(known(name) for name in names),
            )
            await ingest.page(db, rules, account, page, NOW, None)
        await stored.put(db, Macro("hello", "Hello", TEXTS, ("mk",)), "anna", NOW)
    return board.Stage(pool, rules=rules, accounts=accounts)


def asked(number, thread):
    return Message(
        id=f"M-{thread}", thread=thread, party=Party.BUYER, sent_at=NOW - HOUR * (number + 1),
        to=frozenset({Party.SELLER}), body="Wo ist <b>es</b>?", language="de",
    )  # fmt: skip


def known(thread):
    return Thread(id=thread, as_of=NOW, subject="Paket", order_ids=("O1",), buyer="Zenobia Quill",
                  url="https://market.example/T")  # fmt: skip


async def with_file(pool):
    """A reply with a file that is to leave: the first of all."""
    pdf = File("label.pdf", b"%PDF-1.7", "application/pdf")
    async with transaction(pool) as db:
        return await answering.queue(db, "mk", "T1", "Hier ist es.", {Party.BUYER}, NOW, [pdf],
                                     hold=HOUR, by="root")  # fmt: skip


@dataclass
class Program:
    """A program with a token; answers are (status, JSON or text, headers)."""

    session: aiohttp.ClientSession
    base: str
    token: str

    async def ask(self, method, path, *, body=None, **headers):
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        address = aiohttp.client.URL(f"{self.base}/api/v1{path}", encoded=True)
        async with self.session.request(method, address, json=body, headers=sent) as answer:
            raw = await answer.read()
            is_json = answer.content_type.endswith("json") and raw
            found = json.loads(raw) if is_json else raw.decode(errors="replace")
            return Answer(answer.status, found, answer.headers, raw)

    async def get(self, path, **headers):
        return await self.ask("GET", path, **headers)


@dataclass
class Answer:
    status: int
    said: object
    headers: object
    raw: bytes = b""


async def token(pool, role=Role.AGENT, accounts=None, name="anna"):
    """A token of somebody new."""
    async with transaction(pool) as db:
        if await people.of(db, name) is None:
            await people.add(db, name, name.title(), role, accounts, NOW)
        return await tokens.make(db, Who(name, role, accounts), "test", role, accounts, None, NOW)


@asynccontextmanager
async def program(stage, base, role=Role.AGENT, accounts=None, name="anna"):
    """A program of somebody new."""
    secret = await token(stage.pool, role, accounts, name)
    async with aiohttp.ClientSession() as session:
        yield Program(session, base, secret)
