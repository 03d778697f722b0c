-- A marketplace sends a push again until it is acknowledged, and sometimes once more.
create table push (
    account     text not null,
    id          text not null,
    topic       text not null,
    received_at timestamptz not null,
    primary key (account, id)
);
comment on table push is
    'by the account to whose address it came and its id there: one that comes again is dropped';
create index push_received on push (received_at);
comment on index push_received is 'pushes.purge: what will not come again';

create table pushing (
    account      text primary key,
    last_at      timestamptz,
    missed       integer not null default 0,
    missed_since timestamptz,
    troubles     text[] not null default '{}',
    silent_since timestamptz
) with (fillfactor = 50);
comment on table pushing is 'whether pushes about an account arrive';
comment on column pushing.missed is
    'walks since the last push that found a buyer''s message which no push had brought';
comment on column pushing.troubles is
    'why none can arrive, in closed words, as the marketplace told last';
comment on column pushing.silent_since is 'since when they do not arrive, as is told now';
