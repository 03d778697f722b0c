"""The README says what the code does; its examples are loaded, and run."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from connectors.webstore import letters, spec
from connectors.webstore.generic import answering, offer, options, paging
from connectors.webstore.generic.asking import Auth, Paging, Poll, Rate, Since
from connectors.webstore.generic.meaning import Meaning, Word
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.sandbox import deliveries
from connectors.webstore.generic.signing import Webhook
from core import settings
from core.connector import Transport
from core.model import MAX_ID
from core.pushes import PushRequest
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp
from sla.policy import Party
from tests.connectors import described
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.conftest import Place
from tests.connectors.webstore.generic.shapes import FLAT

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "generic"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = {
    next(iter(tomllib.loads(text)["accounts"])): text
    for text in re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
}
SECRETS = {name: f"secret-of-{name.lower()}" for name in re.findall(r'"env:(\w+)"', README)}
NEEDED = """
[notifiers.file]
kind = "file"
path = "notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""


@pytest.fixture
def loaded(tmp_path):
    """The options of an example, as the program reads them from a file."""

    def loaded(name):
        path = tmp_path / "settings.toml"
        path.write_text(NEEDED + EXAMPLES[name], encoding="utf-8")
        told = settings.load(path, {"webstore": spec}, SECRETS, sandbox=False, now=NOON)
        return told.accounts[name].options

    return loaded


def test_there_are_three_examples():
    assert list(EXAMPLES) == ["lamps", "teapots", "mugs"]


@pytest.mark.parametrize("name", EXAMPLES)
async def test_each_example_reads_receives_and_answers(
    name, loaded, sandbox, session, draft, clock
):
    given = loaded(name)
    place = Place.of(sandbox, given, session)
    asked = place.shop.asks("Where is it?", at=NOON - timedelta(minutes=9))
    push = sandbox.deliveries.push(place.shop, asked)
    headers = {n.lower(): told for n, told in deliveries.signed(push, clock.now).items()}
    request = PushRequest("POST", "/", {}, headers, push.body, {name: place.options})
    connector = spec.open(place.options, Transport(Http(session), smtp=Smtp()))
    receipt = await connector.receive(request, clock.now)
    found = await walk(connector, "messages", None, clock.now)
    (thread,) = found.threads.values()
    sent = await connector.reply(thread, draft("Here.", thread.id), clock.now)

    assert await connector.check() == ()
    assert receipt.outcome == "stored"
    assert {m.id: m for m in receipt.pages[name].messages} == found.messages
    assert [m.sent_at for m in found.messages.values()] == [NOON - timedelta(minutes=9)]
    after = (await walk(connector, "messages", None, clock.now)).messages
    if given.mail is not None:
        assert [one.recipients for one in sandbox.mail.taken] == [(asked.conversation.mail,)]
    else:
        assert (after[sent.message_id].body, after[sent.message_id].party) == (
            "Here.", Party.SELLER)  # fmt: skip


def rows(heading):
    """What the first column of the tables under *heading* names."""
    part = README.partition(heading)[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (`[^|]+`) \|", part, re.MULTILINE)
    return {name for line in lines for name in re.findall(r"`\"?([a-z_]+)\"?`", line)}


def test_the_readme_lists_options_keys_and_limitations():
    said = rows("## Options")
    for model in (GenericOptions, Meaning, Poll, Webhook):
        assert set(model.model_fields) <= said, model
    for model in (Auth, Since, Rate, Paging, answering.Reply):
        assert [one for one in model.model_fields if f"`{one}`" not in README
                and f"{one} " not in README and f"{one}," not in README] == [], model  # fmt: skip
    for stream in offer.streams(GenericOptions(**FLAT)):
        assert f"| `{stream.name}` |" in README
    for word in (*get_args(Word), *get_args(Paging.model_fields["by"].annotation)):
        assert f'"{word}"' in README
    for place in answering.PLACES:
        assert f"`{{{place}}}`" in README
    assert README.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code():
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", README, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in GenericOptions.model_fields}

    assert set(written) == {"conversation", "look_back", "overlap", "poll_every"}
    assert GenericOptions(**{**FLAT, **written}) == GenericOptions(**FLAT)


def test_the_limits_in_the_readme_are_those_of_the_code():
    (messages,) = offer.streams(GenericOptions(**FLAT))

    assert f"| {messages.every.total_seconds() / 60:g} min, at least " in README
    assert f"at least {options.FLOOR.total_seconds():g} s" in README
    assert messages.floor == options.FLOOR
    assert f"| {paging.MOST_PAGES:,} |" in README
    assert f"| {MAX_ID:,} characters" in README
    assert f"1 to {letters.LONGEST:,} characters" in README
    assert f"{letters.MOST_ENCLOSED // 10**6} MB and {letters.MOST_FILES} files" in README
    assert f"the last {Rate(left='x').keep} are left" in README


def test_the_goals_say_their_source_and_when_they_were_read():
    for goal in (offer.MESSAGE, offer.CHAT):
        assert f"`{goal.name}`" in README
        assert goal.source
        assert goal.checked_on
    assert f"{offer.MESSAGE.reply_within.total_seconds() / 3600:g} hours" in README
    assert f"{offer.CHAT.reply_within.total_seconds() / 60:g} minutes" in README


def test_the_readme_says_how_to_change_the_key():
    assert "A new key" in README
    assert "reload" in README


def test_each_trap_that_the_readme_names_has_a_test():
    described.shows_its_traps(README, Path(__file__).parent)


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
