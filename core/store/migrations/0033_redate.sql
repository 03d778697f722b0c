-- expand
-- An operator says since when a promise has been in force in truth: a fact of its own, for versions
-- are never edited. Programs that do not know it go on by when the versions were loaded.
create table redate (
    name      text not null,
    loaded_at timestamptz not null,
    since     timestamptz not null,
    said_at   timestamptz not null,
    primary key (name, said_at),
    check (since <= loaded_at)
);
comment on table redate is
    'since when what was loaded of a promise has been in force in truth; the last one said stands';
comment on column redate.loaded_at is 'policy_version.loaded_at of all that was loaded with it';
