-- Files that go with a reply; they are kept until it has left, or was given up.
create table reply_file (
    reply      bigint not null references reply on delete cascade,
    number     integer not null,
    name       text not null,
    media_type text not null,
    content    bytea not null,
    primary key (reply, number)
);
comment on table reply_file is 'gone as soon as the reply needs them no more';
