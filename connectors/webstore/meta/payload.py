"""What the Graph API answers about apps, subscriptions and tokens, as far as it is read."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from core.payload import Many, Payload, Word


class Graph(Payload):
    """Ids come as text, and now and then as numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Topic(Graph):
    """What is subscribed to, by its name."""

    name: Word = None


class AppSubscription(Graph):
    """What an app is pushed of one kind of object, and to where."""

    object: Word = None
    callback_url: Word = None
    active: bool | None = None
    fields: Many[Topic | str] = None

    @property
    def names(self) -> frozenset[str]:
        told = (one if isinstance(one, str) else one.name for one in self.fields or ())
        return frozenset(name for name in told if name)


class AppSubscriptions(Graph):
    data: list[AppSubscription]


class App(Graph):
    id: Word = None


class SubscribedApp(Graph):
    """An app that is pushed what concerns an account or a page; the former tells it deeper."""

    id: Word = None
    whatsapp_business_api_data: App | None = None
    override_callback_uri: Word = None
    subscribed_fields: Many[str] = None

    @property
    def app(self) -> str | None:
        inner = self.whatsapp_business_api_data
        return self.id if inner is None else inner.id


class SubscribedApps(Graph):
    data: list[SubscribedApp]


class Token(Graph):
    """What is known of a token: instants in seconds since 1970, 0: it does not end."""

    is_valid: bool | None = None
    expires_at: Any = None
    data_access_expires_at: Any = None


class Debugged(Graph):
    data: Token
