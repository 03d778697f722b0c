"""Reply deadlines, for who leads support: what is due next, what broke, how much budget is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.asked import (
    ACCOUNT,
    age,
    became,
    how_many,
    least,
    left,
    most,
    of,
    pace,
    quantile,
)  # fmt: skip
from deploy.grafana.frame import FIRED, built
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
    heat_map,
    lines,
    listing,
    number,
    spans,
    stacked,
)  # fmt: skip

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.parts import AnyPanel

HOUR = 3600
DUE = ((None, RED), (0, ORANGE), (HOUR, YELLOW), (4 * HOUR, GREEN))
SOME = ((None, GREEN), (1, RED))
BAND_COLORS = {"ok": GREEN, "warning": YELLOW, "critical": ORANGE, "breached": RED}
ENDED = {"met": GREEN, "breached": RED, "void": GREY, "marked": BLUE}
CONTRACT = f"{ACCOUNT}, policy, window"
COLUMNS = ("marketplace", "account")


def dashboard() -> Dashboard:
    """The dashboard "Reply deadlines"."""
    return built(
        "replyby-deadlines",
        "replyby / Reply deadlines",
        "What is due next, what broke overnight, and how much may still be missed. "
        "Numbers of running clocks and of what became of them are read from the database: "
        "they are the same from every process and lose nothing at a restart.",
        (
            ("Now", _now()),
            ("What is due", _due()),
            ("What became of it", _became()),
            ("Contracts and their budget", _contracts()),
            ("Answers", _answers()),
        ),
        since="24h",
    )


def _band(name: str) -> str:
    return most("replyby_open_clocks", f'band="{name}"')


def _now() -> list[AnyPanel]:
    small = {"width": 4, "height": 4}
    blind = most("replyby_blind_from_timestamp_seconds")
    return [
        number(
            Said("Overdue", "Threads past their reply deadline and not answered.",
                 "replybyreplyoverdue", **small),
            f"sum({_band('breached')})", COUNT, *SOME, empty="unknown",
        ),
        number(
            Said("Nearly due", "Threads whose last warning has passed, not yet due.",
                 "replybydeadlineimminent", **small),
            f"sum({_band('critical')})", COUNT, (None, GREEN), (1, ORANGE), empty="unknown",
        ),
        number(
            Said("Accounts that are blind", "Accounts of which a stream has not been read for "
                 "longer than it may: deadlines there are not known.", "blind", **small),
            how_many(f"time() > {blind}", blind), COUNT, *SOME, empty="unknown",
        ),
        number(
            Said("Probably unseen", "Buyers' messages that have probably arrived unread while "
                 "accounts are blind, by what usually comes at this hour of the week.", "blind",
                 **small),
            f"sum({most('replyby_unseen_messages_expected')})", COUNT, (None, GREEN), (0.5, ORANGE),
            (3, RED), decimals=1, empty="unknown",
        ),
        number(
            Said("A promise may break unseen in", "The first instant at which a promise may break "
                 "on a blind account, whatever was written there. None while nothing is blind.",
                 "blind", **small),
            left(least("replyby_earliest_possible_breach_timestamp_seconds", by="")),
            SECONDS, *DUE,
        ),
        number(
            Said("Host's clock", "Whether the daemon believes the time of its machine. While it "
                 "does not, no breach is counted or told.", "the-clock-of-the-host", **small),
            f"max({of('replyby_clock_unsure', 'fleet')})", COUNT, (None, GREEN), (1, RED),
            empty="unknown",
            mapped=(("0", "believed", GREEN), ("1", "not believed", RED)),
        ),
    ]  # fmt: skip


def _due() -> list[AnyPanel]:
    instant = "replyby_next_deadline_timestamp_seconds"
    return [
        number(
            Said("Next deadline in", "Until the earliest deadline of a running clock, by "
                 "marketplace; negative: overdue for so long. Orange: within an hour, yellow: "
                 "within four. Where nothing waits, none is shown.",
                 "replybydeadlineimminent", 8, 8),
            left(least(instant, by="marketplace")), SECONDS, *DUE, legend="{{marketplace}}",
            empty="nothing waits",
        ),
        stacked(
            Said("Running clocks by risk", "Reply clocks that run: ok, first warning passed, last "
                 "warning passed, past the deadline.", "replybyreplyoverdue", 16, 8),
            COUNT,
            *((f"sum({_band(name)})", name) for name in BAND_COLORS),
            colors=BAND_COLORS,
        ),
        listing(
            Said("By account", "What runs on each account, the most urgent first. "
                 "`replyby threads --at-risk` names the threads.", "replybyreplyoverdue", 24, 9),
            COLUMNS,
            Column("next deadline in", left(least(instant)), SECONDS, DUE),
            Column("overdue", _band("breached"), steps=SOME),
            Column("nearly due", _band("critical"), steps=((None, GREEN), (1, ORANGE))),
            Column("warned", _band("warning"), steps=((None, GREEN), (1, YELLOW))),
            Column("ok", _band("ok")),
            Column("longest unanswered",
                   age(least("replyby_oldest_unanswered_timestamp_seconds")), SECONDS),
            Column("probably unseen", most("replyby_unseen_messages_expected"), decimals=1,
                   steps=((None, GREEN), (0.5, ORANGE))),
            first="next deadline in",
        ),
    ]  # fmt: skip


def _became() -> list[AnyPanel]:
    closed = "replyby_clocks_closed_total"
    per_day = became(closed, 'result=~"met|breached"', by="result", window="1d")
    breached = became(closed, 'result="breached"', by="marketplace", window="$__range")
    met = became(closed, 'result="met"', by="marketplace", window="$__range")
    return [
        stacked(
            Said("Clocks that ended", "Answered in time, deadlines that passed unanswered, no "
                 "reply owed (void), marked by an agent as answered elsewhere.", "breach", 12, 8),
            COUNT, (became(closed, by="result"), "{{result}}"),
            colors=ENDED, bars=True, every="1m",
        ),
        stacked(
            Said("Met and breached by day", "The last fortnight; the last bar is today so far.",
                 "breach", 6, 8),
            COUNT, (per_day, "{{result}}"), colors=ENDED, bars=True, every="1d",
        ).time_from("14d"),
        listing(
            Said("In the chosen range", "By marketplace: breached, met, replied to too late.",
                 "breach", 6, 8),
            ("marketplace",),
            Column("breached", breached, steps=SOME),
            Column("met", met),
            Column("late replies",
                   became("replyby_replies_late_total", by="marketplace", window="$__range")),
            first="breached", rising=False,
        ),
        spans(
            Said("Alerts that fired", "What broke overnight: Prometheus' own record of its alerts, "
                 "for all marketplaces.", "alerts", 12, 7),
            FIRED, "{{alertname}}", ("1", "firing", RED),
        ),
        lines(
            Said("Corrected, reopened, history", "Breaches taken back, clocks that ended and run "
                 "again, clocks due before the account was watched.", "corrected", 12, 7),
            COUNT,
            *((became(f"replyby_clocks_{word}_total", by=""), word)
              for word in ("corrected", "reopened", "history")),
            colors={"corrected": BLUE, "reopened": ORANGE, "history": GREY},
        ).interval("1m"),
    ]  # fmt: skip


def _contracts() -> list[AnyPanel]:
    attained = most("replyby_contract_attainment_ratio", by=CONTRACT)
    budget = most("replyby_contract_budget_messages", by=CONTRACT)
    counted = most("replyby_contract_counted_messages", by=CONTRACT)
    mean = most("replyby_contract_mean_reply_seconds", by=CONTRACT)
    limit = most("replyby_contract_limit_seconds", by=CONTRACT)
    keys = (*COLUMNS, "policy", "window")
    few = ((None, RED), (0, ORANGE), (3, GREEN))
    text = "How many more messages may be missed in the window; negative: overspent."
    return [
        listing(
            Said("Contracts by share", f"The way each contract counts. {text}",
                 "replybycontractbudgetoverspent", 16, 7),
            keys,
            Column("budget", f"{budget} > -Inf", steps=few, decimals=0),
            Column("attained", f"{attained} >= 0", SHARE, decimals=1),
            Column("asked for", most("replyby_contract_objective_ratio", by=CONTRACT) + " >= 0",
                   SHARE, decimals=1),
            Column("counted", f"{counted} and ({budget} > -Inf)", decimals=0),
            first="budget",
        ),
        lines(
            Said("Budget left", f"{text} The least of a policy's accounts, by window.",
                 "replybycontractbudgetoverspent", 8, 7),
            COUNT,
            (f"min by (policy, window) ({budget} > -Inf)", "{{policy}} {{window}}"),
            marks=((None, RED), (0, GREEN)),
        ),
        listing(
            Said("Contracts by mean", "Contracts that ask for a mean time to the reply.",
                 "replybycontractmeanexceeded", 16, 5),
            keys,
            Column("of the limit", f"{mean} / {limit} >= 0", SHARE, decimals=1,
                   steps=((None, GREEN), (0.8, ORANGE), (1, RED))),
            Column("mean reply", f"{mean} >= 0", SECONDS),
            Column("limit", f"{limit} > 0", SECONDS),
            first="of the limit", rising=False,
        ),
        number(
            Said("Contracts were counted", "How long ago attainment was last counted.",
                 "replybycontractsuncounted", 8, 5),
            age(most("replyby_contracts_counted_timestamp_seconds", by="", scope="fleet")),
            SECONDS, (None, GREEN), (2 * HOUR, ORANGE), empty="not yet",
        ),
    ]  # fmt: skip


def _answers() -> list[AnyPanel]:
    used = of("replyby_reply_time_used_ratio_bucket", "marketplace")
    taken = "replyby_reply_duration_seconds"
    muted = "replyby_muted_until_timestamp_seconds"
    where = (("replies_accepted", "from here"), ("replies_refused", "refused"),
             ("answers_elsewhere", "elsewhere"))  # fmt: skip
    return [
        heat_map(
            Said("Share of the allowed time used", "When replies come, as a share of the working "
                 "time that was allowed: comparable over marketplaces. Above 100 %: late.",
                 "breach", 12, 8),
            SHARE, f"sum by (le) (increase({used}[$__rate_interval]))",
        ),
        lines(
            Said("Time to the reply", "From the buyer's oldest unanswered message, in real time: "
                 "half of the replies, and nineteen of twenty, are faster.", "breach", 12, 8),
            SECONDS,
            (quantile(0.5, taken), "p50"), (quantile(0.95, taken), "p95"),
            sparse=True, colors={"p50": GREEN, "p95": ORANGE},
        ).interval("5m"),
        stacked(
            Said("Where answers were given", "Our replies that the marketplace took or refused, "
                 "and answers read there that were not sent from here.", "reply_refused", 12, 8),
            COUNT,
            *((became(f"replyby_{metric}_total", by=""), name)
              for metric, name in where),
            colors={"from here": GREEN, "refused": RED, "elsewhere": BLUE}, bars=True, every="1m",
        ),
        lines(
            Said("Messages a minute", "Buyers' messages against sellers', over all processes.",
                 "first-look", 6, 8),
            PER_MINUTE,
            (pace("replyby_messages_stored_total", by="direction"), "{{direction}}"),
            colors={"in": ORANGE, "out": GREEN},
        ),
        listing(
            Said("Muted", "Accounts and routes of which nothing is told for now. A mute never "
                 "stops a clock.", "replybymutedlong", 6, 8),
            ("scope", "name"),
            Column("for another", f"{most(muted, by='scope, name', scope='fleet')} - time() > 0",
                   SECONDS, ((None, PURPLE),)),
            first="for another", empty="none",
        ),
    ]  # fmt: skip
