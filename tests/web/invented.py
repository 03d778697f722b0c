"""A shop's board as it may be on a busy morning: accounts, threads and clocks, all invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.rules import Rules
from core.store import policies
from sla.calendar import Calendar
from sla.policy import Contract
from tests.core import seeds

MINUTE = timedelta(minutes=1)
ACCOUNTS = {
    "amazon-de": ("amazon", "Amazon Deutschland"),
    "ebay-uk": ("ebay", "eBay UK"),
    "empik": ("empik", "Empik Polska"),
    "shop-mail": ("webstore", "Shop mailbox"),
}
PROMISES = {"amazon-de": "amazon-24h", "ebay-uk": "ebay-2d", "empik": "empik-24h",
            "shop-mail": "ours-8h"}  # fmt: skip
# account, kind, language, order, minutes until it is due, what the buyer wrote about
THREADS = (
    ("amazon-de", "message", "de", "302-5534421-1188", -75, "Wo bleibt mein Paket?"),
    ("ebay-uk", "inquiry", "en", "24-10882-77121", -3, "The hinge was broken on arrival"),
    ("empik", "return", "pl", "EM-7781920", 8, "Chcę zwrócić lampę"),
    ("shop-mail", "message", "ko", "", 52, "배송 언제 되나요? 주문한 지 일주일이 지났습니다"),
    ("amazon-de", "message", "de", "302-9917765-0021", 128, "Rechnung für meine Bestellung fehlt"),
    ("empik", "message", "pl", "EM-7781988", 185, "Czy mogę zmienić adres dostawy?"),
    ("ebay-uk", "message", "en", "24-10911-20393", 402, "Do you post to the Isle of Man?"),
    ("shop-mail", "message", "en", "100024", 470, "Which screws go with the wall bracket?"),
    ("amazon-de", "message", "de", "302-1186542-7733", 690, "Passt der Filter ins Modell 340?"),
    ("empik", "incident", "pl", "EM-7782011", 955, "Brakuje jednej książki"),
    ("amazon-de", "message", "fr", "302-4421090-5518", 1140, "Où est la notice en français ?"),
    ("ebay-uk", "return", "en", "24-10923-88412", 1500, "Wrong colour, I want to return it"),
    ("shop-mail", "message", "de", "100019", 1660, "Gibt es Mengenrabatt ab zehn Stück?"),
)  # fmt: skip


def rules():
    """The accounts, with their contracts; Amazon and Empik judge in zones of their own."""
    zones = {"amazon-de": "Europe/Berlin", "empik": "Europe/Warsaw"}
    return Rules(
        accounts={
            name: seeds.account(name, marketplace=marketplace, title=title)
            for name, (marketplace, title) in ACCOUNTS.items()
        },
        policies={
            name: (
                replace(
                    seeds.policy(promise),
                    judged_by=(Contract("share", (timedelta(days=30),), zones.get(name, "UTC")),),
                    calendar=Calendar.always(),
                ),
            )
            for name, promise in PROMISES.items()
        },
        routing=seeds.rules().routing,
    )


async def fill(db, now, threads=THREADS):
    """Write *threads* with a clock each; their ids, in order."""
    for name, (marketplace, _) in ACCOUNTS.items():
        await seeds.put_account(db, now, name)
        await db.execute("update account set marketplace = $2 where name = $1", name, marketplace)
        await seeds.put_stream(db, now, name, seen_through=now)
    return [await thread(db, now, f"T{n}", *given) for n, given in enumerate(threads, 1)]


async def thread(db, now, name, account, kind, language, order, minutes, subject):
    """A thread of *account* whose buyer waits until so many *minutes* from *now*."""
    await seeds.put_thread(db, now - timedelta(hours=20), name, account)
    await db.execute(
        "update thread set kind = $3, subject = $4, order_ids = $5 where account = $1 and id = $2",
        account, name, kind, subject, [order] if order else [],
    )  # fmt: skip
    due = now + minutes * MINUTE
    steps = [due - 240 * MINUTE, due - 90 * MINUTE, due - 30 * MINUTE, due]
    promise = PROMISES[account]
    await seeds.put_clock(db, due, thread=name, account=account, steps=steps, kind=kind,
                          language=language, promise=promise, started_by=f"M-{name}",
                          members=[f"M-{name}"])  # fmt: skip
    return name


async def claimed(db, now, name, account, by, minutes):
    """Let *by* have a thread for so many *minutes*."""
    await db.execute(
        "insert into claim (account, thread, by, since, until) values ($1, $2, $3, $4, $5)",
        account, name, by, now - 5 * MINUTE, now + minutes * MINUTE,
    )  # fmt: skip


GERMAN = """Guten Tag, mein Paket sollte am Montag kommen und ist immer noch nicht da.
Unter https://track.example/de/302-5534421 steht seit drei Tagen nichts Neues.
Können Sie bitte nachsehen?

> Am 20.11.2026 schrieb Quill & Co:
> vielen Dank für Ihre Bestellung.
> Sie wird heute verschickt."""
KOREAN = """안녕하세요. 주문한 지 일주일이 지났는데 아직 배송이 시작되지 않았습니다.
확인 부탁드립니다. 감사합니다."""


async def talked(db, now):
    """What was said in the first thread, what its order is, and where its buyer waits as well."""
    await policies.load(db, rules().policies, now)
    await db.execute("update thread set keys = array['\\x07'::bytea] where id in ('T1', 'T4')")
    await seeds.put_message(db, now - timedelta(minutes=75 + 24 * 60), "M-T1", "T1", "amazon-de",
                            body=GERMAN)  # fmt: skip
    await db.execute(
        "update message set attachments = $1, language = 'de' where id = 'M-T1'",
        [{"id": "1", "name": "karton.jpg", "size": 348_112, "media_type": "image/jpeg"}],
    )
    hours = [now - n * timedelta(hours=1) for n in range(100)]
    await db.execute(
        "insert into market_order (account, id, asked_at, as_of, facts) values"
        " ('amazon-de', '302-5534421-1188', $1, $1, $2)", hours[1],
        {"status": "shipped", "total": "49.90", "currency": "EUR", "parcels": ["in transit"],
         "bought_at": hours[90].isoformat(), "shipped_at": hours[70].isoformat(),
         "items": [{"title": "Lampe Modell 340, weiß", "sku": "L-340", "product": "B0CDEF1234"}]},
    )  # fmt: skip
