"""The sections of the page of metrics: what belongs together, and what is to be known of it."""

from __future__ import annotations

from core.instruments import Section

DEADLINES = Section(
    "Deadlines",
    """\
Clocks of history (due before the account was watched) stand in `replyby_clocks_history_total`
only. The counters that come from the database are rows of a table that is raised in the
transaction of each change, so they survive restarts and gaps between scrapes, and never go back.
A breach that is taken back stays counted in `replyby_clocks_closed_total` and is added to
`replyby_clocks_corrected_total`. What ended after its deadline without a reply (no answer is
possible any more, the marketplace no longer asks) is a breach, and neither a late reply nor in
the histograms. A clock that a given deadline supersedes is counted nowhere meanwhile.

How many clocks run, their next deadline and the oldest unanswered message are as of
`replyby_open_clocks_counted_timestamp_seconds`: the running clocks are counted when somebody
asks, and that is the one question here whose cost grows with them (half a second of the database
a million). A count that takes less than a second is waited for, so up to about a million clocks
the numbers are those of the scrape; a longer one goes on by itself, the scrape shows the last
one, and the next begins nine times as long after its end as it took (ten million: numbers of the
last minute or two). Before the first count the three are absent, and a count that fails leaves
the numbers and their instant as they were: alert on the age, below. Several processes count each
for itself. No notice waits for a count.

While `replyby_clock_unsure` is 1 (the host's clock jumped by more than 5 s, or the marketplaces'
`Date` headers are 30 s off), breaches are neither counted nor told.
""",
)
CONTRACTS = Section(
    "Contracts",
    """\
The numbers that an account is judged by (`judged_by` of a policy, by `share` or by `mean`), each
in each of its windows, of the clocks that started there; `replyby report` shows the same, and
what is judged by nobody. Computed from the clocks as they are now known: a breach that is taken
back counts here no more. A window is days of the contract's zone, today as far as it has come;
`window` is written as in the settings (`30d`). A budget below 0 says how many of the missed are
too many. What is judged by a mean has no share, objective or budget, and the other way round;
where one policy is judged by several of a kind over one window, the strictest is shown. `NaN`:
nothing counts yet, or nothing was counted yet: `replyby_contracts_counted_timestamp_seconds`. No
scrape waits for the count; it is made every 15 s, and where it takes long it rests fifty times as
long as it took (0.8 s for a million clocks of 5,000 accounts: every 40 s).
""",
)
REPLIES = Section(
    "Replies",
    """\
The counters are durable, as those of clocks are. A reply that was taken and is refused later
counts in both. What a machine wrote (acknowledgements) has a metric of its own. An answer is
counted when it is read, or when a person tells of it (`replyby answered`), not twice; while one
of ours is looked for in a thread, what is read there is taken for it, and what is older than the
account's watch counts nowhere.
""",
)
BLINDNESS = Section(
    "Blindness",
    """\
What cannot be read hides its deadlines. Each stream has a limit of its own: three to five of its
intervals, the more the longer the shortest promise is. `replyby_blind_from_timestamp_seconds` is
the instant at which the first stream of the account reaches its own. It moves on with every
reading; once it has passed the account is blind, and the notice `blind` tells of the same
instant. It is never between two looks, half a minute ahead at least while nothing is blind. Every
process looks four times a minute.

How many messages are expected unseen: what the same hours of the week brought in the four weeks
before the last reading, the hours being those of the zone that the account's calendars name (else
UTC). Of an hour that history does not tell of yet, in the first week of an account, one message
is assumed, or as much as its hours brought so far where that is more: a new account that is blind
does not show 0.
""",
)
INGESTION = Section(
    "Ingestion",
    """\
Where an account has several streams, that one counts as its last success which was read longest
ago, and as its interval the shortest.
""",
)
API = Section("Marketplace API")
PUSHES = Section(
    "Pushes",
    """\
`time() - replyby_push_last_received_timestamp_seconds` is how long nothing has come,
`replyby_push_silent_from_timestamp_seconds - replyby_push_last_received_timestamp_seconds` how
long that may last at this hour of the week: learnt from eight weeks of the account's own pushes
([push_silent](runbook.md#push_silent)), or its `silence` of the settings. Each process computes
it, every five minutes. Pushes that come while a transaction runs are stored together in the next.
A push to an address of ours under a name that is no account's counts as `unknown_account` of the
marketplace `other`.
""",
)
NOTIFICATIONS = Section("Notifications")
ENGINE = Section(
    "Engine",
    """\
`replyby_database_up` is 0 where the cheap statements of a scrape are not answered within two
seconds; how long a count of clocks takes is no part of that.
""",
)
SERVICE = Section(
    "Service",
    """\
Besides: `process_*` (memory, CPU, open files), `python_gc_*`, `python_info`. The revision in
`replyby_build_info` is the environment's `REPLYBY_REVISION`, which an image sets.
""",
)

ALL = (
    DEADLINES, CONTRACTS, REPLIES, BLINDNESS, INGESTION, API, PUSHES, NOTIFICATIONS, ENGINE,
    SERVICE,
)  # fmt: skip
"""In the order of the page; a section that is not listed here stands behind these."""
