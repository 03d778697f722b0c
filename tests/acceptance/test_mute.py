"""A mute in mid-journey: clocks run and are counted, nothing leaves, and then all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.journey import journey_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.journey import Journey

pytestmark = [pytest.mark.paired, pytest.mark.timeout(300)]

BREACHED = {"result": "breached", "account": "alpha"}
HELD = """
    select count(*) from dispatch
    where notifier = 'hook' and muted_by is not null and sent_at is null
"""


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    with journey_at(place) as found:
        found.begin()
        yield found


def of_alpha(journey: Journey) -> list[str]:
    """What the webhook was told of alpha, by kind."""
    return [told["kind"] for told in list(journey.receiver.told) if told["account"] == "alpha"]


def test_what_is_muted_is_counted_held_back_and_told_as_one_though_the_daemon_dies(journey, tell):
    shop = journey.shop
    counted = journey.counters()
    done = shop.command("mute", "alpha", "--until", "1h", "--reason", "their API is down")
    assert done.returncode == 0, done.stderr
    until = "replyby_muted_until_timestamp_seconds"
    shop.until(lambda: shop.total(until, scope="account") > 0, 10)
    shop.until(lambda: journey.value(HELD) > 0, 30)  # a round holds back: those before have ended
    told, breached = len(of_alpha(journey)), shop.total("replyby_clocks_closed_total", **BREACHED)

    shop.until(lambda: shop.total("replyby_clocks_closed_total", **BREACHED) > breached + 3, 30)
    assert len(of_alpha(journey)) == told, "counted, and not told"
    shop.until(lambda: shop.total("replyby_notifications_muted", notifier="hook") > 0, 10)
    shop.until(lambda: journey.value(HELD) > 3, 30)

    # It is lifted while no daemon runs.
    shop.kill()
    done = shop.command("unmute", "alpha")
    assert done.stdout.startswith("account alpha: told again; "), done.stderr
    assert len(of_alpha(journey)) == told
    shop.launch()
    shop.until(lambda: len(of_alpha(journey)) > told, 90)
    journey.settle(90)

    first = of_alpha(journey)[told:]
    digests = [d for d in list(journey.receiver.told) if "/muted/" in d["key"]]
    assert len({d["key"] for d in digests}) == 1
    assert digests[0]["account"] == "alpha"
    assert first.count("digest") == len(digests) == 1
    assert digests[0]["subject"].startswith("Held back: ")
    tell("notices in the digest", digests[0]["facts"]["notices"])
    journey.agree(counted)
    assert max(journey.told_twice().values(), default=1) <= 2, "one kill"
    assert '"muted"' in shop.log()
    assert "their API is down" not in shop.log()
