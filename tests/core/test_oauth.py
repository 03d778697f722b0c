"""Access tokens, against a token endpoint on loopback."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.transport.http import Http, Limits, open_session
from core.transport.oauth import Grant, OAuth

SECRETS = ("cl1ent-secret", "refresh-0ne", "refresh-tw0", "acc3ss")


class Endpoint:
    """Answers what *answers* hold, then tokens in turn; *got* are the forms that came."""

    def __init__(self):
        self.got, self.answers, self.given = [], [], 0
        self.named = []

    async def answer(self, request):
        self.got.append(dict(await request.post()))
        self.named.append(request.headers.get("Authorization"))
        if self.answers:
            return self.answers.pop(0)
        self.given += 1
        return web.json_response({"access_token": f"acc3ss-{self.given}", "expires_in": 3600})


@pytest.fixture
async def endpoint():
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/token", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/token"))
        yield made


@pytest.fixture
async def http():
    async with open_session() as session:
        yield Http(session, limits=Limits(total=1.0))


def refreshing(endpoint, **changes):
    given = {"client_id": "us", "client_secret": "cl1ent-secret", "refresh_token": "refresh-0ne"}
    return Grant(endpoint.url, **(given | changes))


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    said = f"{caught.value!s} {caught.value!r} {getattr(caught.value, 'raw', b'')!r}"
    assert not any(secret in said for secret in SECRETS)
    return caught.value


async def test_a_refresh_token_is_asked_with_as_the_standard_says(http, endpoint):
    token = await OAuth(http, refreshing(endpoint, scope="a b")).token()

    assert token == "acc3ss-1"
    assert endpoint.got == [
        {
            "grant_type": "refresh_token",
            "client_id": "us",
            "client_secret": "cl1ent-secret",
            "refresh_token": "refresh-0ne",
            "scope": "a b",
        }
    ]


async def test_a_client_asks_with_its_own_credentials(http, endpoint):
    grant = refreshing(endpoint, refresh_token=None, scope="https://outlook.office365.com/.default")
    await OAuth(http, grant).token()

    assert endpoint.got[0]["grant_type"] == "client_credentials"
    assert "refresh_token" not in endpoint.got[0]


async def test_a_token_is_kept_and_all_who_ask_get_the_same(http, endpoint):
    oauth = OAuth(http, refreshing(endpoint))

    tokens = await asyncio.gather(*(oauth.token() for _ in range(5)))

    assert set(tokens) == {"acc3ss-1"}
    assert len(endpoint.got) == 1


async def test_a_token_about_to_expire_is_replaced(http, endpoint):
    endpoint.answers.append(web.json_response({"access_token": "acc3ss-0", "expires_in": 0.2}))
    oauth = OAuth(http, refreshing(endpoint))

    assert await oauth.token() == "acc3ss-0"
    await asyncio.sleep(0.19)
    assert await oauth.token() == "acc3ss-1"


async def test_a_token_that_was_refused_is_replaced(http, endpoint):
    oauth = OAuth(http, refreshing(endpoint))
    await oauth.token()
    oauth.forget()

    assert await oauth.token() == "acc3ss-2"


async def test_a_rotated_refresh_token_is_told_and_used(http, endpoint):
    told = []
    rotated = {"access_token": "acc3ss-0", "expires_in": "3599", "refresh_token": "refresh-tw0"}
    endpoint.answers.append(web.json_response(rotated))
    oauth = OAuth(http, refreshing(endpoint), told.append)
    await oauth.token()
    oauth.forget()
    await oauth.token()

    assert told == ["refresh-tw0"]
    assert endpoint.got[1]["refresh_token"] == "refresh-tw0"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "refresh-0ne was revoked"},
         BadCredentials),
        (400, {"error": "unauthorized_client"}, BadCredentials),
        (401, {"error": "invalid_client", "error_description": "cl1ent-secret"}, BadCredentials),
        (400, {"error": "cl1ent-secret"}, Unreachable),
        (400, {"error": ["invalid_grant"]}, Unreachable),
        (404, {}, Unreachable),
        (429, {}, RateLimited),
        (500, {"error": "acc3ss"}, Unreachable),
        (200, {"access_token": ""}, BadPayload),
        (200, {"acces_token": "acc3ss"}, BadPayload),
        (200, ["acc3ss"], BadPayload),
    ],
)  # fmt: skip
async def test_what_an_endpoint_answers_decides(http, endpoint, status, body, error):
    endpoint.answers.append(web.Response(status=status, text=json.dumps(body)))

    fault = await failed(OAuth(http, refreshing(endpoint)).token())

    assert type(fault) is error
    assert len(endpoint.got) == 1, "what is refused for good is not asked again"


async def test_a_withdrawn_consent_says_so(http, endpoint):
    endpoint.answers.append(web.json_response({"error": "invalid_grant"}, status=400))

    fault = await failed(OAuth(http, refreshing(endpoint)).token())

    assert fault.detail == "invalid_grant"


@pytest.mark.parametrize("body", ["", "<html>acc3ss</html>", "\x00"])
async def test_nonsense_is_no_token(http, endpoint, body):
    endpoint.answers.append(web.Response(text=body))
    assert isinstance(await failed(OAuth(http, refreshing(endpoint)).token()), BadPayload)
    endpoint.answers.append(web.Response(status=400, text=body))
    assert isinstance(await failed(OAuth(http, refreshing(endpoint)).token()), Unreachable)


async def test_no_answer_is_asked_for_again_later(http, endpoint):
    async def never(request):
        await asyncio.sleep(1.5)

    endpoint.answer = never
    app = web.Application()
    app.router.add_post("/token", never)
    async with TestServer(app) as server:
        grant = Grant(str(server.make_url("/token")), "us", refresh_token="refresh-0ne")
        assert isinstance(await failed(OAuth(http, grant).token()), Unreachable)
    gone = Grant("http://127.0.0.1:9/token", "us", "cl1ent-secret")
    assert isinstance(await failed(OAuth(http, gone).token()), Unreachable)


def test_a_grant_shows_no_secret():
    shown = repr(Grant("https://x", "us", "cl1ent-secret", "refresh-0ne"))

    assert not any(secret in shown for secret in SECRETS)


async def test_a_client_may_name_itself_in_the_header_alone(http, endpoint):
    """RFC 6749, 2.3.1: what has a meaning of its own there is escaped."""
    grant = refreshing(endpoint, basic=True, client_id="us", client_secret="cl1ent-secret:é")

    assert await OAuth(http, grant).token() == "acc3ss-1"
    assert endpoint.named == ["Basic " + b64encode(b"us:cl1ent-secret%3A%C3%A9").decode()]
    assert endpoint.got == [{"grant_type": "refresh_token", "refresh_token": "refresh-0ne"}]
    assert "cl1ent-secret" not in repr(grant)


async def test_a_client_that_is_in_the_form_is_not_in_the_header(http, endpoint):
    await OAuth(http, refreshing(endpoint)).token()

    assert endpoint.named == [None]
