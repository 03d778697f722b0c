"""Commands that erase a person by hand, and show whom nobody finds here any more."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from core import loops
from core.arrival import erasing
from core.commands import opening, shown
from core.errors import Mistaken
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import erasures, transaction, workers

SHORTEST = 3
"""Signs of an id that a person here may write."""

if TYPE_CHECKING:
    from pathlib import Path

    from core.rules import Rules
    from core.store import Pool


def ids_given() -> frozenset[str]:
    """What stands on the lines of the standard input; a person ends them by an empty one.

    Never on the command line, which a shell would keep and others can see.
    """
    if sys.stdin.isatty():
        click.echo("All ids of the person, one on each line; an empty line ends them.", err=True)
    lines = iter(sys.stdin.readline, "\n") if sys.stdin.isatty() else sys.stdin
    return frozenset(id_ for line in lines if (id_ := line.strip()))


def _check(ids: frozenset[str], own: frozenset[str]) -> None:
    """Nothing brings back what was erased: what can be nobody's id is not looked for.

    Raises:
        Mistaken: so it is.
    """
    if not ids:
        raise Mistaken("no id was given; write one on each line, all of the same person")
    if any(len(id_) < SHORTEST for id_ in ids):
        told = f"an id has fewer than {SHORTEST} signs, which stand in many texts and name nobody"
        raise Mistaken(f"{told}; write the whole id")
    if any(id_.casefold() in own for id_ in ids):
        raise Mistaken("an id is the seller's own; write those of the person who is to be erased")


async def erase(path: Path, account: str, ids: frozenset[str]) -> None:
    """Erase a person from an account, by their *ids*; the daemon does it where one runs.

    Raises:
        Mistaken: there is no such account, no id, or one that is nobody's or the seller's own.
    """
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    connector = found.account.connector
    _check(ids, found.spec.own(found.options) if found.spec.own else frozenset())
    async with opening.ruled(configured) as (pool, rules):
        async with transaction(pool) as db:
            asked = await erasing.ask(
                db, connector, None, [Member(ids)], loops.utcnow(), account=account
            )
            runs = await workers.alive(db)
        if runs:
            click.echo(f"erasure {asked} is asked for; the daemon does it: replyby erasures")
            return
        await _at_once(pool, rules)
        async with transaction(pool) as db:
            proof = await erasures.of(db, asked or 0)
    if proof is not None:
        told = f"{proof.threads} threads emptied, {proof.texts} other texts cleared"
        click.echo(f"erasure {asked} is done: {told}")


async def _at_once(pool: Pool, rules: Rules) -> None:
    """Do whatever waits to be done."""
    means = forgetting.Means(pool, rules, Metrics(), lambda: None)
    again = True
    while again:
        again = await forgetting.once(means, forgetting.Pace(), loops.utcnow()) is not None


async def listed(path: Path, limit: int, *, everything: bool, as_json: bool) -> None:
    """Show what was asked, the newest first: that came to something or waits, or *everything*."""
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found = await erasures.proofs(db, limit + 1, everything=everything)
    none = "nobody was erased" if everything else "nobody was erased of whom anything was stored"
    shown.rows(
        [asdict(one) for one in found[:limit]], as_json=as_json, none=none,
        hidden=("push", "published_at"),
    )  # fmt: skip
    if len(found) > limit:
        click.echo(f"there are more than these {limit}; for more: --limit", err=True)
