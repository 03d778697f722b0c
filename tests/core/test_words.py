from __future__ import annotations

import shlex
from datetime import timedelta

import pytest

from core import cli, words
from core.model import Notice, NoticeKind
from core.spoken import instant, span
from sla import zones
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

URL = "https://shop.example/threads/T1"
STEP = (
    ("promise", "reply-24h"), ("waits_for", "buyer"), ("metric", "first_reply"),
    ("due_from", "policy"), ("started_at", "2026-11-20T14:05:00+00:00"),
    ("read_at", "2026-11-21T11:58:00+00:00"),
)  # fmt: skip


@pytest.fixture
def say(now):
    """Words about thread T1, due in 2 h 5 min, for a reader in Berlin."""

    def said(kind, *facts, **changes):
        given = {
            "account": "mk", "raised_at": now, "thread": "T1", "clock": 7,
            "due_at": now + 2 * HOUR + 5 * MINUTE, "facts": facts,
        }  # fmt: skip
        zone = changes.pop("zone", "Europe/Berlin")
        notice = Notice("7/0/1", kind, **(given | changes))
        return words.render(notice, seeds.rules(), url=URL, zone=zone, now=now)

    return said


@pytest.fixture
def unlinked(now):
    """The words of a notice about a thread without a page, of an account that is as told."""

    def said(kind, *facts, thread="T1", **account):
        rules = seeds.rules(says=account)
        notice = Notice("7/0/1", kind, "mk", now, thread, 7, now + HOUR, facts)
        return words.render(notice, rules, url=None, zone="UTC", now=now).text

    return said


def test_a_warning(say, now):
    said = say(NoticeKind.WARNING, *STEP)

    assert said.subject == "2 h 5 min left to reply: Empik PL"
    assert said.url == URL
    assert said.at == now
    assert said.text == (
        "A buyer has been waiting for a reply since Fri 2026-11-20 15:05 (Europe/Berlin).\n"
        "Reply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
        "What to do: answer there.\n"
        "If no reply is needed: replyby mark mk T1 decided\n"
        "Why this deadline: replyby explain mk T1\n"
        "Marketplace: empik\n"
        "Account: Empik PL (mk)\n"
        "Thread: T1\n"
        "Promise: reply-24h (the marketplace's contract)"
    )


def test_a_breach(say, now):
    said = say(NoticeKind.BREACH, *STEP, due_at=now - 90 * SECOND)

    assert said.subject == "Reply overdue: Empik PL"
    assert said.text == (
        "A buyer has been waiting for a reply since Fri 2026-11-20 15:05 (Europe/Berlin).\n"
        "The deadline was Sat 2026-11-21 12:58:30 (Europe/Berlin): late by 1 min 30 s.\n"
        "We last read this account 2 min ago: an answer given there since then is not known here.\n"
        "What to do: answer there.\n"
        "If no reply is needed: replyby mark mk T1 decided\n"
        "Why this deadline: replyby explain mk T1\n"
        "Marketplace: empik\n"
        "Account: Empik PL (mk)\n"
        "Thread: T1\n"
        "Promise: reply-24h (the marketplace's contract)"
    )


def test_a_breach_of_an_account_that_was_never_read_says_so(say, now):
    said = say(NoticeKind.BREACH, ("read_at", None), due_at=now - MINUTE)

    assert "This account has not been read completely yet" in said.text


def test_a_breach_of_an_account_that_is_pushed_only_does_not_wait_for_a_reading(unlinked, now):
    said = unlinked(NoticeKind.BREACH, ("read_at", None), polled=False)

    assert "not been read completely" not in said
    assert "only pushes: an answer that it did not push is not known here." in said


def test_without_a_link_a_notice_says_where_to_answer(unlinked):
    said = unlinked(NoticeKind.WARNING, *STEP)

    assert "What to do: answer at empik, in Empik PL; no link leads there.\nIf no reply" in said


def test_without_a_link_a_notice_has_the_command_that_answers_from_here(unlinked):
    said = unlinked(NoticeKind.WARNING, *STEP, replies=True)

    assert '\nOr from here: replyby reply --text "..." mk T1\n' in said


@pytest.mark.parametrize("thread", ["T1", "-x", "T1; rm -rf ~"])
@pytest.mark.parametrize("waits_for", ["buyer", "marketplace"])
def test_the_commands_of_a_notice_are_as_the_program_takes_them(unlinked, thread, waits_for):
    facts = (("waits_for", waits_for),)
    said = unlinked(NoticeKind.WARNING, *facts, replies=True, thread=thread)

    lines = [line.split(": replyby ") for line in said.splitlines() if ": replyby " in line]
    assert len(lines) == 3
    for _, line in lines:
        name, *words_ = shlex.split(line)
        with cli.main.commands[name].make_context(name, words_) as context:
            assert (context.params["account"], context.params["thread"]) == ("mk", thread)
            assert context.params.get("to", (waits_for,)) == (waits_for,)


def test_what_is_asked_for_is_done_by_name_where_no_link_leads_there(unlinked):
    said = unlinked(NoticeKind.WARNING, ("promise", "given:claim:REFUND"), replies=True)

    assert "do it at empik, in Empik PL; no link leads there; a reply alone" in said
    assert "replyby reply" not in said


@pytest.mark.parametrize(
    ("others", "told"), [(1, "no id, and 1 other"), (2, "no id, and 2 others")]
)
def test_what_was_set_aside_for_several_reasons_says_how_many(say, others, told):
    said = say(NoticeKind.PAYLOAD_SET_ASIDE, ("n", 3), ("reason", "no id"), ("others", others))

    assert f"\nReasons: {told}.\n" in said.text


def test_a_warning_that_was_held_up_says_late_and_not_left(say, now):
    said = say(NoticeKind.WARNING, *STEP, due_at=now - SECOND)

    assert said.subject == "Reply overdue: Empik PL"
    assert "left" not in said.text
    assert "late by 1 s" in said.text


def test_a_deadline_at_this_very_instant_is_not_late(say, now):
    assert say(NoticeKind.WARNING, *STEP, due_at=now).subject == "0 s left to reply: Empik PL"


def test_the_marketplace_may_be_the_one_that_waits(say):
    said = say(NoticeKind.WARNING, ("waits_for", "marketplace"))

    assert said.text.startswith("The marketplace has been waiting for a reply.\n")


def test_the_reader_has_the_time_of_the_readers_zone(say):
    assert "Sun 2026-11-22 03:05 (Australia/Sydney)" not in say(NoticeKind.WARNING).text
    assert "Sun 2026-11-22 01:05 (Australia/Sydney)" in (
        say(NoticeKind.WARNING, zone="Australia/Sydney").text
    )
    assert "Sat 2026-11-21 14:05 (UTC)" in say(NoticeKind.WARNING, zone="UTC").text


ENDING = "Marketplace: empik\nAccount: Empik PL (mk)\nThread: T1"


@pytest.mark.parametrize(
    ("kind", "facts", "subject", "text"),
    [
        (NoticeKind.CORRECTED, (("promise", "reply-24h"), ("correction", "answered_elsewhere")),
         "Taken back: not late",
         ("We told you that a deadline was missed. We take it back: it was answered at the "
         "marketplace in time.\nWhat to do: nothing.")),
        (NoticeKind.CORRECTED, (("correction", "deadline_moved"),),
         "Taken back: not late",
         ("We told you that a deadline was missed. We take it back: the marketplace moved the "
         "deadline.\nReply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
         "What to do: nothing.")),
        (NoticeKind.DEADLINE_MOVED, (("before", "2026-11-22T09:00:00+00:00"),),
         "Deadline moved nearer",
         ("The marketplace moved a deadline. It was Sun 2026-11-22 10:00 (Europe/Berlin).\n"
         "Reply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
         "What to do: answer there.\nIf no reply is needed: replyby mark mk T1 decided\n"
         "Why this deadline: replyby explain mk T1")),
        (NoticeKind.REPLY_REFUSED, (("reason", "refused"),),
         "Reply refused",
         ("A reply from here did not reach the buyer: the marketplace refused it. The original "
         "deadline stands.\nReply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
         "What to do: answer again, at the marketplace if it refuses this way.")),
        (NoticeKind.REPLY_REFUSED, (("reason", "names_erased"),),
         "Reply refused",
         ("A reply from here did not reach the buyer: it names somebody who was erased meanwhile, "
         "and did not leave. The original deadline stands.\n"
         "Reply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
         "What to do: answer again, without the name.")),
        (NoticeKind.REPLY_UNKNOWN, (),
         "Reply perhaps not sent",
         ("A reply left here and the marketplace did not say whether it took it.\n"
         "It is not sent again by itself. The clock runs on until the reply is seen there.\n"
         "Reply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
         "What to do: look at the thread there; answer if the reply is missing.")),
    ],
)  # fmt: skip
def test_what_becomes_of_a_deadline_or_a_reply(say, kind, facts, subject, text):
    said = say(kind, *facts)

    assert said.subject == f"{subject}: Empik PL"
    promise = (
        "\nPromise: reply-24h (the marketplace's contract)" if ("promise" in dict(facts)) else ""
    )
    assert said.text == f"{text}\n{ENDING}{promise}"


@pytest.mark.parametrize(
    ("waits_for", "whom"),
    [("marketplace", "the marketplace"), ("buyer", "the buyer"), (None, "the buyer")],
)
def test_a_refusal_names_whom_the_reply_did_not_reach(say, waits_for, whom):
    said = say(NoticeKind.REPLY_REFUSED, ("reason", None), ("waits_for", waits_for))

    assert said.text.startswith(f"A reply from here did not reach {whom}: ")


@pytest.mark.parametrize(
    ("kind", "fact", "one", "several"),
    [
        (NoticeKind.HISTORY_SUMMARY, "waiting",
         ("1 old thread still waits: ", "Its deadline had passed"),
         ("2 old threads still wait: ", "Their deadlines had passed")),
        (NoticeKind.PAYLOAD_SET_ASIDE, "n",
         ("Unreadable payload set", "1 from the stream", "be read of it is", "beside it is"),
         ("Unreadable payloads set", "2 from the stream", "be read of them", "beside them is")),
        (NoticeKind.ACCOUNT_RETIRED, "ended",
         ("1 running clock was ended.",), ("2 running clocks were ended.",)),
    ],
)  # fmt: skip
def test_one_is_spoken_of_as_one(say, kind, fact, one, several):
    for n, words_ in ((1, one), (2, several)):
        said = say(kind, (fact, n))
        assert all(word in f"{said.subject}\n{said.text}" for word in words_)


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        ("bad_credentials",
         ("answer at the marketplace; from here once the key or the seller's consent is renewed: "
          "replyby check tells which.")),
        ("cannot_reply", "answer at the marketplace."),
        ("rate_limited", "answer again, at the marketplace if it refuses this way."),
    ],
)  # fmt: skip
def test_what_to_do_about_a_refusal_goes_by_its_reason(say, reason, mend):
    said = say(NoticeKind.REPLY_REFUSED, ("reason", reason))

    assert f"\nWhat to do: {mend}\n" in said.text


def test_a_refusal_after_the_deadline_says_so(say, now):
    said = say(NoticeKind.REPLY_REFUSED, ("reason", None), due_at=now - HOUR)

    assert said.subject == "Reply refused, deadline passed: Empik PL"
    assert "late by 1 h." in said.text


@pytest.mark.parametrize(
    ("kind", "facts", "subject", "text"),
    [
        (NoticeKind.HISTORY_SUMMARY, (("waiting", 12),), "12 old threads still wait",
         ("Their deadlines had passed before this account was watched: none is counted or warned "
         "of.\nWhat to do: replyby threads --history")),
        (NoticeKind.BLIND,
         (("streams", "threads"), ("seen_through", "2026-11-21T11:00:00+00:00"),
          ("unread_since", "2026-11-21T11:00:00+00:00"),
          ("expected", 5.6), ("earliest", "2026-11-21T14:10:00+00:00")), "Blind",
         ("Blind on empik/mk for 1 h, about 6 messages unseen, earliest possible breach 15:10.\n"
         "The stream threads cannot be read in time.\n"
         "Last read completely: Sat 2026-11-21 12:00 (Europe/Berlin).\n"
         "A promise may break unseen from Sat 2026-11-21 15:10 (Europe/Berlin) on.\n"
         "What to do: look at the marketplace's own page until this ends.")),
        (NoticeKind.ACCOUNT_DOWN, (("since", "2026-11-21T11:30:00+00:00"),), "Account is down",
         ("Since Sat 2026-11-21 12:30 (Europe/Berlin) the marketplace does not accept our key; "
         "nothing is read.\n"
         "What to do: replyby check tells what is refused: a password, a key, the seller's "
         "consent.\nRenew that, then reload (a restart for env:).\n"
         "If the old one is right again: replyby poll mk --once")),
        (NoticeKind.ACCOUNT_DOWN,
         (("since", "2026-11-21T11:30:00+00:00"), ("polled", False)), "Account is down",
         ("Since Sat 2026-11-21 12:30 (Europe/Berlin) the marketplace does not accept our key; "
         "what is pushed may still arrive, but answers cannot leave.\n"
         "What to do: replyby check tells what is refused: a password, a key, the seller's "
         "consent.\nRenew that, then reload (a restart for env:).\n"
         "If the old one is right again: replyby poll mk --once")),
        (NoticeKind.ACCOUNT_UP, (("since", "2026-11-21T11:30:00+00:00"),), "Account is read again",
         ("The marketplace accepts our key again since Sat 2026-11-21 12:30 (Europe/Berlin).\n"
         "What to do: nothing.")),
        (NoticeKind.PUSH_SILENT, (), "No pushes arrive",
         ("Since Sat 2026-11-21 13:00 (Europe/Berlin) polling finds what pushes should have "
         "brought.\nWhat to do: replyby subscribe mk says what is amiss. "
         "Polling goes on meanwhile.")),
        (NoticeKind.PUSH_SILENT,
         (("since", "2026-11-21T11:30:00+00:00"),
          ("trouble", "destination_down, subscription_missing")),
         "No pushes arrive",
         ("Our address for pushes was marked down there after failures. "
         "What should be pushed is not subscribed to.\n"
         "What to do: replyby subscribe mk says what is amiss. Polling goes on meanwhile.")),
        (NoticeKind.PUSH_SILENT,
         (("since", "2026-11-21T11:30:00+00:00"), ("trouble", ""), ("polled", False),
          ("usual", 41.2), ("limit", None)),
         "No pushes arrive",
         ("Nothing was pushed since Sat 2026-11-21 12:30 (Europe/Berlin). "
         "Usually something comes 41 times a day or more.\n"
         "What to do: replyby subscribe mk says what is amiss. "
         "Meanwhile look there, too: what was not pushed is not seen here.")),
        (NoticeKind.PUSH_SILENT,
         (("since", "2026-11-21T11:30:00+00:00"), ("trouble", ""), ("usual", 0.4),
          ("limit", 21_600.0)),
         "No pushes arrive",
         ("Nothing was pushed since Sat 2026-11-21 12:30 (Europe/Berlin); "
         "the settings allow a silence of 6 h.\n"
         "What to do: replyby subscribe mk says what is amiss. Polling goes on meanwhile.")),
        (NoticeKind.PUSH_SILENT,
         (("since", "2026-11-21T11:30:00+00:00"), ("usual", 0.43)),
         "No pushes arrive",
         ("Nothing was pushed since Sat 2026-11-21 12:30 (Europe/Berlin). "
         "Usually something comes 3 times a week or more.\n"
         "What to do: replyby subscribe mk says what is amiss. Polling goes on meanwhile.")),
        (NoticeKind.PUSH_HEARD, (("since", "2026-11-21T11:30:00+00:00"), ("polled", False)),
         "Pushes arrive again",
         ("There were none since Sat 2026-11-21 12:30 (Europe/Berlin).\n"
         "What to do: look there, too: what was not pushed is not seen here.")),
        (NoticeKind.PUSH_HEARD, (("since", "2026-11-21T11:30:00+00:00"),), "Pushes arrive again",
         ("There were none since Sat 2026-11-21 12:30 (Europe/Berlin).\n"
         "What to do: nothing; polling has read what they did not bring.")),
        (NoticeKind.PUSH_HEARD,
         (("since", "2026-11-21T11:30:00+00:00"), ("trouble", "destination_down")),
         "Pushes may arrive again",
         ("The marketplace no longer says what it said of them:\n"
         "Our address for pushes was marked down there after failures.\n"
         "That was told since Sat 2026-11-21 12:30 (Europe/Berlin). "
         "Whether they arrive, the next one shows.\n"
         "What to do: nothing; polling has read what they did not bring.")),
        (NoticeKind.CREDENTIAL_EXPIRING, (("expires_at", "2026-12-01T00:00:00+00:00"),),
         "Key expires",
         ("The key of this account expires on Tue 2026-12-01 01:00 (Europe/Berlin).\n"
         "What to do: renew it.")),
        (NoticeKind.CREDENTIAL_EXPIRING,
         (("expires_at", "2026-11-20T00:00:00+00:00"), ("credential", "client secret of SP-API")),
         "Key has expired",
         ("The client secret of SP-API of this account expired on Fri 2026-11-20 01:00 "
         "(Europe/Berlin).\nWhat to do: renew it, then reload (a restart for env:).")),
        (NoticeKind.POLICY_REVIEW,
         (("promise", "reply-24h"), ("version", 3), ("day", "2026-11-20")),
         "Review the promise reply-24h",
         ("Version 3 was to be checked again by 2026-11-20.\n"
         "What to do: read the source again; write a new version, or a new date of review.")),
        (NoticeKind.PAYLOAD_SET_ASIDE, (("stream", "threads"), ("reason", "no id"), ("n", 2)),
         "Unreadable payloads set aside",
         ("2 from the stream threads could not be read, or not wholly.\n"
         "What can be read of them is stored, as all beside them is.\n"
         "Reason: no id.\nWhat to do: replyby set-aside list")),
        (NoticeKind.ACCOUNT_RETIRED, (("ended", 4),), "Account is no longer read",
         ("It left the settings; 4 running clocks were ended.\n"
         "What to do: nothing, if this was meant.")),
        (NoticeKind.TEST, (("route", "ops"),), "Test",
         ("A person asked for this notice at Sat 2026-11-21 13:00 (Europe/Berlin).\n"
         "It has reached you. What to do: nothing.")),
    ],
)  # fmt: skip
def test_what_befalls_an_account(say, kind, facts, subject, text):
    said = say(kind, *facts, thread=None, clock=None, due_at=None)

    assert said.subject == f"{subject}: Empik PL"
    assert said.text == f"{text}\nMarketplace: empik\nAccount: Empik PL (mk)"


def test_an_account_that_was_blind_tells_for_how_long(say):
    facts = (("since", "2026-11-21T11:30:00+00:00"), ("blind_since", "2026-11-21T09:00:00+00:00"))

    text = say(NoticeKind.ACCOUNT_UP, *facts, thread=None, clock=None, due_at=None).text

    assert text.startswith("Every stream is read again since ")
    assert "\nIt was blind for 2 h 30 min.\n" in text
    assert "key" not in text


def test_streams_that_are_blind_together_are_named_together(say):
    said = say(NoticeKind.BLIND, ("streams", "incidents, threads"), thread=None)

    assert said.text.startswith(
        "Blind on empik/mk.\nThe streams incidents, threads cannot be read in time.\n"
    )


def test_a_stream_that_the_key_may_not_read_is_told_as_such(say):
    said = say(NoticeKind.BLIND, ("streams", "messages"), ("reason", "forbidden"), thread=None)

    assert "\nThe stream messages may not be read: our key does not allow it.\n" in said.text
    assert (
        "\nWhat to do: look at the marketplace's own page until this ends. replyby check"
        in said.text
    )


def test_a_parked_notice_passes_on_the_deadline(say):
    facts = (("kind", "reply_unknown"), ("notifier", "chat"), ("reason", "given_up"))
    said = say(NoticeKind.PARKED, *facts, clock=None)

    assert said.subject == "Not delivered: reply unknown: Empik PL"
    assert said.text == (
        "A notice (reply unknown) could not be delivered by chat.\n"
        "Reason: given up.\n"
        "Reply by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
        "What to do: mend that notifier, then: replyby notices retry\n" + ENDING
    )


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_words_even_where_no_fact_is_known(say, kind):
    said = say(kind, account="gone", thread=None, clock=None, due_at=None)

    assert said.subject.endswith(": gone")
    assert "None" not in said.text
    assert "\n\n" not in said.text


def test_odd_names_make_neither_headers_nor_commands(say, now):
    rules = seeds.rules()
    rules.accounts["mk"] = seeds.account(title="A\r\nBcc: eve@evil.example")
    notice = Notice("1/0/1", NoticeKind.WARNING, "mk", now, "T1; rm -rf ~", 1, now)
    said = words.render(notice, rules, url=None, zone="UTC", now=now)

    assert "\n" not in said.subject
    assert "replyby explain mk 'T1; rm -rf ~'" in said.text


def test_a_given_deadline_and_a_goal_are_told_apart(say, now):
    goal = seeds.rules(policies={"mk": (seeds.policy("ours-4h", role="goal"),)})
    notice = Notice("1/0/1", NoticeKind.WARNING, "mk", now, "T1", 1, now, (("promise", "ours-4h"),))

    assert "Promise: given:claim:REFUND (a date that the marketplace gives)" in (
        say(NoticeKind.WARNING, ("promise", "given:claim:REFUND")).text
    )
    said = words.render(notice, goal, url=None, zone="UTC", now=now)
    assert "Promise: ours-4h (our own goal)" in said.text


def test_what_a_marketplace_asks_for_by_a_date_of_its_own_is_said(say, now):
    facts = (*STEP[1:], ("promise", "given:return:SELLER_APPROVE_REQUEST"))
    said = say(NoticeKind.WARNING, *facts)
    late = say(NoticeKind.BREACH, *facts, due_at=now - 90 * SECOND)

    assert said.subject == "2 h 5 min left to act: Empik PL"
    assert said.text.startswith(
        "The marketplace has been asking for SELLER_APPROVE_REQUEST (return)"
        " since Fri 2026-11-20 15:05 (Europe/Berlin).\n"
        "Act by Sat 2026-11-21 15:05 (Europe/Berlin): 2 h 5 min left.\n"
        "What to do: do it there; a reply alone may not be what is asked for.\n"
        "Why this deadline: replyby explain mk T1\n"
    )
    assert late.subject == "Action overdue: Empik PL"
    assert "replyby mark" not in said.text + late.text


@pytest.mark.parametrize(
    ("length", "spoken"),
    [
        (timedelta(0), "0 s"),
        (timedelta(microseconds=999_999), "0 s"),
        (59 * SECOND, "59 s"),
        (MINUTE, "1 min"),
        (61 * SECOND, "1 min 1 s"),
        (2 * HOUR + 5 * MINUTE + 59 * SECOND, "2 h 5 min"),
        (3 * HOUR + 7 * SECOND, "3 h"),
        (49 * HOUR, "2 d 1 h"),
        (-90 * SECOND, "1 min 30 s"),
    ],
)
def test_spans_are_told_in_two_units_rounded_down(length, spoken):
    assert span(length) == spoken


def test_an_instant_inside_a_clock_change_is_told_on_the_readers_wall(now):
    """Berlin goes back from 3:00 to 2:00 on 25 October 2026: 00:30 and 01:30 UTC are both 2:30."""
    first = now.replace(month=10, day=25, hour=0, minute=30)
    berlin = zones.zone("Europe/Berlin")

    assert instant(first, berlin) == "Sun 2026-10-25 02:30 (Europe/Berlin)"
    assert instant(first + HOUR, berlin) == "Sun 2026-10-25 02:30 (Europe/Berlin)"
