"""What the buyers of an account write, as its settings or its marketplace say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import settings
from core.errors import SettingsError
from tests.core.test_settings import ENVIRON, GOOD, NOW, SHOP

POLISH = replace(SHOP, language=lambda _: "pl")


def written(language):
    return GOOD.replace('goals = ["ours-4h"]', f'goals = ["ours-4h"]\nlanguage = "{language}"')


@pytest.fixture
def read(tmp_path):
    def read(text, shop):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        specs = {"shop": shop, "bare": SHOP}
        found = settings.load(path, specs, ENVIRON, sandbox=False, now=NOW)
        return found.accounts["shop-fr"].account.language

    return read


def test_the_settings_go_before_the_marketplace_and_are_kept_in_one_spelling(read):
    assert read(written("de_at"), POLISH) == "de-AT"
    assert read(written("DE"), SHOP) == "de"


def test_without_a_word_of_theirs_the_marketplace_says_it_where_it_can(read):
    assert read(GOOD, POLISH) == "pl"
    assert read(GOOD, SHOP) is None


@pytest.mark.parametrize("wrong", ["German", "", "und", "de, fr", "*"])
def test_what_is_no_language_is_a_fault(read, wrong):
    with pytest.raises(SettingsError) as found:
        read(written(wrong), SHOP)

    (fault,) = found.value.complaints
    assert fault.startswith("accounts.shop-fr.language: is no language; write its code")
