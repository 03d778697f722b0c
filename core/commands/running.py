"""`run` and `healthcheck`."""

from __future__ import annotations

import asyncio
import http.client
import os
import tomllib
import urllib.error
import urllib.request
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from core.log import Redaction
    from core.settings import Settings

SECONDS = 5.0
DEFAULT = "127.0.0.1:9100"
OVERRIDE = "REPLYBY_OPS__LISTEN"


def run(path: Path, *, sandbox: bool) -> None:
    """Run the daemon until it is asked to stop.

    Raises:
        SettingsError: the settings cannot be used.
        ExceptionGroup: a loop failed in a way that nobody expected.
    """
    from core import daemon, log  # noqa: PLC0415  # `healthcheck` does without them
    from core.commands import opening  # noqa: PLC0415  # healthcheck stays fast

    first = opening.read(path, sandbox=sandbox)
    redaction = log.set_up(first.log.format, first.log.level, secrets=first.secrets)
    reading = iter([first])

    def load() -> Settings:
        return next(reading, None) or opening.read(path, sandbox=sandbox)

    with _told(first, redaction):
        asyncio.run(daemon.run(load, redaction, click.echo))


def _told(settings: Settings, redaction: Redaction) -> AbstractContextManager[None]:
    """Whoever is told of faults of the program meanwhile."""
    if settings.sentry is None:
        return nullcontext()
    from core.running import faults  # noqa: PLC0415  # needs an extra

    return faults.told(settings.sentry, redaction)


def healthcheck(path: Path) -> list[str]:
    """Ask the daemon on this machine whether it lives and is ready; why not, one line each."""
    base = f"http://{_reachable(_listens_at(path))}"
    return [fault for fault in (_ask(f"{base}/livez"), _ask(f"{base}/readyz")) if fault]


def _ask(url: str) -> str:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as fault:
        why = getattr(fault, "reason", None) or fault
        return (
            f"{url} does not answer ({why}); is the daemon running? If it listens elsewhere, say "
            f"so here too: ops.listen of the settings, or {OVERRIDE}"
        )


def _listens_at(path: Path) -> str:
    """`ops.listen` of the settings, read without checking anything else: this must be quick."""
    if override := os.environ.get(OVERRIDE):
        return override
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return DEFAULT
    ops = table.get("ops")
    return str(ops.get("listen", DEFAULT)) if isinstance(ops, dict) else DEFAULT


def _reachable(address: str) -> str:
    """An address that means every one of this machine, as one that can be asked."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]", ""} else address  # noqa: S104  # it is replaced
