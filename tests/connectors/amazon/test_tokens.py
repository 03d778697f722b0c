"""Entering a mailbox by tokens (XOAUTH2): Gmail, Microsoft 365."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from connectors.amazon.options import findings
from core.errors import BadCredentials, Unreachable
from core.stage import walk
from core.transport import mends
from core.transport.oauth import HOPELESS
from tests.connectors.amazon.letters import SUPPORT, options
from tests.connectors.amazon.post import letter, opened_shop
from tests.connectors.mailing import NOON

SECRET, NEWER = "s3cret-refresh", "s3cret-newer"


class Provider:
    """Where tokens come from; *refusal* is what it says instead."""

    def __init__(self):
        self.asked, self.refusal, self.rotates, self.given = [], None, False, 0
        self.status = 400

    async def token(self, request):
        self.asked.append(dict(parse_qsl((await request.read()).decode())))
        if self.refusal:
            return web.json_response({"error": self.refusal}, status=self.status)
        self.given += 1
        told = {"access_token": f"good-{self.given}", "expires_in": 3600}
        return web.json_response(told | ({"refresh_token": NEWER} if self.rotates else {}))


@pytest.fixture
async def provider():
    provider = Provider()
    app = web.Application()
    app.router.add_post("/token", provider.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/token"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def shop():
    async with opened_shop() as shop:
        shop.server.access_tokens.add("good-1")
        yield shop


def opened(shop, provider, boxes=None):
    tokens = {"token_url": provider.url, "client_id": "c", "refresh_token": SECRET}
    return shop.opened(password=None, tokens=tokens, boxes=boxes)


async def test_one_token_opens_what_reads_and_what_sends(shop, provider):
    await shop.put(letter(number=1))
    amazon = opened(shop, provider)

    await amazon.check()
    found = await walk(amazon, "mail", None, NOON)

    assert len(found.messages) == 1
    assert len(provider.asked) == 1
    assert provider.asked[0]["grant_type"] == "refresh_token"


async def test_a_token_that_is_refused_is_replaced_once(shop, provider):
    shop.server.access_tokens.clear()
    shop.server.access_tokens.add("good-2")

    await opened(shop, provider).check()

    assert provider.given == 2


async def test_tokens_that_open_nothing_are_told_as_such(shop, provider):
    shop.server.access_tokens.clear()

    with pytest.raises(BadCredentials, match=r"user and tokens\.scope") as caught:
        await opened(shop, provider).check()

    assert SUPPORT not in str(caught.value)
    assert "good-" not in str(caught.value)


async def test_smtp_refuses_a_token_as_a_credential(shop, provider):
    shop.server.faults.order("smtp_refuse_login")

    with pytest.raises(BadCredentials, match=r"tokens\.scope"):
        await opened(shop, provider).check()


@pytest.mark.parametrize("word", sorted(mends.TOKENS))
async def test_each_refusal_of_a_grant_says_which_key_to_mend(shop, provider, word):
    provider.refusal = word

    with pytest.raises(BadCredentials, match=r"tokens\.") as caught:
        await opened(shop, provider).fetch("mail", None, None, NOON)

    assert SECRET not in str(caught.value)
    assert word in HOPELESS


async def test_a_client_that_is_refused_without_a_word_says_which_key_to_mend(shop, provider):
    provider.refusal, provider.status = "x", 401

    with pytest.raises(BadCredentials, match=r"tokens\.client_id and tokens\.client_secret"):
        await opened(shop, provider).check()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/token", "https://no-such.invalid/token"])
async def test_a_provider_that_cannot_be_reached_is_told_by_its_key(shop, provider, url):
    provider.url = url

    with pytest.raises(Unreachable, match=r"is tokens\.token_url right") as caught:
        await opened(shop, provider).check()

    assert "imap." not in str(caught.value)


async def test_a_provider_that_fails_is_tried_again_later(shop, provider):
    provider.refusal = "temporarily_unavailable"

    with pytest.raises(Unreachable):
        await opened(shop, provider).check()


async def test_a_new_refresh_token_is_used_from_then_on_and_a_person_is_told(shop, provider):
    provider.rotates = True
    shop.server.access_tokens.clear()
    shop.server.access_tokens.add("good-2")

    with capture_logs() as logs:
        await opened(shop, provider).check()

    assert [one["refresh_token"] for one in provider.asked] == [SECRET, NEWER]
    told = [line for line in logs if line["event"] == "refresh token replaced"]
    assert len(told) == 1
    assert "s3cret" not in str(logs)


async def test_a_new_refresh_token_is_known_when_the_settings_are_read_again(shop, provider):
    provider.rotates = True
    await opened(shop, provider).check()
    again = opened(shop, provider, shop.boxes[0])
    shop.server.access_tokens.clear()
    shop.server.access_tokens.add("good-2")

    await again.check()

    assert [one["refresh_token"] for one in provider.asked] == [SECRET, NEWER]


def test_settings_warn_of_tokens_that_microsoft_ends():
    tokens = {"token_url": "https://login.microsoftonline.com/t/oauth2/v2.0/token",
              "client_id": "c", "refresh_token": SECRET}  # fmt: skip

    found = findings(options(password=None, tokens=tokens), ())

    assert any(line.startswith("tokens.refresh_token: ") for line in found)
    secret = {**tokens, "refresh_token": None, "client_secret": "s3cret"}
    assert not findings(options(password=None, tokens=secret), ())
