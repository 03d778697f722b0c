"""What an account says, what is refused and what is only unwise."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.mailbox import offer
from connectors.webstore.mailbox.options import findings
from core.transport import portions
from sla.policy import Party, ThreadKind
from tests.connectors.webstore.mailbox.letters import DAY, HOUR, MINUTE, SUPPORT, options

AWAY = {"host": "imap.shop.example", "port": 993}
TOKENS = {"token_url": "https://login.microsoftonline.com/t/token", "client_id": "c"}


@pytest.mark.parametrize("own", ["mygmail.com", "gmail.shop.example", "live.shop", "yahoo.example"])
def test_a_domain_that_is_only_called_alike_is_a_shops(own):
    assert options(own_domains=[own]).own_domains == (own,)


def test_domains_and_senders_are_compared_in_small_letters():
    told = options(own_domains=["@Shop.Example"], form_senders=["Forms@X.example", "Y.example"])

    assert told.own_domains == ("shop.example",)
    assert told.form_senders == ("forms@x.example", "y.example")
    assert options(sender="Support@Shop.example").own == {SUPPORT}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"own_domains": ["shop"]}, "no domain"),
        ({"own_domains": ["a@shop.example"]}, "no domain"),
        ({"own_domains": ["shop.example", "Gmail.com"]}, "a provider's"),
        ({"own_domains": ["hotmail.co.uk"]}, "a provider's"),
        ({"own_domains": ["@t-online.de"]}, "a provider's"),
        ({"form_senders": ["not a sender"]}, "no domain"),
        ({"sender": "nobody"}, "no mail address"),
        ({"order_pattern": "(("}, "no regular expression"),
        ({"tokens": {**TOKENS, "client_secret": "s"}}, "remove the one"),
        ({"password": None}, "either password or tokens"),
        ({"junk": "INBOX"}, "twice"),
        ({"imap": AWAY, "poll_every": "30s"}, "below 1m"),
        ({"colour": "red"}, "Extra inputs"),
        ({"form_subjects": ["x"]}, "at least 2"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(more, says):
    with pytest.raises(ValidationError, match=says):
        options(**more)


def test_what_is_unwise_is_told():
    wise = options()
    bare = options(authserv_ids=[], own_domains=[])
    taken = options(password=None, tokens={**TOKENS, "refresh_token": "r"})

    assert findings(wise, []) == ()
    assert [one.split(":")[0] for one in findings(bare, [])] == ["authserv_ids", "own_domains"]
    assert [one.split(":")[0] for one in findings(taken, [])] == ["tokens.refresh_token"]
    assert [one.split(":")[0] for one in findings(wise, [wise])] == ["user"]


def test_the_goal_is_a_day_for_mails_and_forms_and_nobodys_contract():
    (goal,) = spec.goals(options())

    assert (goal.name, goal.role, goal.reply_within) == ("webstore-mailbox-message", "goal", DAY)
    assert goal.applies_to == {ThreadKind.MESSAGE}
    assert goal.waits_for == {Party.BUYER}
    assert goal.source
    assert goal.checked_on
    assert spec.policies(options()) == ()


def test_one_stream_reads_all_folders_and_keeps_the_limits():
    (stream,) = offer.streams(options(imap=AWAY))

    assert (stream.every, stream.floor, stream.ascending) == (2 * MINUTE, MINUTE, True)
    assert portions.MOST_SECONDS < 60
    assert offer.can(options()).confirmed_after == 2 * HOUR


def test_what_names_the_account_holds_no_secret_and_is_the_mailbox():
    told = options(user="Support@shop.example", password="s3cret")

    assert spec.identity(told) == "mailbox support@shop.example@127.0.0.1:1"
    assert spec.marketplace(told) == "webstore-mailbox"
    assert "s3cret" not in repr(told)
