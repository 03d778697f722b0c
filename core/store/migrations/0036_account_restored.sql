-- expand
-- After a restore nobody knows what was told since the dump: what became due meanwhile leaves as one
-- digest an account, as after a first walk, under a key of its own.
alter table account add column restored_at timestamptz;
comment on column account.restored_at is
    'when it was brought back from a dump last; null: never';
