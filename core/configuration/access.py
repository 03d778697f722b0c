"""Who may look at the board, and how they are known: the table `[web]`."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from core.access import Role, SignIn
from core.configuration.sections import Address, Listener, Section, Url
from core.configuration.telemetry import installed
from core.durations import PositiveDuration, write
from core.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from core.configuration.complaints import Complaints

Network = IPv4Network | IPv6Network
Bound = Literal["exact", "network", "any"]

HEADER = r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$"
LEAST_IDLE = timedelta(minutes=5)
LONGEST_SKEW = timedelta(minutes=10)


def _network(written: object) -> object:
    if not isinstance(written, str):
        raise Unfit('is no network; write it in quotes, such as "10.0.0.0/8" or "127.0.0.1"')
    try:
        return ip_network(written)
    except ValueError:
        raise Unfit('is no network; write it such as "10.0.0.0/8" or "127.0.0.1"') from None


def _long(idle: timedelta) -> timedelta:
    if idle < LEAST_IDLE:
        raise Unfit(f"signs people out while they write; write {write(LEAST_IDLE)} or more")
    return idle


def _small(skew: timedelta) -> timedelta:
    if skew > LONGEST_SKEW:
        raise Unfit(f"is more than clocks differ; write {write(LONGEST_SKEW)} or less")
    return skew


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not local:
        raise Unfit("is no https address; an issuer's keys must not be fetched without it")
    if parts.query or parts.fragment:
        raise Unfit("is no issuer; write it as the provider's discovery document has it")
    return url


class Group(Section):
    """What members of a group may; *accounts* left out: all."""

    role: Role
    accounts: frozenset[str] | None = None


class Oidc(Section):
    """The OpenID provider that signs people in.

    *name* is the claim that they are called by here, *groups* the one that lists their groups.
    *first_by_name*: who was added here and has no password, nor is admin, is known by *name* when
    they come first; else by a link alone.
    *issuer* stands as its discovery document has it, *skew* is how far its clock may be off.
    """

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(min_length=8, max_length=500)
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name: str = Field(default="preferred_username", min_length=1, max_length=100)
    groups: str = Field(default="groups", min_length=1, max_length=100)
    first_by_name: bool = False
    prompt: Literal["none", "login", "consent", "select_account"] | None = None
    skew: Annotated[timedelta, AfterValidator(_small)] = timedelta(seconds=60)


class Proxy(Section):
    """The headers in which a proxy says who asks, and of which *groups* they are, by commas."""

    header: str = Field(default="X-Forwarded-User", pattern=HEADER)
    groups: str | None = Field(default=None, pattern=HEADER)


class Web(Listener):
    """Where people look. *public_url* is how they reach it from outside.

    *proxies* are the networks of those who may say for whom they ask. A session ends when it was
    idle for *session_idle*, or is *session_longest* old, or comes from another address than
    *session_address* allows. Without *groups* everybody has to be known here before; with them a
    session that a provider began ends after *groups_for*, so that it says them again. Browsers are
    told for *strict_transport* to come by https alone.
    """

    listen: Address = "127.0.0.1:8080"
    public_url: Url | None = None
    sign_in: SignIn = "password"
    session_idle: Annotated[PositiveDuration, AfterValidator(_long)] = timedelta(hours=12)
    session_longest: PositiveDuration = timedelta(days=7)
    session_address: Bound = "network"
    groups_for: PositiveDuration = timedelta(hours=12)
    strict_transport: PositiveDuration | None = None
    proxies: tuple[Annotated[Network, BeforeValidator(_network)], ...] = ()
    oidc: Oidc | None = None
    proxy: Proxy = Proxy()
    groups: dict[str, Group] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Web:
        if self.session_longest < self.session_idle:
            raise Unfit("session_longest is shorter than session_idle; write the longer time there")
        if self.strict_transport is not None and not self.secure:
            raise Unfit(
                "strict_transport shuts browsers out of a board without https; write "
                'public_url = "https://..."'
            )
        if self.sign_in == "oidc" and self.oidc is None:
            raise Unfit('sign_in is "oidc" and no provider is named; add [web.oidc]')
        if self.sign_in == "oidc":
            installed("authlib", "oidc")
        if self.sign_in == "oidc" and self.public_url is None:
            raise Unfit(
                'sign_in is "oidc" and the provider has no address to send people back to; '
                "write public_url"
            )
        if self.sign_in == "proxy" and not self.proxies:
            raise Unfit(
                'sign_in is "proxy" and anybody could say who they are; write the addresses of '
                'the proxies: proxies = ["127.0.0.1"]'
            )
        return self

    @property
    def names_an_admin(self) -> bool:
        """Whether some group's members are admins of all accounts."""
        return any(one.role is Role.ADMIN and one.accounts is None for one in self.groups.values())

    @property
    def secure(self) -> bool:
        """Whether people reach it over https alone."""
        return self.public_url is not None and self.public_url.startswith("https:")

    def faults(self, accounts: Collection[str], complaints: Complaints) -> None:
        """Complain of groups that see no account of ours; warn of what others could read."""
        for name, group in self.groups.items():
            for account in sorted((group.accounts or frozenset()) - set(accounts)):
                path = ("web", "groups", name, "accounts")
                complaints.unknown(path, "account", account, accounts)
        for key, doubt in self._doubts():
            complaints.warn(("web", key), doubt)

    def _doubts(self) -> Iterable[tuple[str, str]]:
        if not self.loopback and not self.secure:
            yield (
                "listen",
                (
                    f"{self.listen} can be reached from outside, where passwords travel without "
                    'https; put a proxy with a certificate before it and write public_url = "https://..."'
                ),
            )
        if self.public_url is not None and not self.proxies:
            yield (
                "proxies",
                (
                    "whoever comes by public_url seems to come from the proxy; write its address: "
                    'proxies = ["127.0.0.1"]'
                ),
            )
        if self.groups and self.sign_in != "password" and not self.names_an_admin:
            yield (
                "groups",
                (
                    "no group is admin of all accounts, so that nobody lets others in or changes "
                    'what they may; add one with role = "admin" and no accounts'
                ),
            )
        for each in self.proxies:
            if each.num_addresses > 2**24 and each.version == 4:
                yield (
                    "proxies",
                    f"{each} is larger than a network of one's own; name the proxy's own network",
                )
