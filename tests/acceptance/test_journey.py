"""The daemon as a process, through the whole journey: message in, notice out, on bad days too."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from core.loops import utcnow
from tests.acceptance.shop import free_port, shop_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]


@pytest.fixture
def shop(place) -> Iterator[Shop]:
    with shop_at(place) as found:
        yield found


def journeyed(shop: Shop) -> bool:
    met = shop.total("replyby_clocks_closed_total", result="met")
    breached = shop.total("replyby_clocks_closed_total", result="breached")
    told = shop.told()
    return bool(met and breached and told["warning"] and told["breach"])


def test_a_first_run_shows_clocks_met_warned_and_broken_within_a_minute_and_survives(shop):
    shop.start()
    shop.until(lambda: journeyed(shop), 60)
    before = {
        result: shop.total("replyby_clocks_closed_total", result=result)
        for result in ("met", "breached")
    }
    kill_without_warning(shop)
    keys_before = {notice["key"] for notice in shop.notices()}

    shop.start()
    for result, n in before.items():
        assert shop.total("replyby_clocks_closed_total", result=result) >= n
    shop.until(lambda: len({n["key"] for n in shop.notices()}) > len(keys_before), 70)
    stop_politely(shop)

    keys = Counter(notice["key"] for notice in shop.notices())
    twice = {key for key, n in keys.items() if n > 1}
    assert keys_before <= set(keys)
    assert len(twice) <= 1, "only what left in the instant of the kill may leave again"


def kill_without_warning(shop: Shop) -> None:
    assert shop.daemon is not None
    family = psutil.Process(shop.daemon.pid).children(recursive=True)
    shop.daemon.kill()
    shop.daemon.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == [], "nothing of the daemon outlives it"


def stop_politely(shop: Shop) -> None:
    assert shop.daemon is not None
    began = time.monotonic()
    shop.daemon.send_signal(signal.SIGTERM)
    assert shop.daemon.wait(10) == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in shop.log()


def test_a_first_run_shows_ebay_with_a_return_whose_date_ebay_gives(shop):
    """The settings as shipped, seen as whoever starts them sees it."""
    shop.start()
    shop.until(lambda: returned(shop), 40)

    dated = returned(shop)[0]
    why = shop.command("explain", "ebay-de", dated["thread"])

    assert dated["thread"].startswith("return:")
    assert datetime.fromisoformat(dated["due_at"]) > utcnow() + timedelta(hours=12)
    assert why.returncode == 0, why.stderr
    assert dated["promise"] in why.stdout


def returned(shop: Shop) -> list[dict[str, Any]]:
    """The running deadlines that eBay itself gives for returns."""
    rows = json.loads(shop.command("threads", "--json").stdout)
    return [
        row for row in rows
        if row["account"] == "ebay-de" and row["promise"].startswith("given:return:")
    ]  # fmt: skip


def test_every_command_works_beside_the_running_daemon(shop):
    shop.start()
    shop.until(lambda: shop.total("replyby_open_clocks") > 0, 30)

    assert shop.command("healthcheck").returncode == 0
    rows = json.loads(shop.command("threads", "--json").stdout)
    account, thread = rows[0]["account"], rows[0]["thread"]

    why = shop.command("explain", account, thread)
    assert why.returncode == 0, why.stderr
    assert "ours-1m" in why.stdout

    answer = shop.command("reply", account, thread, "--text", "It leaves the house today.")
    assert answer.returncode == 0, answer.stderr
    shop.until(lambda: answered(shop, account, thread), 30)

    other = next(row for row in rows if row["thread"] != thread)
    assert shop.command("mark", other["account"], other["thread"], "decided").returncode == 0
    third = next(r for r in rows if r["thread"] not in {thread, other["thread"]})
    at = (utcnow() - timedelta(seconds=1)).isoformat()
    done = shop.command("answered", third["account"], third["thread"], "--at", at)
    assert done.returncode == 0, done.stderr

    assert shop.command("poll", account, "--once").returncode == 0
    assert shop.command("check", "--sandbox").returncode == 0
    assert shop.command("notices", "list").returncode == 0
    assert shop.command("set-aside", "list").returncode == 0
    assert shop.command("notify", "--test", "desk").returncode == 0
    shop.until(lambda: shop.told()["test"] >= 1, 20)
    shop.until(lambda: any(map(bought, explained(shop, "amazon-de"))), 60)


def explained(shop: Shop, account: str) -> Iterator[str]:
    """Why each running deadline of an account is what it is."""
    rows = json.loads(shop.command("threads", "--json").stdout)
    for thread in {row["thread"] for row in rows if row["account"] == account}:
        yield shop.command("explain", account, thread).stdout


def bought(why: str) -> bool:
    """Whether facts of an order stand there, which the marketplace was asked for by itself."""
    return any(line.startswith("  order ") and "bought" in line for line in why.splitlines())


def answered(shop: Shop, account: str, thread: str) -> bool:
    rows = json.loads(shop.command("threads", "--json").stdout)
    return not [
        r for r in rows
        if (r["account"], r["thread"], r["promise"]) == (account, thread, "ours-1m")
    ]  # fmt: skip


def test_a_command_brings_the_database_along_when_no_daemon_runs(shop):
    shop.start()
    shop.until(lambda: shop.total("replyby_open_clocks") > 0, 30)
    stop_politely(shop)

    listed = shop.command("threads", "--json")

    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)


def test_a_second_daemon_on_the_same_directory_is_refused_in_one_sentence(shop):
    shop.start()
    assert shop.daemon is not None

    elsewhere = {f"REPLYBY_{name}__LISTEN": f"127.0.0.1:{free_port()}" for name in ("OPS", "PUSH")}

    second = shop.command("run", "--sandbox", **elsewhere)

    assert second.returncode != 0
    assert str(shop.daemon.pid) in second.stderr + second.stdout
    assert "Traceback" not in second.stderr + second.stdout


def test_settings_that_cannot_be_used_start_nothing(shop):
    (shop.place / "settings.toml").write_text('[store]\ndsn = "embedded"\nstate_dri = "x"\n')

    done = shop.command("run", "--sandbox")

    assert done.returncode == 2
    assert "store.state_dri" in done.stderr
    assert not (shop.place / "var").exists()
