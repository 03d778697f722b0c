-- The first shape. Instants are timestamptz; what a marketplace names is keyed by account first.

create table account (
    name            text primary key,
    connector       text not null,
    marketplace     text not null,
    budget_key      text not null,
    monitored_since timestamptz not null,
    first_walk_at   timestamptz,
    down_since      timestamptz,
    retired_at      timestamptz,
    outdated_since  timestamptz
);
comment on column account.first_walk_at is
    'when every stream that carries clocks had been walked once; until then what is found is told as one digest';

comment on column account.down_since is
    'since when its key is refused, as was told; null when it was told that all is well again';

comment on column account.outdated_since is
    'what it was told since then is to be computed again, and what ended with it: a promise of an earlier date, a return; null when that is done';

create table worker (
    id         bigint primary key,
    started_at timestamptz not null default now()
);
comment on table worker is 'its advisory lock, held on a connection of its own, is its life';

create table budget (
    key     text primary key,
    next_at timestamptz not null
) with (fillfactor = 50);
comment on table budget is 'rate limits shared by all workers: not before next_at';

create table stream (
    account        text not null references account (name),
    stream         text not null,
    carries_clocks boolean not null,
    ascending      boolean not null,
    cursor         text,
    next_due       timestamptz not null,
    "interval"     interval not null,
    floor          interval not null default '1 s',
    not_before     timestamptz not null default now(),
    pulled_to      timestamptz,
    holder         bigint,
    leased_until   timestamptz,
    fence          bigint not null default 0,
    failures       integer not null default 0,
    backoff_until  timestamptz,
    health         text not null default 'starting',
    health_since   timestamptz not null,
    last_ok_at     timestamptz,
    seen_through   timestamptz,
    error          text,
    blind_since    timestamptz,
    primary key (account, stream)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
comment on column stream.next_due is 'due time and lease at once: a claim moves it to the end of the lease, so a dead claim becomes due by itself';
comment on column stream.floor is 'the shortest time between two walks that the published limits allow';
comment on column stream.not_before is 'the last claim plus the floor, or the end of a backoff: nothing is pulled forward past it';
comment on column stream.pulled_to is 'a reading asked for while a lease was held; counts when it ends';
comment on column stream.seen_through is 'the instant at which the last complete walk began';
create index stream_due on stream (next_due);
comment on index stream_due is 'streams.claim: the next due ones';
create index stream_held on stream (holder) where holder is not null;
comment on index stream_held is 'streams.free: what a worker holds';

create table thread (
    account    text not null,
    id         text not null,
    kind       text not null,
    subject    text,
    buyer      text not null default '',
    order_ids  text[] not null default '{}',
    url        text,
    reply_to   jsonb not null default '{}',
    as_of      timestamptz not null,
    incomplete boolean not null default false,
    closed_at  timestamptz,
    looked_at  timestamptz,
    primary key (account, id)
);
comment on column thread.looked_at is 'when it was last read by itself, whole';
create index thread_incomplete on thread (account) where incomplete;
comment on index thread_incomplete is 'threads.incomplete: those of which the marketplace holds more';

create table message (
    account         text not null,
    id              text not null,
    thread          text not null,
    party           text not null,
    kind            text not null,
    party_corrected text,
    kind_corrected  text,
    addressed_to    text[] not null,
    delivery        text,
    origin          text not null,
    level           text,
    sent_at         timestamptz,
    visible_at      timestamptz,
    seen_at         timestamptz not null,
    language        text,
    subject         text,
    body            text not null,
    order_id        text,
    attachments     jsonb,
    hash            bytea not null,
    primary key (account, id)
);
comment on column message.thread is
    'without a foreign key, as clock.thread and given.thread: whoever writes them holds the thread''s lock, and checking it was a third of the server''s time';
create index message_thread on message (account, thread);
comment on index message_thread is 'messages.turns: the turns of threads, for recompute';

create table raw_message (
    account text not null,
    id      text not null,
    seen_at timestamptz not null,
    body    bytea not null,
    primary key (account, id)
);
comment on table raw_message is 'what the marketplace sent, where message.body loses something; has its own retention';

create table given (
    account  text not null,
    thread   text not null,
    kind     text not null,
    act      text not null,
    as_of    timestamptz not null,
    read_at  timestamptz not null,
    due_at   timestamptz,
    starts_at timestamptz,
    asks     boolean not null,
    by_message boolean not null,
    acted_at timestamptz,
    outcome  text,
    uncertain boolean not null,
    sentence text,
    primary key (account, thread, kind, act, as_of, read_at)
);
comment on table given is 'readings of dates that the marketplace gives: appended, never overwritten; a reading equal to the newest is not written again';

create table policy_version (
    name           text not null,
    version        integer not null,
    definition     jsonb not null,
    effective_from timestamptz,
    effective_to   timestamptz,
    loaded_at      timestamptz not null,
    primary key (name, version)
);

create table promise (
    account text not null references account (name),
    name    text not null,
    since   timestamptz not null,
    until   timestamptz,
    primary key (account, name, since)
);
comment on table promise is 'which policies an account has, and had: since the year 1 where it came with the account';

create table clock (
    id             bigint generated by default as identity primary key,
    account        text not null,
    thread         text not null,
    promise        text not null,
    waits_for      text not null,
    metric         text not null,
    policy_version integer,
    members        text[] not null,
    started_by     text not null,
    started_at     timestamptz not null,
    due_at         timestamptz not null,
    due_from       text not null,
    revision       integer not null default 0,
    steps          timestamptz[] not null,
    step           smallint not null default 0,
    next_alert_at  timestamptz,
    stopped_at     timestamptz,
    stopped_by     text,
    ended          text,
    reason         text,
    breached_at    timestamptz,
    corrected_at   timestamptz,
    correction     text,
    history        boolean not null default false,
    counted        boolean not null default false,
    flags          text[] not null default '{}'
) with (fillfactor = 85);
comment on column clock.counted is 'whether it was counted as started: once, though it may be superseded meanwhile';
create index clock_alertable on clock (next_alert_at) where next_alert_at is not null;
comment on index clock_alertable is 'steps.alertable, steps.next_alert: whose next step has passed';
create index clock_queue on clock (due_at) where ended is null;
comment on index clock_queue is 'queue.running, clocks.running, stats.snapshot: running clocks by deadline';
create index clock_uncounted on clock (due_at)
    where (ended is null and next_alert_at is null or ended = 'late')
      and not history and steps <> '{}'
      and (breached_at is null or corrected_at is not null);
comment on index clock_uncounted is
    'steps.count: breaches that are not counted yet, told ones and those that ended late while our clock was unsure';
create index clock_thread on clock (account, thread);
comment on index clock_thread is 'clocks.put: the rows of the threads that are recomputed';

create table clock_entry (
    clock  bigint not null references clock (id),
    at     timestamptz not null,
    what   text not null,
    before jsonb,
    after  jsonb
);
create index clock_entry_clock on clock_entry (clock, at);
comment on index clock_entry_clock is 'clocks.entries: the history of one clock';

create table reply (
    id          bigint generated by default as identity primary key,
    account     text not null,
    thread      text not null,
    body        text not null,
    addressed_to text[] not null,
    state       text not null default 'queued',
    message_id  text,
    attempts    integer not null default 0,
    next_try_at timestamptz not null,
    queued_at   timestamptz not null,
    left_at     timestamptz,
    settled_at  timestamptz,
    reason      text,
    foreign key (account, thread) references thread (account, id)
);
comment on column reply.message_id is 'the message of this reply: our own id until it is read back, the same row afterwards';
create index reply_open on reply (next_try_at) where state in ('queued', 'sending', 'unknown', 'accepted');
comment on index reply_open is 'reply.once: to be sent, or to be read back';

create table notice (
    id        bigint generated by default as identity primary key,
    key       text not null unique,
    kind      text not null,
    account   text not null,
    thread    text,
    clock     bigint,
    due_at    timestamptz,
    facts     jsonb not null default '{}',
    raised_at timestamptz not null
);
create index notice_clock on notice (clock) where clock is not null;
comment on index notice_clock is 'notices.drop: what is not yet sent about a clock that was met';

create table dispatch (
    notice        bigint not null,
    notifier      text not null,
    attempts      integer not null default 0,
    next_try_at   timestamptz not null default now(),
    sent_at       timestamptz,
    parked_reason text,
    suppressed    text,
    error         text,
    digest        text,
    primary key (notice, notifier)
) with (fillfactor = 85);
comment on column dispatch.notice is
    'without a foreign key: notices.raise_ alone writes here, and checking it was a third of its time';
create index dispatch_unsent on dispatch (notifier, next_try_at) where sent_at is null and parked_reason is null and suppressed is null;
comment on index dispatch_unsent is 'dispatches.claim: what is due to be sent by a notifier';
create index dispatch_held on dispatch (notifier)
    where digest is not null and attempts = 0 and sent_at is null and parked_reason is null and suppressed is null;
comment on index dispatch_held is 'dispatches.release: what waits for the end of a first walk';
create index dispatch_parked on dispatch (notifier) where parked_reason is not null;
comment on index dispatch_parked is 'dispatches.parked: what a person must look at';

create table tally (
    account text not null,
    metric  text not null,
    result  text not null,
    n       bigint not null,
    primary key (account, metric, result)
) with (fillfactor = 50);
comment on table tally is 'durable counts of what became of clocks: raised with the row, never lowered, untouched by retention';

create table set_aside (
    id        bigint generated by default as identity primary key,
    account   text not null,
    stream    text not null,
    source_id text not null,
    reason    text not null,
    raw       bytea not null,
    at        timestamptz not null,
    times     integer not null default 1,
    unique (account, stream, source_id, reason)
);

create table tombstone (
    account   text not null,
    source_id text not null,
    reason    text not null,
    at        timestamptz not null,
    primary key (account, source_id)
);

create table published (
    account text not null references account (name),
    name    text not null,
    as_of   timestamptz not null,
    value   double precision not null,
    read_at timestamptz not null,
    primary key (account, name, as_of)
);
