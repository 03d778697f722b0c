"""Receivers of notices whose names lead into our own network, where nothing is sent unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yarl import URL

from core.notifiers.posting import PostingOptions
from core.transport import guard, proxy

if TYPE_CHECKING:
    from core.settings import Settings

SECONDS = 3.0
"""So long a name is looked up; what is not found by then is looked up again when it is told."""


async def faults(settings: Settings) -> list[str]:
    """One line for each notifier that could tell nobody: its key, and how to mend it.

    A receiver to which a proxy leads is the proxy's affair.
    """
    urls = {
        name: URL(options.url.get_secret_value())
        for name, options in settings.notifiers.items()
        if isinstance(options, PostingOptions) and not options.allow_private
    }
    hosts = {name: url.host or "" for name, url in urls.items() if proxy.lead(url) is None}
    inside = await guard.leads_inside(hosts.values(), SECONDS)
    return [f"notifiers.{name}.url: {guard.MEND}" for name, host in hosts.items() if host in inside]
