"""Ten megabytes of anything: read or set aside in its time, and what stands beside it is stored."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json

import psutil
import pytest

from tests.acceptance import moulds
from tests.acceptance.mill import Mill
from tests.acceptance.moulds import CANARY, Payload
from tests.acceptance.mutation import Raw, written

pytestmark = [pytest.mark.serial, pytest.mark.timeout(300)]

SIZE = 10_000_000
SECONDS, MANY_SECONDS = 2.0, 10.0
"""CPU time for one thing of so many bytes, and for as many things as a page will never hold."""

ROOM = 400 << 20
"""Memory that one page may cost beyond what the process held before: all collected tests, say."""

LONG = CANARY * (SIZE // len(CANARY))
DIGITS = Raw(b"7" * SIZE)
GOOD = {"id": "good", "messages": [{"id": "good-1", "body": "x"}]}
WHOLE = {"good": frozenset({"good-1"})}


def asked(id_="M", **more):
    sender = {"type": "CUSTOMER_USER"}
    return {"id": id_, "date_created": "2026-11-21T12:00:00Z", "from": sender, **more}


def thread(id_="T", *messages, **more):
    return {"id": id_, "messages": list(messages), **more}


ONE = {
    "body": thread("T", asked(body=LONG)),
    "body of an odd message": thread("T", asked(body=LONG, to=5, attachments=5)),
    "id": thread(LONG),
    "id of a message": thread("T", asked(LONG)),
    "date": thread("T", asked(date_created=f"T{LONG}"), date_updated=f"T{LONG}"),
    "name of an attachment": thread("T", asked(attachments=[{"id": "F", "name": LONG}])),
    "word": thread("T", asked(to=[{"type": LONG}])),
    "topic": thread("T", topic={"type": "REASON_CODE", "value": LONG}),
    "name of a buyer": thread(
        "T", current_participants=[{"type": "CUSTOMER", "display_name": LONG}]
    ),
    "key that nobody knows": {"id": "T", LONG: 5, "messages": 5},
    "NULs": thread("T", asked(body="\x00" * (SIZE // 6))),
    "lone surrogates": thread("T", asked(body="\ud800" * (SIZE // 6))),
    "digits": thread("T", asked(date_created=DIGITS), metadata={"total_count": DIGITS}),
    "blanks": Raw(b" " * SIZE + b"5"),
}
MANY = {
    "nothings": [Raw(b",".join([b"null"] * (SIZE // 5)))],
    "things without an id": [{"x": n} for n in range(90_000)],
    "threads": [thread(f"T{n}") for n in range(20_000)],
    "messages": [thread("T", *(asked(f"m{n}") for n in range(20_000)))],
    "messages in two threads": [
        thread(name, *(asked(f"m{n}", body="x" * 100) for n in range(10_000))) for name in "TU"
    ],
    "odd messages": [thread("T", *(asked(f"m{n}", to=3, body=[n]) for n in range(20_000)))],
    "copies of a thread": [thread("T", asked(f"m{n % 7}")) for n in range(20_000)],
    "clicks": [thread("T", no_store_reply_needed=[{"date": n} for n in range(20_000)])],
    "recipients": [thread("T", asked(to=[{"type": f"X{n}"} for n in range(90_000)]))],
}


ORDER = {
    "has_incident": True,
    "order_lines": [{"order_line_id": "1", "order_line_state": "INCIDENT_OPEN"}],
}


@pytest.fixture
async def mill(pool):
    asyncio.get_running_loop().set_debug(False)
    mill = Mill(pool, await moulds.real())
    await mill.begin()
    mill.figures.slowest = 0.0
    return mill


async def ground(mill, items, seconds):
    """One page of *items* and a good thread; both are looked at, and the time is told."""
    mill.seconds = seconds
    body = written({"data": [*items, GOOD]})
    nothing_but_faults = isinstance(items[0], Raw) and b"null" in items[0].content
    await mill.grind([Payload("M11", body, {} if nothing_but_faults else WHOLE)])
    await mill.end()


def resident():
    """What the process holds, without what the C library keeps of what others gave back."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    return psutil.Process().memory_info().rss


@pytest.mark.parametrize("what", ONE)
async def test_one_thing_of_ten_megabytes_is_dealt_with_in_its_time(mill, tell, what):
    await ground(mill, [ONE[what]], SECONDS)

    tell(f"{what}, CPU seconds", round(mill.figures.slowest, 2))


@pytest.mark.parametrize("what", MANY)
async def test_many_things_in_one_page_are_dealt_with_in_their_time(mill, tell, what):
    before = resident()
    await ground(mill, MANY[what], MANY_SECONDS)

    tell(f"{what}, CPU seconds", round(mill.figures.slowest, 2))
    assert psutil.Process().memory_info().rss - before < ROOM


async def test_many_orders_in_one_page_are_dealt_with_in_their_time(mill, tell):
    mill.seconds = MANY_SECONDS
    orders = [ORDER | {"order_id": f"O{n}"} for n in range(20_000)]

    await mill.grind([Payload("OR11", written({"orders": orders}))])
    await mill.end()
    tell("orders, CPU seconds", round(mill.figures.slowest, 2))


async def test_a_token_of_ten_megabytes_ends_its_walk_and_costs_no_page(mill):
    page = {"data": [GOOD], "next_page_token": LONG}

    await mill.grind([Payload("M11", json.dumps(page).encode(), WHOLE)])
    await mill.end()
