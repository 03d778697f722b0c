-- Whether the silence of an account that is pushed is usual is known by when its pushes came, and by
-- when anybody listened. Slots of five minutes, twelve bits an hour: a busy account writes no more.
create table push_hour (
    account text not null,
    hour    timestamptz not null,
    slots   smallint not null,
    primary key (account, hour)
);
comment on table push_hour is 'when pushes about an account came';
comment on column push_hour.slots is 'the slots of five minutes that had one; bit 0 is the first';

create table listened_hour (
    hour  timestamptz primary key,
    slots smallint not null
);
comment on table listened_hour is 'when pushes would have been heard: some process listened';
comment on column listened_hour.slots is 'as push_hour.slots: in which one listened all the time';

alter table pushing add column quiet_since timestamptz;
comment on column pushing.quiet_since is
    'the last push before a silence that was found longer than usual; null: there is none';

-- A robot fills in a form ten thousand times: what is told of its letters leaves together, so that
-- others are told as ever.
create table flood (
    account text not null,
    since   timestamptz not null,
    until   timestamptz,
    primary key (account, since)
);
comment on table flood is 'when far more came to an account than it is used to';
comment on column flood.until is 'null: it goes on';
create unique index flood_goes_on on flood (account) where until is null;
comment on index flood_goes_on is 'floods.go_on: one of an account at a time';
