"""Signing in by an OpenID provider: there, and back.

What is expected back is derived from one secret in a cookie of the browser that left: nobody else
can bring an answer, and nothing is stored for who never comes back.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from core.access import Role
from core.desk import admitting
from core.desk.admitting import NAME
from core.errors import ConnectorError
from core.said import Said
from core.store import audit, people, transaction
from core.web import pages
from core.web.signing import arriving, cookies, groups, service
from core.web.signing.identity import Unknown
from core.web.ways import parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.configuration.access import Oidc, Web
    from core.store import Db
    from core.store.people import Person
    from core.web.signing.provider import Provider

PATH, BACK = "/sign-in/oidc", "/sign-in/oidc/back"
PATIENCE = timedelta(minutes=10)
"""So long somebody may take at the provider."""
MOST_NEXT = 200
MOST_CODE = 4_000
AWAY = timedelta(seconds=15)
"""So long a provider that did not answer is not asked for who it is."""
UNPROVEN = frozenset({"no_cookie", "state", "late", "iss", "declined", "code"})
"""What any stranger can bring about: of these the trail has one line a minute."""
OF_NOBODY = Said(
    "Your organisation's account belongs to nobody here yet. Ask whoever lets people in for a link."
)
GONE = Said("This link binds nobody any more. Ask whoever lets people in for another.")
MENDS = {
    **dict.fromkeys(("stranger", "unbound", "other_subject", "name"), OF_NOBODY),
    "not_bound": GONE,
}
"""What to do about it, told to whom the provider has proven; the same whether a name is known."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody who was sent to the provider *at* (seconds since 1970), and where they go after.

    *link*: what a link holds that binds whoever the provider says it is; empty: none.
    """

    secret: str
    at: int
    link: str
    to: str

    @classmethod
    def of(cls, cookie: str | None) -> Leaving | None:
        """What the cookie holds; None where it holds nothing of ours."""
        secret, _, rest = (cookie or "").partition(".")
        at, _, rest = rest.partition(".")
        link, _, to = rest.partition(".")
        if not secret or not at.isdecimal() or not to.startswith("/"):
            return None
        return cls(secret, int(at), link, to)

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        return f"{self.secret}.{self.at}.{self.link}.{self.to}"

    def derived(self, what: str) -> str:
        """The ``state``, ``nonce`` or ``verifier`` of this way: 43 characters."""
        asked = f"{what}.{self.at}.{self.link}"
        digest = hmac.digest(self.secret.encode(), asked.encode(), "sha256")
        return _written(digest)


def _written(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


async def leave(request: web.Request) -> web.StreamResponse:
    """Send somebody to the provider."""
    to = service.local(request.query.get("next", "/"))
    fit = to.isascii() and len(to) <= MOST_NEXT
    leaving = _leaving(request, to if fit else "/")
    there = await _there(request, leaving)
    response = web.Response(status=303, headers={"Location": there})
    _remember(request, response, leaving)
    return response


async def bind(request: web.Request, link: str) -> web.Response:
    """Lead who uses a *link* that binds to the provider, by a page of ours.

    Browsers follow no form to another site where ``form-action`` is ``'self'``.
    """
    leaving = _leaving(request, "/", link)
    response = pages.page(request, "leading.html", there=await _there(request, leaving))
    _remember(request, response, leaving)
    return response


def _leaving(request: web.Request, to: str, link: str = "") -> Leaving:
    return Leaving(cookies.secret(), int(parts(request).now().timestamp()), link, to)


def _remember(request: web.Request, response: web.Response, leaving: Leaving) -> None:
    secure, seconds = arriving.secure(request), int(PATIENCE.total_seconds())
    cookies.give(response, "login", leaving.cookie, secure=secure, seconds=seconds)


async def _there(request: web.Request, leaving: Leaving) -> str:
    """The provider's address to sign in at."""
    settings, oidc = _configured(request)
    provider = await _provider(request, oidc)
    query = {
        "response_type": "code",
        "client_id": oidc.client_id,
        "redirect_uri": f"{settings.public_url}{BACK}",
        "scope": " ".join(dict.fromkeys(("openid", *oidc.scopes))),
        "state": leaving.derived("state"),
        "nonce": leaving.derived("nonce"),
        "code_challenge": _written(sha256(leaving.derived("verifier").encode()).digest()),
        "code_challenge_method": "S256",
    }
    if oidc.prompt is not None:
        query["prompt"] = oidc.prompt
    return _with_query(provider.metadata.authorization_endpoint, query)


async def arrive(request: web.Request) -> web.StreamResponse:
    """Sign in whom the provider sends back.

    Raises:
        Unknown: nobody left so, or what comes back is not proven.
        HTTPBadGateway: the provider does not answer.
    """
    settings, oidc = _configured(request)
    try:
        secret, to = await _arrived(request, settings, oidc)
    except Unknown as fault:
        await _refused(request, fault.why)
        raise Unknown(fault.why, MENDS.get(fault.why)) from None
    except ConnectorError as fault:
        service.of(request).warn(f"provider_{fault.reason}")
        raise web.HTTPBadGateway from None
    service.of(request).count("oidc", "success")
    response = service.welcome(request, secret, to)
    cookies.take(response, "login", secure=arriving.secure(request))
    return response


async def _arrived(request: web.Request, settings: Web, oidc: Oidc) -> tuple[str, str]:
    now, said = parts(request).now(), request.query
    leaving = Leaving.of(cookies.read(request, "login", secure=arriving.secure(request)))
    if leaving is None:
        raise Unknown("no_cookie")
    if not hmac.compare_digest(said.get("state", "").encode(), leaving.derived("state").encode()):
        raise Unknown("state")
    if not 0 <= now.timestamp() - leaving.at <= PATIENCE.total_seconds():
        raise Unknown("late")
    provider = await _provider(request, oidc)
    named = said.get("iss")
    wanted = provider.metadata.authorization_response_iss_parameter_supported
    if named != oidc.issuer and (named is not None or wanted):
        raise Unknown("iss")
    if "error" in said or not 0 < len(said.get("code", "")) <= MOST_CODE:
        raise Unknown("declined")
    back = f"{settings.public_url}{BACK}"
    tokens = await provider.exchange(said["code"], leaving.derived("verifier"), back)
    claims = await provider.claims(tokens, leaving.derived("nonce"), now)
    async with transaction(parts(request).pool()) as db:
        subject = f"{oidc.issuer} {claims['sub']}"
        known: Person | None
        if leaving.link:
            known = await _bound(db, request, leaving.link, subject)
        else:
            known = await _known(db, oidc, claims, subject)
        person = await _person(db, settings, oidc, claims, known, subject, now)
        secret = await service.begin(db, request, person, "oidc", now, tokens.id_token)
    return secret, leaving.to


async def _bound(db: Db, request: web.Request, link: str, subject: str) -> Person:
    """Whom a link binds to *subject*."""
    address, now = arriving.address(request), parts(request).now()
    person = await admitting.bound(db, link, subject, address, now)
    if person is None:
        raise Unknown("not_bound")
    return person


async def _known(db: Db, oidc: Oidc, claims: Mapping[str, Any], subject: str) -> Person | None:
    """Who it is here: known by the provider's subject, or by name where that is let.

    A name may be given to somebody else there one day, and many providers let people choose it; a
    subject is not (Core 1.0, 5.7). So a name alone makes nobody an admin, nor anybody who has a
    password, and others only where the settings let it.

    Raises:
        Unknown: the name is somebody's who is not known by it.
    """
    if person := await people.by_subject(db, subject):
        return person
    person = await people.locked(db, _name(oidc, claims))
    if person is None:
        return None
    if person.subject is not None:
        raise Unknown("other_subject")
    is_plain = person.role is not Role.ADMIN and not person.has_password
    if not (oidc.first_by_name and is_plain):
        raise Unknown("unbound")
    return person


async def _person(
    db: Db,
    settings: Web,
    oidc: Oidc,
    claims: Mapping[str, Any],
    known: Person | None,
    subject: str,
    now: datetime,
) -> Person:
    """Whom it is, as their groups say; bound to *subject* from now on.

    Raises:
        Unknown: nobody of ours, or who may not sign in.
    """
    may, person = groups.may(settings, _listed(claims.get(oidc.groups))), known
    if settings.groups:
        name = known.name if known else _name(oidc, claims)
        person = await groups.follow(db, settings, name, known, may, now)
    if person is None:
        raise Unknown("stranger" if may or not settings.groups else "no_group")
    if known is None and person.made_at != now:  # somebody was added at this very moment
        raise Unknown("unbound")
    if person.disabled_at is not None:
        raise Unknown("disabled")
    if not await people.bind(db, person.name, subject):
        raise Unknown("other_subject")
    return person


def _name(oidc: Oidc, claims: Mapping[str, Any]) -> str:
    said = claims.get(oidc.name)
    if oidc.name == "email" and claims.get("email_verified") is not True:
        raise Unknown("email_unverified")
    name = said.strip().lower() if isinstance(said, str) else ""
    if NAME.fullmatch(name) is None:
        raise Unknown("name")
    return name


def _listed(said: object) -> list[str]:
    """Groups as providers list them: several, or one by itself."""
    listed = said if isinstance(said, list) else [said]
    return [one for one in listed if isinstance(one, str)]


async def farewell(request: web.Request, login: str) -> str | None:
    """Where to sign out of the provider as well; None: it has no such place, or is away."""
    settings = arriving.settings(request)
    if settings.oidc is None:
        return None
    try:
        provider = await _provider(request, settings.oidc)
    except (Unknown, web.HTTPBadGateway):
        return None
    there = provider.metadata.end_session_endpoint
    if there is None:
        return None
    query = {
        "id_token_hint": login,
        "client_id": settings.oidc.client_id,
        "post_logout_redirect_uri": f"{settings.public_url}/sign-in",
    }
    return _with_query(there, query)


def _configured(request: web.Request) -> tuple[Web, Oidc]:
    settings = arriving.settings(request)
    if settings.sign_in != "oidc" or settings.oidc is None:
        raise web.HTTPNotFound
    return settings, settings.oidc


async def _provider(request: web.Request, oidc: Oidc) -> Provider:
    """The provider, met at most once an hour, and tried at most once in `AWAY` while it is away.

    Raises:
        HTTPBadGateway: it does not answer.
    """
    from core.web.signing.provider import Provider  # noqa: PLC0415  # needs an extra

    signing = service.of(request)
    known = signing.known.get(oidc.issuer)
    if isinstance(known, Provider) and known.oidc == oidc and not known.is_stale:
        return known
    now = parts(request).now()
    if now < signing.away.get(oidc.issuer, now):
        raise web.HTTPBadGateway
    try:
        met = await Provider.meet(oidc, signing.http())
    except ConnectorError as fault:
        signing.warn(f"provider_{fault.reason}")
        signing.away[oidc.issuer] = now + AWAY
        raise web.HTTPBadGateway from None
    signing.known[oidc.issuer] = met
    return met


async def _refused(request: web.Request, why: str) -> None:
    """Count it, and write it down, unless strangers could fill the trail by that."""
    service.of(request).count("oidc", "refused")
    if why in UNPROVEN and not service.of(request).seldom.times(("trail", why)):
        return
    detail = {"outcome": "refused", "by": "oidc", "why": why}
    address, now = arriving.address(request), parts(request).now()
    async with transaction(parts(request).pool()) as db:
        await audit.write(db, None, "sign-in", detail=detail, address=address, now=now)


def _with_query(url: str, query: Mapping[str, str]) -> str:
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{urlencode(query)}"
