"""Engine, for who runs the program: whether its processes, its database and its machine keep up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import BigValueTextMode

from deploy.grafana.asked import age, least, most, of, oldest, or_none, pace, quantile
from deploy.grafana.frame import built
from deploy.grafana.parts import (
    BLUE,
    BYTES,
    COUNT,
    GREEN,
    ORANGE,
    PER_MINUTE,
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

WAITS = "replyby_poll_queue_oldest_due_timestamp_seconds"
LOOPS = "replyby_loop_last_turn_timestamp_seconds"
POLL = "replyby_poll_oldest_started_timestamp_seconds"
DAY = 86400
ERASE = "replyby_erasure_oldest_asked_timestamp_seconds"
FREE, SIZE = "replyby_state_disk_free_bytes", "replyby_state_disk_size_bytes"


def dashboard() -> Dashboard:
    """The dashboard "Engine"."""
    return built(
        "replyby-engine",
        "replyby / Engine",
        "Whether the processes live, keep up with what is due, reach their database and tell what "
        "they have to tell.",
        (
            ("Alive", _alive()),
            ("Keeping up", _keeping_up()),
            ("Telling", _telling()),
            ("Database and disk", _storing()),
            ("Processes", _processes()),
        ),
        since="6h",
        instance=True,
    )


def _alive() -> list[AnyPanel]:
    small = {"width": 3, "height": 4}
    yes = (("0", "no", RED), ("1", "yes", GREEN))
    beat = "replyby_heartbeat_last_success_timestamp_seconds"
    return [
        number(Said("Processes up", "Processes that answered the last scrape.",
                    "replybytargetdown", **small),
               f"sum({of('up', 'fleet')})", COUNT, (None, RED), (1, GREEN), empty="unknown"),
        number(Said("Workers short", "Workers that the settings expect and that hold no lock in "
                    "the database.", "replybyworkersmissing", **small),
               f"max({of('replyby_workers_expected', 'fleet')})"
               f" - max({of('replyby_workers', 'fleet')})",
               COUNT, (None, GREEN), (1, RED), empty="unknown"),
        number(Said("Database", "Whether the database answered every process's last scrape.",
                    "the-database", **small),
               f"min({of('replyby_database_up', 'fleet')})", COUNT, (None, RED), (1, GREEN),
               empty="unknown",
               mapped=(("0", "away", RED), ("1", "answers", GREEN))),
        number(Said("Host's clock", "Whether every process believes its machine's time.",
                    "the-clock-of-the-host", **small),
               f"max({of('replyby_clock_unsure', 'fleet')})", COUNT, (None, GREEN), (1, RED),
               empty="unknown",
               mapped=(("0", "believed", GREEN), ("1", "not believed", RED))),
        number(Said("Settings good", "Whether the settings were last read without complaint.",
                    "replybyreloadfailed", **small),
               f"min({of('replyby_config_last_reload_successful', 'fleet')})", COUNT,
               (None, RED), (1, GREEN), empty="unknown", mapped=yes),
        number(Said("Heartbeat", "Since the last heartbeat that was sent outwards, of the "
                    "process that sent last. None where no heartbeat is configured.",
                    "replybyheartbeatfailing", **small),
               f"time() - max({of(beat, 'fleet')})"
               f" and (max({of('replyby_heartbeat_configured', 'fleet')}) == 1)",
               SECONDS, (None, GREEN), (180, RED), never=True),
        number(Said("Clocks counted", "How old the numbers of running clocks are.",
                    "first-look", **small),
               age(oldest("replyby_open_clocks_counted_timestamp_seconds", scope="fleet")),
               SECONDS, (None, GREEN), (180, ORANGE), (300, RED), empty="not yet"),
        number(Said("Version", "What runs; more than one while a new one comes in.",
                    "first-look", **small),
               f"count by (version) ({of('replyby_build_info', 'fleet')})", COUNT, (None, BLUE),
               legend="{{version}}").text_mode(BigValueTextMode.NAME),
    ]  # fmt: skip


def _keeping_up() -> list[AnyPanel]:
    fleet = {"by": "", "scope": "fleet"}
    delay = "replyby_event_loop_delay_seconds"
    begun = f"min by (instance) ({of(POLL, 'process')})"
    return [
        lines(Said("How late polls are", "For how long the longest-waiting due poll waits.",
                   "replybypollqueuelate", 8, 8),
              SECONDS, (or_none(age(oldest(WAITS, **fleet)), least(WAITS, **fleet)), "oldest due"),
              marks=((None, GREEN), (120, RED))),
        stacked(Said("Streams due", "Streams that are due and that nobody has claimed.",
                     "replybypollqueuelate", 8, 8),
                COUNT,
                (most("replyby_poll_queue_due_targets", by="marketplace", scope="marketplace"),
                 "{{marketplace}}")),
        lines(Said("Leases", "Streams that workers are reading, walks under way; results dropped "
                   "by the fence, and leases freed from a dead worker, a minute.",
                   "replybypollqueuelate", 8, 8),
              COUNT,
              (most("replyby_leases_held", **fleet), "held"),
              (f"sum({of('replyby_polls_in_flight', 'fleet')})", "polls under way"),
              (pace("replyby_leases_lost_total", by="", scope="fleet"), "lost/min"),
              (pace("replyby_leases_taken_over_total", by="", scope="fleet"), "taken over/min"),
              colors={"held": GREEN, "polls under way": BLUE, "lost/min": RED,
                      "taken over/min": ORANGE}),
        listing(Said("Since each loop's last turn", "Since each loop of the daemon last ended a "
                     "round without fault; of several processes the worst.",
                     "replybyloopstuck", 8, 8),
                ("loop",), Column("last turn", f"max by (loop) ({age(of(LOOPS, 'process'))})",
                                  SECONDS),
                first="last turn", rising=False),
        lines(Said("Oldest poll under way", "For how long the oldest walk that runs now has been "
                   "running; one that grows without end hangs.", "replybypollhangs", 8, 8),
              SECONDS, (or_none(age(begun), begun), "{{instance}}")),
        lines(Said("How late the event loop is",
                   "How late a timer fires: ninety-nine of a hundred.",
                   "replybyeventloopslow", 8, 8),
              SECONDS,
              (quantile(0.99, delay, by="instance", scope="process"), "{{instance}}"),
              marks=((None, GREEN), (0.5, RED))),
    ]  # fmt: skip


def _telling() -> list[AnyPanel]:
    one = {"by": "notifier", "scope": "fleet"}
    waits = "replyby_notification_oldest_pending_timestamp_seconds"
    pause = quantile(0.95, "replyby_notification_delay_seconds", by="notifier", scope="fleet")
    dropped = pace("replyby_notifications_suppressed_total", by="reason", scope="fleet")
    sent = pace("replyby_notifications_total", by="outcome", scope="fleet")
    beats = pace("replyby_heartbeats_total", by="outcome", scope="fleet")
    return [
        stacked(Said("Notices by outcome", "Attempts to send; dead: parked for a person.",
                     "parked", 8, 7),
                PER_MINUTE, (sent, "{{outcome}}"),
                colors={"delivered": GREEN, "retried": ORANGE, "dead": RED}),
        lines(Said("From decision to acceptance", "Nineteen of twenty notices are faster.",
                   "replybyoutboxstuck", 8, 7),
              SECONDS, (pause, "{{notifier}}")),
        listing(Said("What waits", "Notices not yet sent, since when the oldest waits, and those "
                     "given up: `replyby notices list`.", "parked", 8, 7),
                ("notifier",),
                Column("pending", most("replyby_notifications_pending", **one)),
                Column("oldest waits", age(oldest(waits, **one)), SECONDS,
                       ((None, GREEN), (300, RED))),
                Column("parked", most("replyby_notifications_parked", **one),
                       steps=((None, GREEN), (1, RED))),
                first="pending", rising=False),
        stacked(Said("Not sent after all", "Notices that were no longer true, by why.",
                     "notices", 8, 7),
                PER_MINUTE, (dropped, "{{reason}}")),
        lines(Said("Our replies under way", "Replies that are not settled, by where they stand.",
                   "reply_unknown", 8, 7),
              COUNT, (most("replyby_replies_open", by="state", scope="fleet"), "{{state}}"),
              colors={"queued": BLUE, "sending": GREEN, "unknown": RED}),
        stacked(Said("Heartbeats outwards", "Sent, failed, withheld because a loop did not turn.",
                     "replybyheartbeatfailing", 8, 7),
                PER_MINUTE, (beats, "{{outcome}}"),
                colors={"sent": GREEN, "failed": RED, "withheld": ORANGE}, bars=True, every="1m"),
    ]  # fmt: skip


def _storing() -> list[AnyPanel]:
    used = f"sum by (instance, state) ({of('replyby_database_pool_connections', 'process')})"
    most_open = of("replyby_database_pool_connections_max", "process")
    seconds = "replyby_database_query_duration_seconds"
    asked = f"rate({of(f'{seconds}_bucket', 'process')}[$__range])"
    made = f"rate({of(f'{seconds}_count', 'process')}[$__range])"
    fleet = {"by": "", "scope": "fleet"}
    failed = pace("replyby_rounds_failed_total", by="reason", scope="process")
    free = f"min by (instance) ({of(FREE, 'process')} / {of(SIZE, 'process')})"
    removed = pace("replyby_retention_rows_deleted_total", by="table", scope="process")
    return [
        lines(Said("Connections", "A process's connections to the database, and how many it may "
                   "open.", "the-database", 8, 8),
              COUNT, (used, "{{instance}} {{state}}"),
              (f"max by (instance) ({most_open})", "{{instance}} at most")),
        listing(Said("Statements", "The store's statements, by its modules, in the chosen range: "
                     "how many a minute, and how long nineteen of twenty take at most.",
                     "the-database", 8, 8),
                ("statement",),
                Column("p95", f"histogram_quantile(0.95, sum by (le, statement) ({asked})) >= 0",
                       SECONDS, ((None, GREEN), (0.1, YELLOW), (1, RED))),
                Column("a minute", f"60 * sum by (statement) ({made}) > 0", decimals=1),
                first="p95", rising=False),
        stacked(Said("Rounds that broke off", "Rounds of a loop that ended by a fault of the "
                     "database, by its reason.", "reasons", 8, 8),
                PER_MINUTE, (failed, "{{reason}}"), colors={"store_unavailable": RED}),
        lines(Said("Disk free", "Share of the file system that holds the state directory, with the "
                   "embedded database.", "replybydiskfilling", 8, 7),
              SHARE, (free, "{{instance}}"), marks=((None, RED), (0.1, GREEN))),
        lines(Said("Database's size", "As PostgreSQL tells it.", "replybydiskfilling", 8, 7),
              BYTES, (most("replyby_database_size_bytes", by="", scope="fleet"), "size")),
        stacked(Said("Rows removed", "What retention removed because its time was over.",
                     "first-look", 5, 7),
                PER_MINUTE, (removed, "{{table}}")),
        number(Said("Oldest erasure waits", "For how long the oldest request to erase a person has "
                    "been waiting: `replyby erasures`.", "a-person-is-to-be-erased", 3, 7),
               or_none(age(oldest(ERASE, **fleet)), least(ERASE, **fleet)), SECONDS,
               (None, GREEN), (7 * DAY, ORANGE), (25 * DAY, RED), empty="unknown"),
    ]  # fmt: skip


def _processes() -> list[AnyPanel]:
    files = f"{of('process_open_fds', 'process')} / {of('process_max_fds', 'process')}"
    return [
        lines(Said("Memory", "Resident memory of each process.", "first-look", 6, 7),
              BYTES, (of("process_resident_memory_bytes", "process"), "{{instance}}")),
        lines(Said("CPU", "Share of one core that each process uses.", "first-look", 6, 7),
              SHARE, (f"rate({of('process_cpu_seconds_total', 'process')}[$__rate_interval])",
                      "{{instance}}")),
        lines(Said("Open files", "Share of the files that each process may open.",
                   "first-look", 6, 7),
              SHARE, (files, "{{instance}}")),
        lines(Said("Scrapes", "How long Prometheus waits for each process's metrics.",
                   "first-look", 6, 7),
              SECONDS, (of("scrape_duration_seconds", "process"), "{{instance}}"),
              marks=((None, GREEN), (1, YELLOW))),
    ]  # fmt: skip
