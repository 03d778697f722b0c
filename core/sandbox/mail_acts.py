"""What every mail stand-in lets one order by HTTP: `POST /_sandbox/acts/<act>`.

The post held, let go or doubled, and faults of its servers; what its people do is the stand-in's.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_args

from core.sandbox import control
from core.sandbox.mail_faults import MailFault

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from core.sandbox.mail import Mail
    from core.sandbox.mail_post import Post

T = TypeVar("T")

INSTANTS = ("at", "arrives")


class Unknown(Exception):
    """What an order names does not exist."""


class Posts(Protocol):
    """A stand-in by mail."""

    @property
    def post(self) -> Post: ...
    @property
    def mail(self) -> Mail: ...


async def act(
    request: web.Request, sandbox: Posts, do: Callable[[str, dict[str, Any]], Any]
) -> web.Response:
    """Carry out what is ordered: by us, or as *do* knows the act; then let arrive what is due.

    *do* raises `Unknown` where there is no such act, user or whatever else it names.
    """
    name = request.match_info["act"]
    try:
        told = json.loads(await request.read() or b"{}")
        how = {key: _value(key, value) for key, value in told.items()}
        done = ACTS[name](sandbox, **how) if name in ACTS else do(name, how)
    except Unknown as unknown:
        return control.answer({"message": str(unknown)}, 404)
    except (ValueError, TypeError, AttributeError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    await sandbox.post.deliver()
    return control.answer(done, 201)


def found(known: Mapping[str, T], name: str | None, what: str) -> T:
    """The one of this *name*.

    Raises:
        Unknown: there is none.
    """
    if name is None or name not in known:
        raise Unknown(f"no such {what}: {name}")
    return known[name]


def fated(fates: deque[T], fate: T, known: tuple[Any, ...]) -> list[T]:
    """The *fates* ordered for the next letters, with *fate* at their end.

    Raises:
        ValueError: it is none of those that are *known*.
    """
    if fate not in known:
        raise ValueError(f"fate must be one of {', '.join(known)}")
    fates.append(fate)
    return list(fates)


def _value(key: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if key in INSTANTS and value is not None else value


def _hold(sandbox: Posts) -> Any:
    sandbox.post.is_held = True
    return {"waiting": sandbox.post.waiting}


def _release(sandbox: Posts) -> Any:
    sandbox.post.release()
    return {"waiting": sandbox.post.waiting}


def _twice(sandbox: Posts, letters: int = 1) -> Any:
    sandbox.post.twice += letters
    return {"twice": sandbox.post.twice}


def _mail_fault(sandbox: Posts, fault: MailFault, **how: Any) -> Any:
    if fault not in get_args(MailFault):
        raise ValueError(f"fault must be one of {', '.join(get_args(MailFault))}")
    sandbox.mail.faults.order(fault, **how)
    return {"fault": fault, **how}


def _lift(sandbox: Posts) -> Any:
    sandbox.mail.faults.lift()
    return {}


ACTS: Mapping[str, Callable[..., Any]] = {
    "hold": _hold, "release": _release, "twice": _twice, "mail_fault": _mail_fault, "lift": _lift,
}  # fmt: skip
