"""One connector may read several kinds of sources: each account's options are of its kind."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from pydantic import ConfigDict, SecretStr

from core import settings
from core.configuration.configured import standing_in
from core.connector import Capabilities, Filling, Options, Part, SandboxSpec, Spec
from core.errors import SettingsError
from core.model import Stream
from core.running.state import metric_names
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "sup3r-secret-value"


class AnyOptions(Options):
    model_config = ConfigDict(extra="ignore")
    kind: Literal["letters", "chat"]


class LettersOptions(AnyOptions):
    model_config = ConfigDict(extra="forbid")
    mailbox: str


class Push(Part):
    endpoint: str
    secret: SecretStr


class ChatOptions(AnyOptions):
    model_config = ConfigDict(extra="forbid")
    url: str
    api_token: SecretStr
    push: Push | None = None


@asynccontextmanager
async def no_sandbox(accounts, clock):
    yield {}


def day(options):
    return Policy(
        name="day",
        version=1,
        role="contract",
        applies_to=frozenset(ThreadKind),
        waits_for=frozenset({Party.BUYER}),
        reply_within=timedelta(hours=24),
        calendar=Calendar.always(),
    )


SPEC = Spec(
    name="store",
    options=AnyOptions,
    kinds={"letters": LettersOptions, "chat": ChatOptions},
    policies=lambda o: (day(o),),
    streams=lambda o: (Stream(o.kind, timedelta(minutes=5)),),
    open=lambda o, transport: None,
    can=lambda o: Capabilities(),
    marketplace=lambda o: o.kind,
    identity=lambda o: o.model_dump_json(exclude={"api_token"}),
    budget=lambda o: "",
    sandbox=SandboxSpec(
        options={},
        kinds={
            "chat": Filling(
                {"url": "http://sandbox.invalid", "api_token": "none"},
                {"push": {"secret": "a-secret"}},
            )
        },
        open=no_sandbox,
    ),
)

FRAME = """
[notifiers.log]
kind = "file"
path = "notices"
[routes.ops]
notifiers = ["log"]
fallback = true
[accounts.one]
connector = "store"
{rest}
"""


@pytest.fixture
def read(tmp_path):
    def read(rest, *, sandbox=False, spec=SPEC):
        path = tmp_path / "settings.toml"
        path.write_text(FRAME.format(rest=rest))
        return settings.load(path, {"store": spec}, {"KEY": KEY}, sandbox=sandbox, now=NOW)

    return read


@pytest.fixture
def faults(read):
    def faults(rest, **how):
        with pytest.raises(SettingsError) as told:
            read(rest, **how)
        return "\n".join(told.value.complaints)

    return faults


def test_an_accounts_options_are_of_its_kind(read):
    written = 'options = { kind = "chat", url = "https://c.example", api_token = "env:KEY" }'

    account = read(written).accounts["one"]

    assert isinstance(account.options, ChatOptions)
    assert account.options.api_token.get_secret_value() == KEY
    assert account.account.marketplace == "chat"


def test_the_key_of_another_kind_is_unknown(faults):
    told = faults('options = { kind = "letters", mailbox = "m", url = "https://c.example" }')

    assert "accounts.one.options.url" in told
    assert "unknown key" in told


@pytest.mark.parametrize("kind", ['kind = "telegraph", ', "", "kind = 3, ", 'kind = ["chat"], '])
def test_a_kind_that_nobody_knows_is_told_alone(faults, kind):
    told = faults(f'options = {{ {kind}mailbox = "m" }}')

    assert "accounts.one.options.kind" in told
    assert "mailbox" not in told


def test_a_secret_in_plain_is_told_whatever_the_kind_is_and_never_shown(faults):
    told = faults(f'options = {{ kind = "telegraph", api_token = "{KEY}" }}')

    assert "accounts.one.options.api_token" in told
    assert KEY not in told


def test_the_gaps_of_a_stand_in_are_those_of_its_kind(read):
    account = read('sandbox = true\noptions = { kind = "chat" }', sandbox=True).accounts["one"]

    assert account.options.url == "http://sandbox.invalid"


def test_so_are_those_of_a_table_that_is_written(read):
    rest = 'sandbox = true\noptions = { kind = "chat", push = { endpoint = "http://here" } }'

    push = read(rest, sandbox=True).accounts["one"].options.push

    assert (push.endpoint, push.secret.get_secret_value()) == ("http://here", "a-secret")


def test_at_its_running_stand_in_an_account_is_still_of_its_kind(read):
    account = read('sandbox = true\noptions = { kind = "chat" }', sandbox=True).accounts["one"]

    there = standing_in(account, {"url": "http://127.0.0.1:1"})

    assert isinstance(there.options, ChatOptions)
    assert there.options.url == "http://127.0.0.1:1"


def test_an_account_brings_the_series_of_its_kind_alone(read):
    spec = replace(
        SPEC,
        operations=("fetch", "ask"),
        topics=("said",),
        words=lambda o: (("ask",), ("said",)) if o.kind == "chat" else (("fetch",), ()),
        can=lambda o: Capabilities(receives=True),
    )
    written = 'options = { kind = "letters", mailbox = "m" }'

    names = metric_names(read(written, spec=spec))

    assert names.operations == (("letters", "fetch"),)
    assert names.topics == (("letters", "other"),)
