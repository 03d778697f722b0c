"""Spans: what is done, how long it took, for whoever follows it in traces.

Nothing happens here unless a tracer was installed (`core.running.tracing`). A name and an attribute
is a word of a closed list, an account or a number: never an address, a thread, a person or a text.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Attribute: TypeAlias = str | int | float | bool


class Span(Protocol):
    """What is being done."""

    def put(self, **attributes: Attribute) -> None:
        """Say more about it."""
        ...


class _Untold:
    def put(self, **attributes: Attribute) -> None: ...


Tracer: TypeAlias = "Callable[[str, dict[str, Attribute]], AbstractContextManager[Span]]"

_UNTOLD = nullcontext[Span](_Untold())
_installed: list[Tracer] = []


def of(name: str, **attributes: Attribute) -> AbstractContextManager[Span]:
    """A span around what is done inside; what is begun inside it is its part."""
    return _installed[-1](name, attributes) if _installed else _UNTOLD


@contextmanager
def traced_by(tracer: Tracer) -> Iterator[None]:
    """Let *tracer* make the spans of this process meanwhile."""
    _installed.append(tracer)
    try:
        yield
    finally:
        _installed.remove(tracer)
