"""A terminal of tests: commands are given as a person gives them, on the database of the test."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from click.testing import CliRunner

from core import store
from core.cli import main

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SETTINGS = """
[store]
dsn = "env:TEST_DSN"
[notifiers.log]
kind = "file"
path = "notices.jsonl"
[routes.ops]
notifiers = ["log"]
fallback = true
"""


def settings(more: str) -> str:
    """Settings with *more*, on the database of the test; notices go into a file."""
    return SETTINGS + more


def dsn_of(address: dict[str, Any]) -> str:
    """The database as settings write it."""
    if "dsn" in address:
        base = address["dsn"].partition("?")[0].rpartition("/")[0]
        return f"{base}/{address['database']}"
    user, password = address["user"], quote(address["password"])
    host = quote(str(address["host"]), safe="")
    return f"postgresql://{user}:{password}@/{address['database']}?host={host}"


def give(*args: str, stdin: str = "") -> tuple[int, str, str]:
    """Give a command: its exit code, what it printed, what it complained of."""
    done = CliRunner().invoke(main, args, input=stdin, prog_name="replyby")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


async def give_beside(*args: str) -> tuple[int, str, str]:
    """As `give`, while the test's own loop serves on."""
    return await asyncio.to_thread(give, *args)


@contextmanager
def log_as_before() -> Iterator[None]:
    """What commands change about logging is as it was afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


def ask(address: dict[str, Any], work: Callable[[Any], Awaitable[Any]]) -> Any:
    """What *work* finds in the database that the commands use."""

    async def connected() -> Any:
        db = await store.connect(address)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(connected())
