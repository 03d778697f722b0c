-- no-transaction
-- expand
create index concurrently if not exists notice_trouble_rung on notice (account, id) where kind = 'escalation' and clock is null
