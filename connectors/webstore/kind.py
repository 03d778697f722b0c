"""What a kind of source is: a mailbox, a shop's API, a chat, a number. Each is a folder beside it.

Nobody outside sets a deadline here: what each kind promises where the settings say nothing are
goals of ours (`Kind.goals`); only a window that shuts by itself is a contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from core.connector import Capabilities, Connector, Credential, SandboxClock, Transport
    from core.model import Stream, Thread
    from sla.policy import Party, Policy


class StoreOptions(Options):
    """One account of the webstore: one mailbox, one shop's API, one chat, one number.

    *kind* says which; the shop that they belong to is the account's own key ``shop``.
    """

    kind: str


OptionsT = TypeVar("OptionsT", bound=StoreOptions)


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind(Generic[OptionsT]):
    """One kind, declared: `core.connector.Spec` for accounts whose option ``kind`` is *word*.

    *filling* are the options that a sandbox account may leave out, *sandbox* starts the stand-in
    for accounts of this kind. Without a *pusher* the kind itself is one. All else is as in `Spec`.
    """

    word: str
    options: type[OptionsT]
    open: Callable[[OptionsT, Transport], Connector]
    streams: Callable[[OptionsT], tuple[Stream, ...]]
    can: Callable[[OptionsT], Capabilities]
    identity: Callable[[OptionsT], str]
    budget: Callable[[OptionsT], str]
    goals: Callable[[OptionsT], tuple[Policy, ...]]
    filling: Mapping[str, Any]
    sandbox: Callable[
        [Mapping[str, OptionsT], SandboxClock],
        AbstractAsyncContextManager[Mapping[str, Mapping[str, Any]]],
    ]
    policies: Callable[[OptionsT], tuple[Policy, ...]] = _nothing
    credentials: Callable[[OptionsT], tuple[Credential, ...]] = _nothing
    findings: Callable[[OptionsT, Sequence[OptionsT]], tuple[str, ...]] | None = None
    pushed_to: Callable[[OptionsT], str | None] | None = None
    pusher: Callable[[OptionsT], str] | None = None
    refuses: Callable[[Thread, Collection[Party]], str | None] | None = None
    narrows: Callable[[Capabilities, Thread], Capabilities] | None = None
    operations: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
