"""Ingestion, for who runs the program: which account is blind, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.asked import age, how_many, least, left, most, of, pace, quantile
from deploy.grafana.frame import built
from deploy.grafana.parts import (
    BLUE,
    COUNT,
    GREEN,
    GREY,
    ORANGE,
    PER_MINUTE,
    PURPLE,
    RED,
    SECONDS,
    SHARE,
    YELLOW,
    Column,
    Said,
    lines,
    listing,
    number,
    stacked,
)  # fmt: skip

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.parts import AnyPanel

DAY = 86400
SOME = ((None, GREEN), (1, RED))
KEYS = ("marketplace", "account")
OUTCOMES = {
    "success": GREEN, "partial": YELLOW, "throttled": PURPLE, "auth_error": RED,
    "client_error": "dark-orange", "server_error": ORANGE, "timeout": "dark-red",
    "network": "dark-purple", "parse_error": "dark-yellow", "lease_lost": BLUE, "skipped": GREY,
}  # fmt: skip
BLIND_FROM = "replyby_blind_from_timestamp_seconds"
ENABLED = "replyby_account_enabled"
SET_ASIDE = "replyby_payloads_quarantined_total"
LAST = "replyby_poll_last_success_timestamp_seconds"


def dashboard() -> Dashboard:
    """The dashboard "Ingestion"."""
    return built(
        "replyby-ingestion",
        "replyby / Ingestion",
        "Whether each account is read, and what stands in the way. What cannot be read hides its "
        "deadlines: blind is worse than late.",
        (
            ("Blindness", _blindness()),
            ("Reading", _reading()),
            ("Marketplaces' APIs", _requests()),
            ("Access", _access()),
            ("Pushes", _pushes()),
        ),
        since="6h",
    )


def _blindness() -> list[AnyPanel]:
    small = {"width": 4, "height": 4}
    blind = f"time() > {most(BLIND_FROM)}"
    possible = "replyby_earliest_possible_breach_timestamp_seconds"
    last = f"({most(LAST)} > 0)"
    share = f"(time() - {last}) / (({most(BLIND_FROM)} < Inf) - {last})"
    return [
        number(Said("Blind", "Accounts of which a stream has not been read for longer than it may.",
                    "blind", **small),
               how_many(blind, most(BLIND_FROM)), COUNT, *SOME, empty="unknown"),
        number(Said("Refused", "Enabled accounts whose credentials the marketplace refuses.",
                    "account_down", **small),
               how_many(_refused(), most(ENABLED)), COUNT, *SOME, empty="unknown"),
        number(Said("Left alone", "Accounts that are not read for now after failures (backoff).",
                    "unreachable", **small),
               how_many(_backing_off(), most(ENABLED)), COUNT, (None, GREEN), (1, ORANGE),
               empty="unknown"),
        number(Said("Set aside", "Payloads that could not be read, in the chosen range: "
                    "`replyby set-aside list`.", "payload_set_aside", **small),
               f"sum(increase({of(SET_ASIDE, 'marketplace')}[$__range]))",
               COUNT, (None, GREEN), (0.5, ORANGE), decimals=0, empty="unknown"),
        number(Said("Pushes silent", "Accounts about which no pushes arrive although they should.",
                    "push_silent", **small),
               f"sum({most('replyby_push_silent')})", COUNT, (None, GREEN), (1, ORANGE),
               empty="unknown"),
        number(Said("First key ends in", "Until the first credential of an account ends by itself. "
                    "None where nobody knows.", "credential_expiring", **small),
               left(least("replyby_credential_expiry_timestamp_seconds", by="")),
               SECONDS, (None, RED), (2 * DAY, ORANGE), (7 * DAY, GREEN), empty="not known"),
        listing(
            Said("Blind accounts", "Since when, how many buyers' messages are probably unseen, and "
                 "when a promise may break at the earliest. Empty is good.", "blind", 12, 7),
            KEYS,
            Column("blind for", f"({age(most(BLIND_FROM))}) > 0", SECONDS, ((None, RED),)),
            Column("probably unseen",
                   f"{most('replyby_unseen_messages_expected')} and ({blind})", decimals=1),
            Column("breach possible in", f"({left(least(possible))}) and ({blind})", SECONDS,
                   ((None, RED), (0, ORANGE))),
            first="blind for", rising=False, empty="none",
        ),
        lines(
            Said("On the way to blindness", "How old the last reading without fault is, as a "
                 "share of the age at which the account is blind; 200 % at most. The ten "
                 "worst.", "blind", 12, 7),
            SHARE, (f"topk(10, clamp_max({share}, 2))", "{{marketplace}}/{{account}}"),
            marks=((None, GREEN), (1, RED)),
        ),
        listing(
            Said("Every account, the worst first", "How each account is read, by the worst of its "
                 "streams.", "health-of-a-stream", 24, 9),
            KEYS,
            Column("to blindness", share, SHARE, ((None, GREEN), (0.5, YELLOW), (1, RED)), 0),
            Column("last reading", age(most(LAST)), SECONDS),
            Column("seen through", age(most("replyby_seen_through_timestamp_seconds")), SECONDS),
            Column("limit", most("replyby_poll_stale_after_seconds") + " > 0", SECONDS),
            Column("interval", most("replyby_poll_interval_seconds") + " > 0", SECONDS),
            Column("blind in", left(most(BLIND_FROM)), SECONDS, ((None, RED), (0, GREEN))),
            Column("accepted", least("replyby_account_authorized"),
                   words=(("0", "no", RED), ("1", "yes", GREEN))),
            Column("enabled", least(ENABLED),
                   words=(("0", "no", GREY), ("1", "yes", GREEN))),
            first="to blindness", rising=False,
        ),
    ]  # fmt: skip


def _refused() -> str:
    return f"({least('replyby_account_authorized')} == 0) and ({most(ENABLED)} == 1)"


def _backing_off() -> str:
    return f"{most('replyby_account_backoff_until_timestamp_seconds')} - time() > 0"


def _reading() -> list[AnyPanel]:
    delay, walk = "replyby_ingest_delay_seconds", "replyby_poll_duration_seconds"
    quarantined = of(SET_ASIDE, "marketplace")
    return [
        stacked(Said("Polls by outcome", "Walks of a stream by how they ended. Where accounts are "
                     "too many for a label, a marketplace's stand together.",
                     "health-of-a-stream", 8, 8),
                PER_MINUTE, (pace("replyby_polls_total", by="outcome") + " > 0", "{{outcome}}"),
                colors=OUTCOMES),
        lines(Said("Ingest delay", "From the marketplace's instant of a message to its storing.",
                   "health-of-a-stream", 8, 8),
              SECONDS, (quantile(0.5, delay), "p50"), (quantile(0.95, delay), "p95"),
              colors={"p50": GREEN, "p95": ORANGE}).interval("1m"),
        lines(Said("How long a walk takes", "Nineteen of twenty walks of a stream are faster.",
                   "health-of-a-stream", 8, 8),
              SECONDS, (quantile(0.95, walk, by="marketplace"), "{{marketplace}}")),
        stacked(Said("Messages stored", "At first sight, by marketplace.", "first-look", 8, 7),
                PER_MINUTE,
                (pace("replyby_messages_stored_total", by="marketplace"), "{{marketplace}}")),
        lines(Said("Messages read again", "Known messages that a walk or a push brought once more.",
                   "first-look", 8, 7),
              PER_MINUTE,
              (pace("replyby_messages_duplicate_total", by="marketplace"), "{{marketplace}}")),
        stacked(Said("Set aside, by what", "Unreadable payloads: an item, a page, a push.",
                     "payload_set_aside", 8, 7),
                COUNT, (f"sum by (reason) (increase({quarantined}[$__rate_interval]))",
                        "{{reason}}"), bars=True, every="1m"),
    ]  # fmt: skip


def _requests() -> list[AnyPanel]:
    asked = "replyby_marketplace_requests_total"
    seconds = "replyby_marketplace_request_duration_seconds"
    budget = "marketplace, budget"
    skew = "replyby_marketplace_clock_skew_seconds"
    waits = of("replyby_rate_budget_wait_seconds_total", "marketplace")
    until = "replyby_rate_budget_until_timestamp_seconds"
    return [
        stacked(Said("Requests by answer", "HTTP status; 0: no answer.", "unreachable", 8, 8),
                PER_MINUTE, (pace(asked, by="code", scope="marketplace") + " > 0", "{{code}}"),
                colors={"200": GREEN, "201": GREEN, "429": PURPLE, "0": RED, "401": RED}),
        lines(Said("Requests by call", "The ten busiest of the connectors' calls.",
                   "unreachable", 8, 8),
              PER_MINUTE,
              (f"topk(10, {pace(asked, by='marketplace, operation', scope='marketplace')} > 0)",
               "{{marketplace}} {{operation}}")),
        lines(Said("How long a request takes", "Nineteen of twenty are faster.",
                   "unreachable", 8, 8),
              SECONDS, (quantile(0.95, seconds, by="marketplace"), "{{marketplace}}")),
        lines(Said("Made again at once", "Requests that were repeated, by why.",
                   "rate_limited", 6, 7),
              PER_MINUTE,
              (pace("replyby_marketplace_retries_total", by="reason", scope="marketplace"),
               "{{reason}}")),
        stacked(Said("Waiting for a shared limit", "For how long walks wait, by the limit that "
                     "accounts share, when they are told to.", "rate_limited", 6, 7),
                SECONDS, (f"sum by ({budget}) (increase({waits}[$__rate_interval]))",
                          "{{marketplace}} {{budget}}"), bars=True, every="1m"),
        listing(Said("Asked to wait", "Shared limits under which the marketplace asked to wait.",
                     "rate_limited", 6, 7),
                ("marketplace", "budget"),
                Column("for another", f"{most(until, by=budget, scope='marketplace')} - time() > 0",
                       SECONDS, ((None, PURPLE),)),
                first="for another", empty="none"),
        lines(Said("Marketplaces' clocks against ours", "Their Date header minus our time, as last "
                   "seen. All of them off: ours is wrong.", "the-clock-of-the-host", 6, 7),
              SECONDS,
              (f"avg by (marketplace) ({of(skew, 'marketplace')})", "{{marketplace}}")),
    ]  # fmt: skip


def _access() -> list[AnyPanel]:
    expiry = "replyby_credential_expiry_timestamp_seconds"
    sent = "replyby_acknowledgements_total"
    return [
        listing(Said("Left alone after failures", "Accounts that are not read for now, and for how "
                     "long. Empty is good.", "unreachable", 8, 7),
                KEYS, Column("for another", _backing_off(), SECONDS, ((None, ORANGE),)),
                first="for another", rising=False, empty="none"),
        listing(Said("Keys that end", "Credentials that end by themselves, the next first.",
                     "credential_expiring", 8, 7),
                KEYS, Column("ends in", left(least(expiry)), SECONDS,
                             ((None, RED), (2 * DAY, ORANGE), (7 * DAY, GREEN))),
                first="ends in", empty="not known"),
        stacked(Said("Automatic acknowledgements", "By what became of them, or why none went out.",
                     "first-look", 8, 7),
                PER_MINUTE, (pace(sent, by="outcome"), "{{outcome}}")),
    ]  # fmt: skip


def _pushes() -> list[AnyPanel]:
    last = "replyby_push_last_received_timestamp_seconds"
    silent = "replyby_push_silent_from_timestamp_seconds"
    return [
        stacked(Said("Pushes by outcome", "What marketplaces push to us, by what became of it.",
                     "push_silent", 8, 8),
                PER_MINUTE,
                (pace("replyby_pushes_total", by="outcome", scope="marketplace") + " > 0",
                 "{{outcome}}"), colors={"stored": GREEN, "duplicate": GREY, "bad_signature": RED}),
        lines(Said("How long a push takes", "From its arrival to our answer, what it brought being "
                   "stored before; nineteen of twenty are faster.", "push_silent", 8, 8),
              SECONDS,
              (quantile(0.95, "replyby_push_duration_seconds", by="marketplace"),
               "{{marketplace}}")),
        listing(Said("When pushes came", "About each account that is pushed about, and until when "
                     "silence is usual at this hour.", "push_silent", 8, 8),
                KEYS,
                Column("last push", age(most(last)), SECONDS),
                Column("silence told in", left(most(silent)), SECONDS,
                       ((None, RED), (0, GREEN))),
                Column("told", most("replyby_push_silent") + f" and ({most(last)} > 0)",
                       words=(("0", "no", GREEN), ("1", "silent", RED))),
                first="last push", rising=False),
    ]  # fmt: skip
