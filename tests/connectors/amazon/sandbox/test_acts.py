"""What people do, and what goes wrong, to order by HTTP."""

from __future__ import annotations

import json

import aiohttp
import pytest

from connectors.amazon.sandbox import acts
from connectors.amazon.sandbox.spapi import SellingApi
from core.errors import OutcomeUnknown
from core.sandbox import mail_acts


@pytest.fixture
async def url(sandbox, seller, clock):
    api = SellingApi(clock, more=acts.routes(), shared={acts.SANDBOX: sandbox})
    async with api:
        yield f"{api.url}/_sandbox"


@pytest.fixture
async def act(url, seller):
    async with aiohttp.ClientSession() as session:

        async def act(name, *, user=None, **how):
            told = {"user": user or seller.mailbox.user, **how}
            if name in mail_acts.ACTS:
                del told["user"]
            async with session.post(f"{url}/acts/{name}", json=told) as answer:
                return answer.status, await answer.json()

        yield act


async def listed(url, what=""):
    async with aiohttp.ClientSession() as session, session.get(f"{url}/{what}") as answer:
        return json.loads(await answer.text())


async def test_people_may_be_ordered_and_their_letters_lie_there_at_once(
    act, seller, clock, letters
):
    _, made = await act("asks", words="Wo ist es?", language="de", carries="sender")
    about = {"case": made["case"]}
    clock.advance(minutes=1)
    done = [
        await act("buyer_writes", **about, words="Hallo?", at=clock.now.isoformat()),
        await act("customer_service_writes", **about, words="Please answer."),
        await act("claim", **about),
        await act("return", **about),
        await act("cancellation", **about),
        await act("chargeback", **about),
        await act("decision", **about),
        await act("refund", **about),
        await act("stranger_writes", **about, how="hosted"),
        await act("stranger_writes", **about),
        await act("answers_by_mail", **about, words="Montag."),
        await act("marks_no_response_needed", **about),
    ]

    assert [status for status, _ in done] == [201] * 12
    assert len(await letters()) == 11
    assert len(await letters("Sent")) == 1
    assert made["is_waiting"]
    assert not seller.cases[made["case"]].is_waiting(clock.now)


async def test_a_question_may_name_no_order_and_come_from_who_opted_out(act, seller):
    _, made = await act("asks", words="Vor dem Kauf?", order=False, is_opted_out=True)

    assert made["order"] is None
    assert seller.cases[made["case"]].buyer.is_opted_out


async def test_letters_may_be_held_released_and_doubled(act, sandbox, case, letters):
    await letters()
    await act("hold")
    await act("twice")
    await act("buyer_writes", case=case.id, words="Hallo?")
    during = len(await letters())
    await act("release")

    assert (during, len(await letters())) == (1, 3)


async def test_what_becomes_of_answers_may_be_ordered_and_is_told(act, url, seller, case, answer):
    await act("next_fate", fate="lost")
    await act("approve", address="Intern@shop.example")
    await act("habits", copies=False)
    await answer(case.alias)
    await answer(case.alias, sender="intern@shop.example")

    assert [one["fate"] for one in await listed(url, "outcomes")] == ["lost", "relayed"]
    assert not seller.habits.copies


async def test_the_mail_servers_faults_may_be_ordered_and_lifted(act, case, answer):
    await act("mail_fault", fault="smtp_drop_after_data", times=1)
    with pytest.raises(OutcomeUnknown):
        await answer(case.alias)
    await act("mail_fault", fault="smtp_refuse_login")
    await act("lift")

    await answer(case.alias)


async def test_what_is_there_is_told_without_passwords_and_words(url, sandbox, seller, case):
    (summary,) = await listed(url)
    (shown,) = await listed(url, "cases")
    told = json.dumps([summary, shown])

    assert (summary["user"], summary["waiting"]) == (seller.mailbox.user, 1)
    assert (shown["case"], shown["alias"]) == (case.id, case.alias)
    assert sandbox.options(seller)["password"] not in told
    assert "Paket" not in told


@pytest.mark.parametrize(
    ("name", "how", "expected"),
    [
        ("asks", {"user": "nobody", "words": "x"}, 404),
        ("buyer_writes", {"case": "x", "words": "a"}, 404),
        ("__init__", {}, 404),
        ("asks", {"nonsense": 1}, 400),
        ("asks", {"words": "x", "at": "yesterday"}, 400),
        ("next_fate", {"fate": "eaten"}, 400),
        ("habits", {"nonsense": True}, 400),
        ("mail_fault", {"fault": "fire"}, 400),
    ],
)
async def test_an_act_that_makes_no_sense_is_refused(act, name, how, expected):
    assert (await act(name, **how))[0] == expected


async def test_an_unknown_act_on_a_case_is_refused(act, case):
    assert (await act("forget_all", case=case.id))[0] == 404
