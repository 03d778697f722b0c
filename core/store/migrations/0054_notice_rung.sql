-- no-transaction
-- expand
create index concurrently if not exists notice_rung on notice (((facts ->> 'escalation')::bigint)) where kind = 'escalation'
