"""Whether what marketplaces were told as our address for pushes leads to our own door. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.configuration.configured import Configured
    from core.configuration.sections import Push
    from core.settings import Settings

DOOR = re.compile(r"(?P<base>.*)/push/(?P<connector>[^/]+)/(?P<account>[^/]+)")
PORTS = {"http": 80, "https": 443}


def findings(settings: Settings) -> Iterator[str]:
    """A line for each account whose pushes arrive nowhere, as far as the settings tell.

    And one where we listen, and nothing says by which address from outside.
    """
    addresses = {name: _address(account) for name, account in settings.accounts.items()}
    if _is_unsaid(settings, addresses):
        yield "push.public_url: is not set; marketplaces must be told an address from outside"
    for name, account in settings.accounts.items():
        address = addresses[name]
        why = None if address is None else _astray(address, account, settings)
        if why:
            yield f"accounts.{name}: its marketplace pushes to {address}, {why}"


def _is_unsaid(settings: Settings, addresses: Mapping[str, str | None]) -> bool:
    """Whether nothing says how our door is reached: an account that receives names no address."""
    if settings.push is None or settings.push.public_url is not None:
        return False
    receiving = [
        addresses[name]
        for name, account in settings.accounts.items()
        if account.spec.can(account.options).receives
    ]
    return not receiving or None in receiving


def _address(account: Configured) -> str | None:
    told = account.spec.pushed_to
    return None if told is None else told(account.options)


def _astray(address: str, account: Configured, settings: Settings) -> str | None:
    """Why what is sent to *address* does not arrive, and how to mend it; None where it may.

    A proxy before us has a host and a port of its own, and may take the begin of a path away: what
    it has is known where `push.public_url` says it.
    """
    here, parts = account.account, urlsplit(address)
    if settings.push is None:
        return "and nothing receives it: add [push], which listens behind that address"
    door = DOOR.fullmatch(parts.path)
    unserved = _unserved(door, account, settings.accounts)
    if door is None or unserved is not None:
        own = f"/push/{here.connector}/{here.name}"
        return f"{unserved}: end it in {own}, and register that there"
    public_url = settings.push.public_url
    if public_url is not None and _base(parts, door["base"]) != _base(urlsplit(public_url)):
        return f"which is not under push.public_url ({public_url}); make one fit the other"
    is_direct = here.sandbox or public_url is None
    if is_direct and is_loopback(parts.hostname or "") and not _listens(settings.push, parts):
        return f"where push.listen ({settings.push.listen}) is not; make one fit the other"
    return None


def _unserved(
    door: re.Match[str] | None, account: Configured, accounts: Mapping[str, Configured]
) -> str | None:
    """Why no account behind *door* takes what *account* is pushed; None where one does.

    One may receive those of several, if one and the same pushes to them.
    """
    found = None if door is None else accounts.get(door["account"])
    if door is None or found is None or found.account.connector != door["connector"]:
        return "where no account is"
    if not found.spec.can(found.options).receives:
        return f"where accounts.{found.account.name} is, which takes no pushes"
    if _pusher(found) != _pusher(account):
        marketplace = found.account.marketplace
        return f"where accounts.{found.account.name} ({marketplace}) is, which refuses them"
    return None


def _pusher(account: Configured) -> tuple[str, str]:
    """Who pushes to an account."""
    who = account.spec.pusher
    return account.spec.name, "" if who is None else who(account.options)


def _base(parts: SplitResult, path: str | None = None) -> tuple[str, str, int | None, str]:
    """Where an address begins, however it is written."""
    begin = parts.path if path is None else path
    return parts.scheme, parts.hostname or "", _port(parts), begin


def _listens(push: Push, parts: SplitResult) -> bool:
    """Whether a stand-in on this machine reaches us so; port 0 becomes one that nobody knows."""
    return push.port in {0, _port(parts)}


def _port(parts: SplitResult) -> int | None:
    """The port of an address, None where it names one that cannot be."""
    try:
        return parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
