"""`replyby subscribe`, beside the stand-in."""

from __future__ import annotations

import pytest

from core.commands import subscribing
from core.errors import Mistaken
from tests.connectors.ebay.push.conftest import TOKEN
from tests.core import terminal

SETTINGS = """
{push}
[accounts.shop]
connector = "ebay"
[accounts.shop.options]
client_id = "{client_id}"
client_secret = "env:TEST_SECRET"
refresh_token = "env:TEST_REFRESH"
seller = "{seller}"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
push = {{ endpoint = "{endpoint}", verification_token = "env:TEST_TOKEN" }}
[accounts.deaf]
connector = "ebay"
[accounts.deaf.options]
client_id = "{client_id}"
client_secret = "env:TEST_SECRET"
refresh_token = "env:TEST_REFRESH"
seller = "shop-deaf"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
"""


@pytest.fixture
def subscribe(sandbox, seller, address, endpoint, pushes, pool, tmp_path, monkeypatch, capsys):
    """What the command prints: `subscribe("shop", contact)`."""
    told = sandbox.options(seller)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    monkeypatch.setenv("TEST_SECRET", told["client_secret"])
    monkeypatch.setenv("TEST_REFRESH", told["refresh_token"])
    monkeypatch.setenv("TEST_TOKEN", TOKEN)

    async def subscribe(account, contact=None, push="[push]"):
        content = SETTINGS.format(**told, **told["hosts"], endpoint=endpoint.url, push=push)
        path = tmp_path / "settings.toml"
        path.write_text(terminal.settings(content))
        await subscribing.subscribe(path, account, contact)
        said = capsys.readouterr().out.splitlines()
        return [line for line in said if line.startswith(f"{account}: ")]

    return subscribe


async def test_each_thing_is_said_as_it_stands(subscribe, seller):
    said = await subscribe("shop", "alerts@shop.example")

    assert said[0] == "shop: contact: written"
    assert said[2] == "shop: NEW_MESSAGE: subscribed now; a test is on its way"
    assert len(seller.application.subscribed.subscriptions) == 3


async def test_the_first_time_a_contact_is_asked_for(subscribe):
    with pytest.raises(Mistaken, match="--contact"):
        await subscribe("shop")


async def test_an_account_without_an_address_for_pushes_has_nothing_to_set_up(subscribe, sandbox):
    with pytest.raises(Mistaken, match="name no address for pushes"):
        await subscribe("deaf")

    assert list(sandbox.heard) == []


async def test_where_nobody_would_hear_nothing_is_set_up(subscribe, sandbox):
    with pytest.raises(Mistaken, match=r"\[push\]"):
        await subscribe("shop", push="")

    assert list(sandbox.heard) == []


async def test_no_secret_is_printed(subscribe, seller):
    said = "\n".join(await subscribe("shop", "alerts@shop.example"))

    assert TOKEN not in said
    assert seller.refresh_token not in said
