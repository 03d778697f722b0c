"""The seller's own webstore: one connector for its mailboxes, shops, chats and numbers.

Each is an account of its own, of a kind that its option ``kind`` names (`kinds`); accounts of one
shop say so in their key ``shop``. What is true of all kinds stands here; `signatures` are how those
that push sign. Trap numbers are those of README.md.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kinds import KINDS, AnyStore, of
from core.connector import Filling, SandboxSpec, Spec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from connectors.webstore.kind import StoreOptions
    from core.connector import Capabilities, SandboxClock
    from core.model import Thread
    from sla.policy import Party


def _findings(found: StoreOptions, others: Sequence[StoreOptions]) -> tuple[str, ...]:
    kind = of(found)
    same = [each for each in others if each.kind == found.kind]
    return () if kind.findings is None else kind.findings(found, same)


def _pushed_to(found: StoreOptions) -> str | None:
    kind = of(found)
    return None if kind.pushed_to is None else kind.pushed_to(found)


def _pusher(found: StoreOptions) -> str:
    kind = of(found)
    return kind.word if kind.pusher is None else kind.pusher(found)


def _refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """As the thread's kind says, whose word every thread of ours carries in ``reply_to``."""
    kind = KINDS.get(thread.reply_to.get("kind", ""))
    return None if kind is None or kind.refuses is None else kind.refuses(thread, to)


def _narrows(can: Capabilities, thread: Thread) -> Capabilities:
    kind = KINDS.get(thread.reply_to.get("kind", ""))
    return can if kind is None or kind.narrows is None else kind.narrows(can, thread)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, StoreOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    async with AsyncExitStack() as stack:
        opened: dict[str, Mapping[str, Any]] = {}
        for word, kind in KINDS.items():
            if own := {name: one for name, one in accounts.items() if one.kind == word}:
                opened |= await stack.enter_async_context(kind.sandbox(own, clock))
        yield opened


spec: Spec[StoreOptions] = Spec(
    name="webstore",
    options=AnyStore,
    kinds={word: kind.options for word, kind in KINDS.items()},
    policies=lambda found: of(found).policies(found),
    goals=lambda found: of(found).goals(found),
    streams=lambda found: of(found).streams(found),
    open=lambda found, transport: of(found).open(found, transport),
    can=lambda found: of(found).can(found),
    marketplace=lambda found: f"webstore-{found.kind}",
    identity=lambda found: f"{found.kind} {of(found).identity(found)}",
    budget=lambda found: f"{found.kind} {of(found).budget(found)}",
    credentials=lambda found: of(found).credentials(found),
    findings=_findings,
    refuses=_refuses,
    narrows=_narrows,
    pushed_to=_pushed_to,
    pusher=_pusher,
    operations=tuple(dict.fromkeys(op for kind in KINDS.values() for op in kind.operations)),
    words=lambda found: (of(found).operations, of(found).topics),
    topics=tuple(dict.fromkeys(topic for kind in KINDS.values() for topic in kind.topics)),
    sandbox=SandboxSpec(
        options={},
        kinds={word: Filling(kind.filling, kind.tables) for word, kind in KINDS.items()},
        open=_open_sandbox,
    ),
)
