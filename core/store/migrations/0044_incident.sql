-- expand
-- What stands open at receivers that keep what they are told until they hear that it is over. A row
-- stays when it is closed: a reply that is refused opens it again, for those that were told.
create table incident (
    clock    bigint not null,
    notifier text not null,
    notice   bigint not null,
    names    text[] not null default '{}',
    ways     text[],
    state    text not null default 'open' check (state in ('open', 'closed', 'taken_back')),
    primary key (clock, notifier)
);
comment on table incident is 'what a notifier''s receiver was told of a clock and keeps open, or has kept';
comment on column incident.notice is 'the newest that opened it: told again where it opens again, or must be kept alive';
comment on column incident.names is 'what the receiver calls the messages, where that is needed to close them';
comment on column incident.ways is 'by what the notice came, as dispatch.ways';
comment on column incident.state is 'closed: the clock ended; taken_back: it runs, and what was told of it was not so; the word of that may still be on its way';
create index incident_open on incident (notifier) where state = 'open';
comment on index incident_open is 'incidents.standing: what is told again before it is forgotten';
