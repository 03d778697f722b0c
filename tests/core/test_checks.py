from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import settings
from core.connector import Capabilities, Credential, Options, Spec
from core.model import Stream
from core.running import checks
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class NoOptions(Options):
    minutes: int = 5
    promise: int = 24


def contract(options: NoOptions) -> Policy:
    return Policy(
        name="contract",
        version=1,
        role="contract",
        applies_to=frozenset({ThreadKind.MESSAGE}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=timedelta(hours=options.promise),
        calendar=Calendar.always(),
    )


SPEC: Spec[Any] = Spec(
    name="shop",
    options=NoOptions,
    policies=lambda o: (contract(o),),
    streams=lambda o: (
        Stream("messages", timedelta(minutes=o.minutes)),
        Stream("numbers", timedelta(days=1), carries_clocks=False),
    ),
    open=lambda o, transport: None,  # type: ignore[arg-type, return-value]  # never opened here
    can=lambda o: Capabilities(),
    marketplace=lambda o: "shop",
    identity=lambda o: str(o.minutes),
    budget=lambda o: "",
    findings=lambda o, others: tuple(f"minutes: {o.minutes} and {p.minutes}" for p in others),
)

WELL = """
[accounts.one]
connector = "shop"
goals = ["fast"]
[policies.fast]
reply_within = "8h"
[notifiers.log]
kind = "file"
path = "notices"
[routes.ops]
notifiers = ["log"]
fallback = true
"""


@pytest.fixture
def findings(tmp_path):
    def findings(text, spec=SPEC):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        read = settings.load(path, {"shop": spec}, {}, sandbox=False, now=NOW)
        return checks.findings(read, NOW)

    return findings


def test_wise_settings_have_no_findings(findings):
    assert findings(WELL) == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("fallback = true", 'fallback = true\nkinds = ["breach"]',
         "accounts.one: nobody is told of warning, corrected,"),
        ('goals = ["fast"]', "",
         "policies.fast: no account has it; name it under an account's goals"),
        ("[routes.ops]", '[routes.lost]\nnotifiers = ["log"]\n[routes.ops]',
         "routes.lost: no account names it; name it under an account's routes"),
        ("[routes.ops]", '[notifiers.lost]\nkind = "file"\npath = "x"\n[routes.ops]',
         "notifiers.lost: no route names it; name it in a route, or remove it"),
        ("[policies.fast]", "[accounts.one.options]\nminutes = 30\n[policies.fast]",
         ("accounts.one: messages is read every 30m, too slowly for a promise of 8h; "
         "read it every 8m or oftener")),
        ('reply_within = "8h"', 'reply_within = "8h"\nreview_after = 2026-11-20',
         "policies.fast: was to be reviewed after 2026-11-20"),
        ("[policies.fast]", '[ops]\nlisten = "0.0.0.0:9100"\n[policies.fast]',
         "ops.listen: 0.0.0.0:9100 can be reached from outside"),
        ("[policies.fast]", "[push]\n[policies.fast]", "push.public_url: is not set"),
        ('goals = ["fast"]', "policies = []",
         "accounts.one: has no promise in force, so no clock will run; give it goals"),
    ],
)  # fmt: skip
def test_what_is_not_wise_is_found(findings, old, new, finding):
    found = findings(WELL.replace(old, new))

    assert any(line.startswith(finding) for line in found), found


def test_what_a_connector_finds_in_its_accounts_options_is_told_with_the_key(findings):
    other = '[accounts.two]\nconnector = "shop"\ngoals = ["fast"]\noptions = { minutes = 6 }\n'

    assert findings(WELL + other) == [
        "accounts.one.options.minutes: 5 and 6",
        "accounts.two.options.minutes: 6 and 5",
    ]


def test_a_promise_is_compared_with_the_streams_that_carry_its_threads(findings):
    """A goal for messages says nothing about how often incidents are read."""
    kinds = {"messages": ThreadKind.MESSAGE, "incidents": ThreadKind.INCIDENT}
    both = [Stream(n, timedelta(minutes=15), kinds=frozenset({k})) for n, k in kinds.items()]
    shop = replace(SPEC, streams=lambda _: tuple(both))

    found = findings(WELL, shop)

    assert [line.partition(", too")[0] for line in found] == [
        "accounts.one: messages is read every 15m"
    ]


def test_no_account_at_all_is_found(findings):
    text = WELL.partition("[policies.fast]")[2]

    assert "accounts: none is configured; add [accounts.name]" in findings("[policies.fast]" + text)


def test_a_review_that_is_not_yet_due_is_no_finding(findings):
    text = 'reply_within = "8h"\nreview_after = 2026-11-21'

    assert findings(WELL.replace('reply_within = "8h"', text)) == []


def test_two_accounts_that_mean_different_things_by_one_name_are_refused(findings):
    other = (
        '[accounts.two]\nconnector = "shop"\n[accounts.two.options]\nminutes = 6\npromise = 12\n'
    )

    with pytest.raises(settings.SettingsError) as found:
        findings(WELL + other)

    assert found.value.complaints == [
        "accounts.two.policies: contract says something else in accounts.one; rename one of them"
    ]


@pytest.mark.parametrize(
    ("made", "lasts", "says"),
    [(-200, 180, "has ended on"), (-179, 180, None), (0.9, 180, None), (2, 180, "still to come")],
)
def test_a_key_that_has_ended_or_was_not_made_yet_is_told(findings, made, lasts, says):
    made_at = NOW + timedelta(days=made)
    key = Credential("client secret", made_at + timedelta(days=lasts), made_at)
    told = findings(WELL, replace(SPEC, credentials=lambda o: (key,)))

    assert [says in line for line in told if "client secret" in line] == ([True] if says else [])


class PushedOptions(NoOptions):
    endpoint: str | None = None


PUSHED = replace(
    SPEC,
    options=PushedOptions,
    can=lambda o: Capabilities(receives=o.endpoint is not None),
    pushed_to=lambda o: o.endpoint,
)
PROXY = '[push]\npublic_url = "https://push.shop.example"\n'
PREFIX = '[push]\npublic_url = "https://shop.example/replyby"\n'
OUTSIDE = '[push]\nlisten = "127.0.0.1:8081"\n'


@pytest.fixture
def astray(findings):
    """What is told of accounts whose pushes arrive nowhere; *to* is where they go, by account."""

    def astray(push, **to):
        accounts = "".join(
            f'[accounts.{name}]\nconnector = "shop"\ngoals = ["fast"]\n'
            f'options = {{ minutes = {n}, endpoint = "{address}" }}\n'
            for n, (name, address) in enumerate(to.items(), 4)
        )
        text = accounts + push + WELL.partition('goals = ["fast"]')[2]
        spec = replace(PUSHED, findings=None)
        return [line for line in findings(text, spec) if " pushes to " in line]

    return astray


@pytest.mark.parametrize(
    ("push", "address"),
    [
        (PROXY, "https://push.shop.example/push/shop/one"),
        (PROXY, "https://push.shop.example:443/push/shop/one"),
        (PROXY, "https://PUSH.shop.example/push/shop/one"),
        (PREFIX, "https://shop.example/replyby/push/shop/one"),
        (OUTSIDE, "https://push.shop.example/push/shop/one"),
        (OUTSIDE, "https://push.shop.example:8443/behind/a/proxy/push/shop/one"),
        (OUTSIDE, "http://127.0.0.1:8081/push/shop/one"),
        ('[push]\nlisten = "127.0.0.1:0"\n', "http://127.0.0.1:9/push/shop/one"),
        ('[push]\npublic_url = "http://127.0.0.1:9000"\n', "http://127.0.0.1:9000/push/shop/one"),
    ],
)
def test_an_address_for_pushes_that_leads_to_us_is_no_finding(astray, push, address):
    assert astray(push, one=address) == []


def test_one_address_may_receive_what_concerns_several_accounts(astray):
    address = "https://push.shop.example/push/shop/one"

    assert astray(PROXY, one=address, two=address) == []


@pytest.mark.parametrize(
    ("push", "address", "why"),
    [
        ("", "https://push.shop.example/push/shop/one",
         "and nothing receives it: add [push], which listens behind that address"),
        (PROXY, "https://push.shop.example/push/shop/on",
         "where no account is: end it in /push/shop/one, and register that there"),
        (PROXY, "https://push.shop.example/push/store/one",
         "where no account is: end it in /push/shop/one, and register that there"),
        (PROXY, "https://push.shop.example/push/shop/one/",
         "where no account is: end it in /push/shop/one, and register that there"),
        (PROXY, "https://push.shop.example/hooks",
         "where no account is: end it in /push/shop/one, and register that there"),
        (OUTSIDE, "https://push.shop.example/hooks",
         "where no account is: end it in /push/shop/one, and register that there"),
        (PROXY, "https://pull.shop.example/push/shop/one",
         "which is not under push.public_url (https://push.shop.example); make one fit the other"),
        (PROXY, "https://push.shop.example:8443/push/shop/one",
         "which is not under push.public_url (https://push.shop.example); make one fit the other"),
        (PROXY, "https://push.shop.example:99999/push/shop/one",
         "which is not under push.public_url (https://push.shop.example); make one fit the other"),
        (PREFIX, "https://shop.example/push/shop/one",
         ("which is not under push.public_url (https://shop.example/replyby); "
          "make one fit the other")),
        (OUTSIDE, "http://127.0.0.1:9000/push/shop/one",
         "where push.listen (127.0.0.1:8081) is not; make one fit the other"),
    ],
)  # fmt: skip
def test_an_address_for_pushes_that_leads_elsewhere_is_told(astray, push, address, why):
    assert astray(push, one=address) == [
        f"accounts.one: its marketplace pushes to {address}, {why}"
    ]


def test_the_door_of_an_account_to_which_another_pushes_is_told(findings):
    to = "https://push.shop.example/push/shop"
    two = '[accounts.two]\nconnector = "shop"\ngoals = ["fast"]\n'
    ends = f'options = {{ minutes = 6, endpoint = "{to}/two" }}\n'
    one = f'[accounts.one.options]\nendpoint = "{to}/two"\n'
    by_minutes = replace(PUSHED, findings=None, pusher=lambda o: str(o.minutes))

    assert findings(WELL + one + two + ends + PROXY, by_minutes) == [
        (
            f"accounts.one: its marketplace pushes to {to}/two, where accounts.two (shop) is, which"
            " refuses them: end it in /push/shop/one, and register that there"
        )
    ]


UNSAID = "push.public_url: is not set"


@pytest.mark.parametrize(
    ("push", "pushes_to", "is_told"),
    [
        (OUTSIDE, (lambda o: o.endpoint), False),
        (OUTSIDE, (lambda o: None), True),
        (OUTSIDE, None, True),
        (PROXY, None, False),
        ("", None, False),
    ],
    ids=[
        "the account says it",
        "it does not",
        "it cannot",
        "the section says it",
        "nobody listens",
    ],
)
def test_an_address_from_outside_is_missed_where_nothing_says_it(
    findings, push, pushes_to, is_told
):
    one = '[accounts.one.options]\nendpoint = "https://push.shop.example/push/shop/one"\n'

    told = findings(WELL + one + push, replace(PUSHED, pushed_to=pushes_to, findings=None))

    assert any(line.startswith(UNSAID) for line in told) == is_told


def test_the_door_of_an_account_that_receives_nothing_is_none(findings):
    two = '[accounts.two]\nconnector = "shop"\ngoals = ["fast"]\noptions = { minutes = 6 }\n'
    address = "https://push.shop.example/push/shop/two"
    one = f'[accounts.one.options]\nendpoint = "{address}"\n'

    told = findings(WELL + one + two + PROXY, replace(PUSHED, findings=None))

    assert told == [
        (
            f"accounts.one: its marketplace pushes to {address}, where accounts.two is, which takes"
            " no pushes: end it in /push/shop/one, and register that there"
        )
    ]


ALONE = replace(PUSHED, streams=lambda o: SPEC.streams(o)[1:], findings=None)
ENDPOINT = 'endpoint = "https://push.shop.example/push/shop/one"'


def unheard(found):
    return [line for line in found if "silence = " in line]


def test_that_nobody_is_told_of_the_silence_of_an_account_of_pushes_alone_is_found(findings):
    account = f"[accounts.one.options]\n{ENDPOINT}\n"

    (told,) = unheard(findings(WELL + account + PROXY, ALONE))
    assert told.startswith("accounts.one: everything is pushed to it, and nobody is told")

    limit = told.rpartition(": ")[2]
    mended = WELL.replace('goals = ["fast"]', f'goals = ["fast"]\n{limit}')
    assert findings(mended + account + PROXY, ALONE) == [], "what it asks for is taken"


@pytest.mark.parametrize(
    ("spec", "options"), [(replace(PUSHED, findings=None), ENDPOINT), (ALONE, "")]
)
def test_what_is_polled_or_not_pushed_at_all_needs_no_limit(findings, spec, options):
    assert unheard(findings(f"{WELL}[accounts.one.options]\n{options}\n{PROXY}", spec)) == []
