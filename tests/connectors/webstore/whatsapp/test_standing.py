"""How a number, its subscription and its token stand; and how they are set up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.graph import Subscription
from core.connector import Transport
from core.errors import BadCredentials, Mistaken, Refused
from core.pushes import Subscribes
from core.transport.http import Http
from tests.connectors.standing import QUICK

OBJECT = "whatsapp_business_account"


@pytest.fixture
def read(whatsapp, clock):
    async def read():
        return await whatsapp.fetch("number", None, None, clock.now)

    return read


async def test_all_is_well(read):
    page = await read()
    assert page.pushes == ()
    assert {one.name: one.value for one in page.published} == {
        "quality": 3.0, "messaging_limit": 1000.0, "connected": 1.0,
    }  # fmt: skip


async def test_a_token_that_ends_is_counted_down(read, line, clock):
    line.token.expires_at = clock.now + timedelta(days=3)
    found = {one.name: one.value for one in (await read()).published}
    assert found["token_days_left"] == pytest.approx(3.0, abs=0.001)


async def test_a_check_asks_for_the_day_on_which_the_token_ends(whatsapp, line, optioned, session):
    assert await whatsapp.check() == ()
    line.token.expires_at = datetime(2027, 1, 2, 12, tzinfo=UTC)
    (told,) = await whatsapp.check()
    assert told.startswith("token_expires_on: the token ends on 2027-01-02;")
    written = spec.open(optioned(token_expires_on="2027-01-02"), Transport(Http(session)))
    assert await written.check() == ()


async def test_a_check_finds_a_wrong_app_secret(optioned, session):
    """Every push would be refused: the secret proves who has sent it."""
    wrong = spec.open(optioned(app_secret="another"), Transport(Http(session, limits=QUICK)))
    with pytest.raises(BadCredentials, match="debug_token"):
        await wrong.check()


async def test_a_token_that_ended_is_told_by_its_code(read, whatsapp, line, clock, graph):
    line.token.expires_at = clock.now - timedelta(seconds=1)
    for status in (401, 400):
        graph.habits.token_status = status
        with pytest.raises(BadCredentials, match="code 190"):
            await read()
        with pytest.raises(BadCredentials, match="code 190"):
            await whatsapp.check()


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda line: line.app.subscriptions.clear(), "destination_missing"),
        (lambda line: setattr(sub(line), "callback_url", "https://x.example"),
         "destination_missing"),
        (lambda line: setattr(sub(line), "active", False), "destination_disabled"),
        (lambda line: sub(line).fields.discard("messages"), "subscription_missing"),
        (lambda line: sub(line).fields.discard("smb_message_echoes"), "subscription_missing"),
        (lambda line: setattr(line, "fields", None), "subscription_missing"),
        (lambda line: setattr(line, "override", "https://x.example"), "destination_missing"),
        (lambda line: setattr(line, "own_override", "https://x.example"), "destination_missing"),
    ],
)  # fmt: skip
async def test_why_no_push_can_arrive_is_told(read, line, change, trouble):
    change(line)
    assert (await read()).pushes == (trouble,)


def sub(line):
    return line.app.subscriptions[OBJECT]


async def test_an_address_of_the_account_itself_is_as_good(read, line, endpoint):
    line.app.subscriptions.clear()
    line.override = endpoint.url
    assert (await read()).pushes == ()


async def test_an_address_of_the_number_stands_before_all_others(
    read, line, endpoint, graph, ana, deliver
):
    """The app's address and the account's may look right, and are not used."""
    line.override, line.own_override = "https://x.example", endpoint.url
    assert (await read()).pushes == ()
    graph.says(line, ana, "Hello?")
    assert await deliver() == [200]
    line.override, line.own_override = endpoint.url, "https://x.example"
    assert (await read()).pushes == ("destination_missing",)


async def lines(connector, clock):
    return [line async for line in connector.subscribe(None, clock.now)]


async def test_a_new_app_is_set_up_and_its_address_proved(whatsapp, line, endpoint, clock, sandbox):
    line.app.subscriptions.clear()
    line.fields = None
    assert isinstance(whatsapp, Subscribes)
    assert await lines(whatsapp, clock) == [
        f"address {endpoint.url}: registered now", f"{OBJECT} {line.node}: subscribed now",
    ]  # fmt: skip
    assert [one.outcome for one in endpoint.receipts] == ["challenge"]
    assert (await whatsapp.fetch("number", None, None, clock.now)).pushes == ()


async def test_what_stands_is_left_alone(whatsapp, line, endpoint, clock, sandbox):
    assert await lines(whatsapp, clock) == [
        f"address {endpoint.url}: registered", f"{OBJECT} {line.node}: subscribed",
    ]  # fmt: skip
    assert sandbox.calls("subscribe_app") == sandbox.calls("subscribe") == []


async def test_fields_that_lack_are_added_to_those_that_stand(whatsapp, line, clock):
    sub(line).fields = {"messages", "account_update"}
    assert "registered anew" in (await lines(whatsapp, clock))[0]
    assert sub(line).fields == {"messages", "account_update", "smb_message_echoes"}


async def test_an_address_that_somebody_else_may_need_is_not_taken_over(whatsapp, line, clock):
    line.app.subscriptions[OBJECT] = Subscription("https://other.example/hook", {"messages"})
    with pytest.raises(Mistaken, match="another address already"):
        await lines(whatsapp, clock)
    assert sub(line).callback_url == "https://other.example/hook"


async def test_an_address_that_does_not_answer_is_not_registered(whatsapp, line, endpoint, clock):
    line.app.subscriptions.clear()
    endpoint.closed = True
    with pytest.raises(Refused, match="code 2200"):
        await lines(whatsapp, clock)
    assert line.app.subscriptions == {}


async def test_a_wrong_verify_token_is_found_out(optioned, session, line, endpoint, clock):
    """The daemon answers by its own settings: they differ from those that subscribe."""
    line.app.subscriptions.clear()
    running = spec.open(optioned(verify_token="another"), Transport(Http(session)))
    endpoint.receiver = running
    connector = spec.open(optioned(), Transport(Http(session, limits=QUICK)))
    with pytest.raises(Refused, match="code 2200"):
        await lines(connector, clock)
    assert [one.outcome for one in endpoint.receipts] == ["no_challenge"]
