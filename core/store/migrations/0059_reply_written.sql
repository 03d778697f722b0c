-- no-transaction
-- expand
create index concurrently if not exists reply_written on reply (written_by, id) where written_by is not null
