-- no-transaction
-- expand
create index concurrently if not exists clock_ended on clock (stopped_at, id, account)
    where ended is not null and not history and steps <> '{}'
