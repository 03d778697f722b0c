-- A push may tell of a conversation that its marketplace then does not show: nobody need close it for
-- that, and a person is to know.
alter table thread add column absent_since timestamptz;
comment on column thread.absent_since is
    'since when looks find no such thread at the marketplace; null where the last one did';
