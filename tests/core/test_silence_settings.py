"""How long an account may be pushed nothing, as its settings say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core import settings
from core.connector import Capabilities
from core.errors import SettingsError
from core.model import LONGEST_SILENCE, Stream
from tests.core.test_settings import ENVIRON, GOOD, NOW, SHOP

SILENCE = GOOD.replace('goals = ["ours-4h"]', 'goals = ["ours-4h"]\nsilence = "6h"')
PUSHED = replace(SHOP, can=lambda _: Capabilities(receives=True))


@pytest.fixture
def read(tmp_path):
    def read(text, shop):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        specs = {"shop": shop, "bare": SHOP}
        return settings.load(path, specs, ENVIRON, sandbox=False, now=NOW)

    return read


def test_an_account_that_is_pushed_may_have_a_limit(read):
    account = read(SILENCE, PUSHED).accounts["shop-fr"].account

    assert account.receives
    assert account.silence == timedelta(hours=6)


def test_without_one_what_is_usual_says_it(read):
    assert read(GOOD, PUSHED).accounts["shop-fr"].account.silence is None


def test_of_an_account_that_is_pushed_nothing_it_is_a_fault(read):
    with pytest.raises(SettingsError) as found:
        read(SILENCE, SHOP)

    (fault,) = found.value.complaints
    assert fault.startswith("accounts.shop-fr.silence: nothing is pushed to this account; set up")


@pytest.mark.parametrize("wrong", ["0s", "-6h", "soon"])
def test_it_is_a_time(read, wrong):
    with pytest.raises(SettingsError, match=r"accounts\.shop-fr\.silence"):
        read(SILENCE.replace('"6h"', f'"{wrong}"'), PUSHED)


def test_longer_than_is_waited_for_is_a_fault_that_says_how_long_it_may_be(read):
    """Else it would be taken, and never told."""
    longest = read(SILENCE.replace('"6h"', '"60d"'), PUSHED).accounts["shop-fr"].account
    assert longest.silence == LONGEST_SILENCE

    with pytest.raises(SettingsError) as found:
        read(SILENCE.replace('"6h"', '"60d1s"'), PUSHED)

    (fault,) = found.value.complaints
    assert fault.startswith("accounts.shop-fr.silence: ")
    assert fault.endswith("is longer than is waited for; write 60d or less")


@pytest.mark.parametrize("carries_clocks", [True, False])
def test_what_no_stream_brings_is_pushed_only(read, carries_clocks):
    stream = Stream("number", timedelta(hours=1), carries_clocks=carries_clocks)

    found = read(GOOD, replace(PUSHED, streams=lambda _: (stream,)))

    assert found.accounts["shop-fr"].account.polled is carries_clocks
